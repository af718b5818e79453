"""What a unit's status does to what pages show of it: its clock, and that they are told."""

from doorward_protocol import records
from doorward_server.link import state
from doorward_server.units.models import Unit


def told(branch, changes, first=False):
    """A status of the unit, without trouble but for `changes`."""
    now = branch.clock.milliseconds()
    fields = {
        "manifest": 1, "epoch": 1, "size": 5, "acknowledged": 0, "clock": records.CLOCK_SURE, "time": now,
        "firmware": "1.0", "health": [],
    }  # fmt: skip
    state.note_status(branch.session, branch.unit.id, fields | changes, now, first)
    branch.session.commit()


def test_pages_are_told_when_a_status_says_something_new(branch, services):
    told(branch, {})
    heard = []
    services.live.publish = lambda topic, payload: heard.append((topic, payload["name"]))
    for changes, expected in (
        ({}, 0),
        ({"time": branch.clock.milliseconds() + 700}, 0),
        ({"health": ["camera: camera_failed"]}, 1),
        ({"health": ["camera: camera_failed"]}, 0),
        ({}, 1),
        ({"firmware": "1.1"}, 1),
        ({"firmware": "1.1", "clock": records.CLOCK_UNSURE}, 2),  # and the alarm
    ):
        heard.clear()
        told(branch, changes)
        assert len(heard) == expected, (changes, heard)


def test_the_first_status_of_a_connection_says_nothing_bad_about_the_clock(branch):
    def clock_after(first, clock, ahead):
        told(branch, {"clock": clock, "time": branch.clock.milliseconds() + ahead}, first)
        kept = branch.session.get_one(Unit, branch.unit.id)
        return kept.clock_offset, kept.clock_sure

    assert clock_after(True, records.CLOCK_SURE, 100) == (100, True)
    assert clock_after(True, records.CLOCK_UNSURE, -10_000_000) == (100, True)
    assert clock_after(True, records.CLOCK_SURE, 60_001) == (100, True)
    assert clock_after(False, records.CLOCK_UNSURE, -10_000_000) == (-10_000_000, False)
