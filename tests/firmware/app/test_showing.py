"""Screens and speaker: the newest wish is drawn, comparisons come back, the urgent is heard at once."""

import asyncio

import pytest
from doorward_firmware import display as displays
from doorward_firmware.display import Display
from doorward_firmware.drivers.errors import DriverError
from doorward_firmware.logic import events
from doorward_firmware.prompts import Prompts
from doorward_protocol import errors
from doorward_protocol.errors import ProtocolError
from doorward_protocol.prompts import NUMBERS
from doorward_protocol.records import PANEL_INNER, PANEL_OUTER


class Blobs:
    """Bitmaps by name: (width, height); clips are texts."""

    def __init__(self, **bitmaps):
        self.content = {
            name: width.to_bytes(2, "big") + height.to_bytes(2, "big") + bytes(2 * width * height)
            for name, (width, height) in bitmaps.items()
        }

    def has(self, name):
        return name in self.content

    def size(self, name):
        return len(self.content[name])

    def read(self, name, offset, length):
        return self.content[name][offset : offset + length]

    def chunks(self, name):
        return name


class Screen:
    """Remembers what was drawn as (what, x, y, width, height)."""

    name, width, height = "screen", 240, 320

    def __init__(self):
        self.drawn, self.broken = [], False

    async def clear(self, color):
        if self.broken:
            raise DriverError(errors.SCREEN_FAILED, "dark")
        self.drawn.append("clear")

    async def bitmap(self, x, y, width, height, chunks):
        assert sum(len(chunk) for chunk in chunks) == 2 * width * height
        self.drawn.append((x, y, width, height))

    async def rectangle(self, x, y, width, height, color):
        self.drawn.append("figure")


def show(monkeypatch, screen, blobs, *wishes, turns=30):
    """Run a Display through wishes; page times pass at once. Returns what was reported."""
    told = []
    monkeypatch.setattr(displays, "_PAGE_MS", 1)

    async def main():
        shown = Display(screen, blobs, lambda *fault: told.append(fault))
        task = asyncio.create_task(shown.run())
        for wish in wishes:
            wish(shown)
            for _ in range(turns):
                await asyncio.sleep(0.0005)
        task.cancel()

    asyncio.run(main())
    return told


def test_a_prompt_with_its_label(monkeypatch):
    screen, blobs = Screen(), Blobs(picture=(240, 240), label=(240, 32))
    show(monkeypatch, screen, blobs, lambda d: d.prompt("picture", "label"))
    assert screen.drawn == ["clear", (0, 0, 240, 240), (0, 256, 240, 32)]


def test_what_is_not_here_or_does_not_fit_is_left_out(monkeypatch):
    screen, blobs = Screen(), Blobs(huge=(400, 10), low=(240, 100))
    blobs.content["short"] = blobs.content["low"][:-2]
    show(
        monkeypatch, screen, blobs, lambda d: d.prompt("huge", "missing"), lambda d: d.prompt("short", "low")
    )
    assert screen.drawn == ["clear", "clear"]


@pytest.mark.parametrize("stub", [b"", b"\0\1", bytes(4)], ids=["empty", "no head", "no pixel"])
def test_a_bitmap_without_a_pixel_is_left_out(monkeypatch, stub):
    """Nothing may end the display's task, or the officer could not compare anybody for up to a minute."""
    screen, blobs = Screen(), Blobs(label=(240, 32))
    blobs.content["stub"] = stub
    told = show(monkeypatch, screen, blobs, lambda d: d.prompt("stub", "label"))
    assert screen.drawn == ["clear", (0, 256, 240, 32)]
    assert told == [("screen", 0)]


