"""Reading the boxes: a set, not a list (S5), with silence as its end (S8) and no patience for strangers (S7).

An attempt ends when every box of the order was read, or after BOX_SILENCE_MS without a new tag. A tag that is
not in the order, or whose chip is not the one bound to it, is reported at once and spoils the attempt. The
officer may have the boxes read again, twice; after that the handover freezes.

The record of an attempt has to fit the journal: a bag of strangers' tags is told as far as FOREIGN_BYTES go.
"""

from doorward_protocol.errors import FOREIGN_BOX, MISSING_BOX, TAG_COPIED
from doorward_protocol.objects import APPROVE
from doorward_protocol.records import PANEL_INNER

from doorward_firmware.logic import events, prompts
from doorward_firmware.logic.flows import FAILURE, SUCCESS, TIMEOUT
from doorward_firmware.logic.steps import record
from doorward_firmware.logic.value import sequence

FOREIGN_BYTES = 400  # of EPCs that are told in one attempt; it is spoiled by the first of them


def box_read(handover, event, now, settings):
    """A tag in the handover area. Without its TID a tag of the order proves nothing and is read again."""
    _, epc, tid = event
    if epc in handover.read or epc in handover.foreign or epc == handover.task.epc:
        return None, handover, ()
    bound = handover.task.box_tid(epc)
    if bound is not None and tid is None:
        return None, handover, ()
    wrong = bound is None or bound != tid
    if wrong and sum([len(each) + 2 for each in handover.foreign]) + len(epc) + 2 > FOREIGN_BYTES:
        return None, handover, ()
    handover = handover.but(deadline=now + settings["BOX_SILENCE_MS"])
    if wrong:
        reason = FOREIGN_BOX if bound is None else TAG_COPIED
        alarm = record(handover, "foreign_box", epc=epc, tid=tid, reason=reason)
        handover = handover.but(foreign=sequence(*handover.foreign, epc))
        return None, handover, sequence(alarm, *prompts.at(PANEL_INNER, "box_foreign"))
    handover = handover.but(read=sequence(*handover.read, epc))
    if len(handover.read) < len(handover.task.boxes):
        return None, handover, ()
    return _attempt_ended(handover, settings)


def boxes_silent(handover, settings):
    """No new tag for BOX_SILENCE_MS."""
    return _attempt_ended(handover, settings)


def _attempt_ended(handover, settings):
    expected = [epc for epc, _ in handover.task.boxes]
    missing = [epc for epc in expected if epc not in handover.read]
    boxes = record(
        handover,
        "boxes",
        expected=expected,
        read=list(handover.read),
        missing=missing,
        foreign=list(handover.foreign),
        attempt=handover.attempt,
    )
    effects = (boxes, (events.READ_BOXES, False))
    if not missing and not handover.foreign:
        return SUCCESS, handover, effects + prompts.at(PANEL_INNER, "boxes_complete")
    reason = FOREIGN_BOX if handover.foreign else MISSING_BOX
    name = "box_foreign" if handover.foreign else "box_missing"
    outcome = TIMEOUT if handover.attempt < settings["BOX_ATTEMPTS"] else FAILURE
    return outcome, handover.but(reason=reason), effects + prompts.at(PANEL_INNER, name)


def recount_button(handover, event, _now, _settings):
    """The officer has the boxes read again, or gives up."""
    return (SUCCESS if event[1] == APPROVE else FAILURE), handover, ()
