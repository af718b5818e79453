"""Notifications of what units report: put into the outbox with it, told once, and silent ones told to few."""

import pytest
from doorward_protocol import errors
from doorward_server.alarms.models import Alarm
from doorward_server.backup import numbers
from doorward_server.backup.archive import Manifest
from doorward_server.backup.settle import settle
from doorward_server.handovers.models import Handover, HandoverEvent
from doorward_server.handovers.rebuild import rebuild
from doorward_server.link import batch
from doorward_server.link.models import Leaf
from doorward_server.notify.models import Notice
from doorward_server.notify.targets import Target
from doorward_server.notify.wording import compose
from doorward_server.units.models import Unit
from notify_receiver import SECRET
from sqlmodel import col, delete, select
from stored import count


@pytest.fixture
def targets(services, monkeypatch):
    """targets(settings of each, without address) -> the server has them; nobody delivers."""

    def begin(*given):
        usual = {"kind": "json", "address": "http://127.0.0.1:9/", "secret": SECRET, "language": "en"}
        found = tuple(Target.model_validate(usual | one) for one in given)
        monkeypatch.setattr(services.settings, "notify", found)
        return found

    return begin


@pytest.fixture
def outbox(services):
    """outbox() -> (target, kind, text) of what waits, in its order."""

    def look():
        named = {target.name: target for target in services.settings.notify}
        with services.database.reading() as session:
            return [
                (notice.target, notice.kind, message.text)
                for notice in session.exec(select(Notice).order_by(col(Notice.id)))
                if (message := compose(session, named[notice.target], notice))
            ]

    return look


@pytest.fixture
def arrive(online, delivery, day):
    """arrive() -> the van arrives, and its record is stored."""

    def begin(**fields):
        van = day.bank.vehicles[0]
        delivery.arrive(van.id, van.epc, van.tid, **fields)
        online.store_all()

    return begin


@pytest.mark.shows("F13")
def test_an_arrival_is_told_to_those_who_want_it(targets, outbox, arrive, day):
    targets(
        {"name": "all", "arrivals": True},
        {"name": "alarms"},
        {"name": "zh", "arrivals": True, "language": "zh"},
    )
    arrive()
    plate, site = day.bank.vehicles[0].plate, day.bank.sites["north"]
    assert outbox() == [
        ("all", "arrival", f"{site.name_en}: the van has arrived, plate {plate}, 03-02 06:00."),
        ("zh", "arrival", f"{site.name_zh}：押款车到达，车牌{plate}，03-02 06:00。"),
    ]


def test_an_alarm_names_the_plate_and_why(targets, outbox, online, arrive, delivery, day):
    targets({"name": "soc", "language": "zh"}, {"name": "calm", "alarms": "critical"})
    van = day.bank.vehicles[1]
    online.say("vehicle_refused", task=None, epc=van.epc, tid=van.tid, reason=errors.EARLY_VEHICLE)
    arrive()
    delivery.freeze(errors.TIMED_OUT)
    online.store_all()
    site = day.bank.sites["north"].name_zh
    assert outbox() == [
        ("soc", "alarm", f"【严重】{site}：车辆提前到达，车牌{van.plate}，03-02 06:00。"),
        (
            "soc",
            "alarm",
            f"【严重】{site}：交接已冻结（超时），车牌{day.bank.vehicles[0].plate}，03-02 06:00。",
        ),
    ]


@pytest.mark.shows("F13", "D9")
def test_a_silent_alarm_is_told_only_where_a_target_says_so(
    targets, outbox, online, arrive, delivery, services
):
    targets(
        {"name": "branch-group", "alarms": "info", "arrivals": True},
        {"name": "police", "alarms": "critical", "silent": True},
    )
    arrive()
    delivery.finger(delivery.crew[0], duress=True, picture=bytes(32))
    online.store_all()
    told = [(target, text) for target, kind, text in outbox() if kind == "alarm"]
    ((target, text),) = told
    assert target == "police"
    assert "Duress finger" in text
    assert text.endswith("(silent: do not let the site know).")
    with services.database.reading() as session:
        rows = session.exec(select(Notice.target, Notice.kind)).all()
    assert sorted(rows) == [("branch-group", "arrival"), ("police", "alarm")]


