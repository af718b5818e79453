"""A restored server lacks what it once had: units are asked, and what is gone for ever stops nobody."""

import asyncio

import pytest
from doorward_protocol import errors, records
from doorward_server.alarms.models import Alarm
from doorward_server.handovers.models import HandoverEvent
from doorward_server.link import links
from doorward_server.link.models import Head, JournalEpoch, Leaf
from firmware_unit import delivered, running, serving, until
from sqlmodel import col, delete, select
from stored import door, rows

pytestmark = pytest.mark.shows("S23", "S25")


def answers_to_status(online, **fields) -> list[tuple[str, int]]:
    """What the unit is refused until the server has answered its next status too."""
    online.status(**fields)
    online.send("status", **{**STATUS, "nonce": b"nonce-02", "time": online.services.clock.milliseconds()})
    found = []
    while True:
        name, said = online.receive()
        if name == "refused":
            found.append((said["what"], said["reason"]))
        if name == "time" and said["nonce"] == b"nonce-02":
            return found


STATUS = {
    "manifest": 0,
    "epoch": 1,
    "size": 0,
    "acknowledged": 0,
    "clock": 0,
    "firmware": "test",
    "health": [],
}


def test_a_unit_with_a_receipt_for_more_than_is_here_is_asked_for_all_it_keeps(online):
    for _ in range(3):
        online.send_record(door(online))
    online.store_all()
    assert answers_to_status(online, size=9, acknowledged=9) == [("head", errors.BAD_SEQUENCE)]


@pytest.mark.parametrize("acknowledged", [0, 2, 3])
def test_a_unit_whose_records_are_here_is_asked_for_nothing(online, acknowledged):
    for _ in range(3):
        online.send_record(door(online))
    online.store_all()
    assert answers_to_status(online, size=9, acknowledged=acknowledged) == []


def test_a_new_unit_is_asked_for_nothing(online):
    assert answers_to_status(online, size=9, acknowledged=0) == []


@pytest.mark.parametrize("acknowledged", [0, 5])
def test_an_epoch_that_began_after_the_backup_leaves_open_what_came_before(online, acknowledged):
    online.send_record(door(online))
    online.store_all()
    asked = answers_to_status(online, epoch=2, size=5, acknowledged=acknowledged)
    assert asked == [("head", errors.BAD_SEQUENCE)]


def test_what_not_even_the_unit_has_any_more_is_left_behind_by_a_new_epoch(
    app, services, firmware, port, monkeypatch
):
    """A backup of more than seven days ago: the unit has given up some of what came since."""
    monkeypatch.setattr(links, "GAP_SECONDS", 0.3)
    asyncio.run(play(app, services, firmware, port))


async def play(app, services, firmware, port):
    async with running(firmware):
        with serving(app, port):
            for number in range(40):
                firmware.append("door", door=1 + number % 2, event=1, cause=1)
            await delivered(firmware)
        with services.database.writing() as session:  # the server is a week older now
            session.exec(delete(Leaf).where(col(Leaf.index) >= 5))
            session.exec(delete(HandoverEvent).where(col(HandoverEvent.index) >= 5))
            session.exec(delete(Head))
            for epoch in session.exec(select(JournalEpoch)):
                session.delete(epoch)
            session.flush()
            session.add(JournalEpoch(unit_id=firmware.id, epoch=1, size=5))
        kept = (1, 20)
        firmware.journal.first_kept = lambda: kept
        with serving(app, port):
            firmware.link.connect_now()
            await until(lambda: firmware.journal.epoch == 2)
            firmware.append("door", door=1, event=1, cause=1)
            await delivered(firmware)
    told = [records.decode(entry) for _, entry in firmware.journal.entries(0, 10)]
    assert (told[0].name, told[0].fields["previous_epoch"]) == ("epoch", 1)
    stored = rows(services, Leaf.epoch, Leaf.index)
    first = {index for epoch, index in stored if epoch == 1}
    assert first == {*range(5), *range(20, 40)} | {index for index in first if index >= 40}
    assert (2, 0) in stored
    assert {"journal_gap", "new_epoch"} <= set(rows(services, Alarm.rule))
    assert not {"journal_fork", "journal_back", "journal_changed"} & set(rows(services, Alarm.rule))