def test_a_comparison_turns_pages_and_comes_back_after_a_prompt(monkeypatch):
    screen = Screen()
    blobs = Blobs(one=(240, 32), two=(240, 32), photo=(120, 160), prompt=(240, 240), now=(160, 120))
    pages = [("one", "photo", "now"), ("two", "photo", None)]
    show(monkeypatch, screen, blobs, lambda d: d.compare(pages, 2))
    assert screen.drawn.count((60, 36, 120, 160)) > 3  # photos, again and again
    assert (40, 200, 160, 120) in screen.drawn
    assert screen.drawn[:9].count("figure") == 4  # two people, head and shoulders
    screen.drawn.clear()
    show(
        monkeypatch,
        screen,
        blobs,
        lambda d: d.compare(pages, 2),
        lambda d: d.prompt("prompt", None),
        lambda d: d.compare((), 0),
    )
    at = screen.drawn.index((0, 0, 240, 240))
    assert (60, 36, 120, 160) in screen.drawn[at:]


def test_a_preview_that_goes_while_it_is_drawn_ends_only_its_page(monkeypatch):
    class Going(Blobs):
        def read(self, name, offset, length):
            if name == "now" and offset > 4:
                raise ProtocolError(errors.ORDER_INCOMPLETE, "blob")
            return super().read(name, offset, length)

    screen, blobs = Screen(), Going(now=(160, 120), prompt=(240, 240))
    told = show(
        monkeypatch,
        screen,
        blobs,
        lambda d: d.compare([(None, None, "now")], 1),
        lambda d: d.prompt("prompt", None),
    )
    assert (0, 0, 240, 240) in screen.drawn
    assert told == [("screen", 0)]


def test_a_screen_that_fails_is_told_and_tried_again(monkeypatch):
    screen, blobs = Screen(), Blobs(picture=(240, 240))
    screen.broken = True
    told = show(monkeypatch, screen, blobs, lambda d: d.prompt("picture", None))
    assert told == [("screen", errors.SCREEN_FAILED, "dark")]


class Speaker:
    def __init__(self):
        self.said = []

    def play(self, chunks):
        self.said.append(chunks)

    def stop(self):
        self.said.append("silence")


class Desired:
    """A prompt pack in which every number has a clip of its own, one person and one vehicle."""

    def prompts(self):
        return {number: (f"clip{number}", f"picture{number}") for number in NUMBERS.values()}

    def roster(self):
        return {11: {"clip": "name", "label": "label", "photo": "photo"}}

    def order(self, task):
        return {"vehicle": [9, "plate", b"", b"", "plate clip", "plate label"]} if task == 7 else None


class Panel:
    def __init__(self):
        self.prompts = []

    def prompt(self, picture, label):
        self.prompts.append((picture, label))


def prompts_of():
    desired, speaker, panels = Desired(), Speaker(), (Panel(), Panel())
    blobs = Blobs()
    for name in [clip for clip, _ in desired.prompts().values()] + ["name", "plate clip"]:
        blobs.content[name] = b""
    return Prompts(speaker, *panels, blobs, desired, print), speaker, panels


def test_a_prompt_is_followed_by_the_name():
    prompts, speaker, panels = prompts_of()
    prompts.say(NUMBERS["officer_verified"], (events.PERSON, 11))
    assert speaker.said == ["clip27", "name"]
    prompts.say(NUMBERS["vehicle_arrived"], (events.VEHICLE, 7))
    assert speaker.said[2:] == ["clip2", "plate clip"]
    prompts.say(NUMBERS["finger_accepted"], (events.PERSON, 99))  # nobody knows the name
    assert speaker.said[4:] == ["clip4"]
    prompts.show(PANEL_INNER, NUMBERS["vehicle_arrived"], (events.VEHICLE, 7))
    prompts.show(PANEL_OUTER, NUMBERS["touch_finger"], None)
    assert panels[1].prompts == [("picture2", "plate label")]
    assert panels[0].prompts == [("picture3", None)]


def test_the_urgent_silences_what_was_being_said():
    prompts, speaker, _ = prompts_of()
    prompts.say(NUMBERS["bring_boxes"], None)
    prompts.say(NUMBERS["box_foreign"], None)
    assert speaker.said == ["clip13", "silence", "clip17"]


def test_a_clip_that_is_not_here_stays_silent():
    prompts, speaker, _ = prompts_of()
    prompts._blobs.content.clear()
    prompts.say(NUMBERS["bring_boxes"], None)
    assert speaker.said == []