@pytest.mark.shows("F13", "D11")
def test_nothing_is_told_of_people_boxes_or_pictures(targets, arrive, online, delivery, services, day):
    (target,) = targets({"name": "soc", "alarms": "info", "arrivals": True})
    arrive()
    delivery.finger(delivery.crew[0], picture=bytes(range(32)))
    delivery.crew_complete()
    delivery.approve()
    delivery.read_boxes(missing=1)
    online.say(
        "foreign_box",
        task=delivery.task,
        nonce=delivery.nonce,
        epc=day.bank.boxes[2].epc,
        tid=None,
        reason=errors.FOREIGN_BOX,
    )
    online.store_all()
    with services.database.reading() as session:
        told = repr([compose(session, target, notice) for notice in session.exec(select(Notice))])
    assert "missing_box" in told
    assert "foreign_box" in told
    people = [*day.bank.crew, day.bank.officers["north"]]
    private = [one for person in people for one in (person.name_zh, person.name_en, person.staff_number)]
    private += [one for box in day.bank.boxes for one in (box.number, box.epc.hex())]
    for one in (*private, bytes(range(32)).hex(), "finger_id", "score"):
        assert one not in told


@pytest.mark.shows("F13")
def test_a_rebuild_tells_nothing_again(targets, outbox, online, arrive, services):
    targets({"name": "soc", "alarms": "info", "arrivals": True})
    arrive()
    online.say("sensor", name="camera", reason=errors.CAMERA_FAILED, detail="")
    online.store_all()
    before = outbox()
    assert len(before) == 2
    with services.database.writing() as session:
        assert rebuild(session).differences == []
    assert outbox() == before
    for index in range(len(online.entries)):
        online.send_record(index)
    online.store_all()
    assert outbox() == before


def test_what_is_not_stored_is_not_told(targets, services, online, arrive, monkeypatch):
    """The notice is written by the transaction of its cause, and goes with it."""
    targets({"name": "soc", "arrivals": True})

    def fails(*_):
        raise OSError("the disk is full")

    original = batch.store
    monkeypatch.setattr("doorward_server.link.ingest.store", lambda *given: (original(*given), fails()))
    with pytest.raises(Exception):  # noqa: B017, PT011 - the unit is disconnected
        arrive()
    assert count(services, Notice) == 0
    assert count(services, Alarm) == 0


def test_what_happened_long_ago_is_not_told_when_its_unit_comes_back(
    targets, outbox, online, delivery, day, clock
):
    targets({"name": "soc", "alarms": "info", "arrivals": True})
    now, van = clock.milliseconds(), day.bank.vehicles[0]
    delivery.arrive(van.id, van.epc, van.tid, time=now - 86_400_000)
    online.say("sensor", name="camera", reason=errors.CAMERA_FAILED, detail="", time=now - 86_400_000)
    online.say(
        "sensor", name="gate_reader", reason=errors.READER_SILENT, detail="", time=now - 8 * 86_400_000
    )
    online.store_all()
    ((_, kind, text),) = [one for one in outbox() if "skipped" not in one[2]]
    assert kind == "alarm"
    assert "03-01 06:00 (told late)" in text


def test_a_clock_that_is_unsure_says_so_and_ages_nothing(targets, outbox, online, delivery, day, clock):
    targets({"name": "soc", "alarms": "none", "arrivals": True})
    van = day.bank.vehicles[0]
    delivery.arrive(van.id, van.epc, van.tid, time=clock.milliseconds() - 86_400_000, clock=1)
    online.store_all()
    ((_, _, text),) = outbox()
    assert text.endswith("03-02 06:00 (the unit's clock is unsure).")


def test_what_a_restored_server_tells_again_has_the_id_that_receivers_know(targets, branch, services):
    """The records come again, under other numbers."""
    (target,) = targets({"name": "soc", "alarms": "info", "arrivals": True})
    session = branch.session

    def told() -> dict[str, str]:
        branch.arrive()
        branch.step("frozen", reason=errors.TIMED_OUT)
        session = branch.session
        notices = session.exec(select(Notice).order_by(col(Notice.id))).all()
        messages = [compose(session, target, notice) for notice in notices]
        return {message.id: notice.key for message, notice in zip(messages, notices, strict=True) if message}

    first = told()
    for table in (Notice, Alarm, HandoverEvent, Handover, Leaf):
        session.exec(delete(table))
    settle(session, Manifest(branch.clock.milliseconds(), "", "", 0, {}), [], {})
    session.commit()
    numbers.give_from_here(services)
    branch._count = 0
    with services.database.writing() as branch.session:
        branch.unit = branch.session.exec(select(Unit)).one()
        again = told()
    assert list(again) == list(first)
    assert len(again) == 2
    assert set(again.values()).isdisjoint(first.values())
