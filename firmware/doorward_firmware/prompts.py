"""Prompts by number become sounds and pictures: which blobs they are is the server's prompt pack's business.

`say` speaks a prompt and then the name of its subject; prompts queue up in the speaker, and an urgent one
silences those before it. `show` draws it on a panel's screen.
"""

from doorward_protocol.prompts import NUMBERS
from doorward_protocol.records import PANEL_INNER, PANEL_OUTER

from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.logic import events

# What must be heard at once, whatever is being said.
_URGENT = ("box_foreign", "vehicle_refused_completed", "frozen_wait", "refused", "panel_locked")
URGENT = tuple([NUMBERS[name] for name in _URGENT])


class Prompts:
    """The speaker and the two Displays; `desired` knows the prompt pack, people and vehicles."""

    def __init__(self, speaker, outer, inner, blobs, desired, report):
        self._speaker, self._blobs, self._desired, self._report = speaker, blobs, desired, report
        self._displays = {PANEL_OUTER: outer, PANEL_INNER: inner}
        self._pack = {}
        self.renew()

    def renew(self):
        """Look at the prompt pack again. True if it is another one now."""
        before, self._pack = self._pack, self._desired.prompts()
        return self._pack != before

    def say(self, number, subject):
        """Speak a prompt, then its subject's name."""
        try:
            if number in URGENT:
                self._speaker.stop()
            for clip in (self._pack.get(number, (None, None))[0], self._names(subject)[0]):
                if clip is not None and self._blobs.has(clip):
                    self._speaker.play(self._blobs.chunks(clip))
        except DriverError as error:
            self._report("speaker", error.reason, error.detail)

    def show(self, panel, number, subject):
        """Draw a prompt, with its subject's name, on a panel."""
        picture = self._pack.get(number, (None, None))[1]
        self._displays[panel].prompt(picture, self._names(subject)[1])

    def compare(self, task, previews):
        """Show each of the task's crew beside the enrolled photo; previews: {person: hash of the bitmap just
        taken}. None ends it."""
        if task is None:
            self._displays[PANEL_INNER].compare((), 0)
            return
        pages, people = [], self._desired.roster()
        for person in task.door:
            fields = people.get(person)
            if fields is not None:
                pages.append((fields["label"], fields["photo"], previews.get(person)))
        self._displays[PANEL_INNER].compare(pages, len(task.door))

    def _names(self, subject):
        """(clip, label) of a person or a vehicle."""
        if subject is None:
            return None, None
        kind, number = subject
        if kind == events.PERSON:
            fields = self._desired.roster().get(number)
            return (fields["clip"], fields["label"]) if fields else (None, None)
        order = self._desired.order(number)
        return tuple(order["vehicle"][4:6]) if order else (None, None)
