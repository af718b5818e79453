"""Couriers beside a running server: they tell at once, begin with what was left over, and hold up nobody."""

import subprocess
import sys
import threading

import pytest
from doorward_server.alarms import service as alarms
from doorward_server.alarms.models import Alarm
from doorward_server.notify import waiting
from doorward_server.notify.couriers import Couriers
from doorward_server.notify.delivery import Delivery
from doorward_server.notify.models import Notice
from doorward_server.notify.targets import Target
from notify_receiver import receiving
from sqlmodel import select
from stored import count
from unit_client import eventually


@pytest.fixture
def receiver():
    with receiving() as running:
        yield running


@pytest.fixture
def hanging():
    with receiving() as running:
        running.usual = running.hang
        yield running


@pytest.fixture
def settings(settings, receiver, hanging):
    settings.notify = (
        Target.model_validate(hanging.json_target(alarms="warning", name="hangs")),
        Target.model_validate(receiver.json_target(alarms="warning")),
    )
    return settings


@pytest.fixture
def alarm(services):
    """alarm(occurrence) -> it is raised, and in the outbox for both targets."""

    def begin(occurrence):
        with services.database.writing() as session:
            alarms.raise_alarm(session, "printing_failed", occurrence=occurrence)

    return begin


@pytest.fixture
def left_over(services, clock, alarm):
    """What a server that was killed has not told."""
    alarm("before the kill")
    with services.database.writing() as session:
        session.add(Notice(target="removed", kind="alarm", key="x", time=clock.milliseconds()))


@pytest.mark.shows("F13")
def test_what_was_left_over_is_told_and_then_what_is_new(
    left_over, server, receiver, hanging, alarm, services
):
    assert eventually(lambda: receiver.requests and hanging.requests)
    alarm("while it runs")
    assert eventually(lambda: len(receiver.requests) == 2)
    assert server.get("/login").status_code == 200
    assert eventually(lambda: count(services, Notice) == 2), "those of the one that hangs"


def test_the_end_waits_for_no_receiver(hanging, alarm, services):
    couriers = Couriers(services)
    alarm("1")
    couriers.wake("hangs")
    assert eventually(lambda: hanging.requests)
    couriers.end()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("notify-")]
    assert "hangs" in [notice.target for notice in _rows(services)], "it comes again after the next start"
    couriers.wake("hangs")  # of no use, and no harm


def test_a_database_that_fails_for_a_moment_ends_no_courier(monkeypatch, server, receiver, alarm, caplog):
    monkeypatch.setattr("doorward_server.notify.couriers.RETRY_SECONDS", 0.01)
    failures = [OSError("the disk is full"), OSError("the disk is full")]

    async def broken(delivery):
        if failures:
            raise failures.pop()
        return await original(delivery)

    original = Delivery.round
    monkeypatch.setattr(Delivery, "round", broken)
    alarm("1")
    assert eventually(lambda: receiver.requests)
    assert "the outbox cannot be read or written" in caplog.text


def test_targets_that_are_gone_leave_nothing_behind(services, clock):
    with services.database.writing() as session:
        session.add(Notice(target="gone", kind="alarm", key="x", time=clock.milliseconds()))
        waiting.refused(session, Target.model_construct(name="gone"), list(session.exec(select(Notice))))
        session.add(Notice(target="gone", kind="alarm", key="y", time=clock.milliseconds()))
        failing = {"target": "gone", "trouble": "status", "number": 404}
        key = alarms.raise_alarm(session, "notify_failing", occurrence="gone.1", **failing).key
    assert waiting.forget_others(services, ["soc"]) == 1
    assert waiting.forget_others(services, ["soc"]) == 0
    with services.database.reading() as session:
        assert session.get_one(Alarm, key).ended is not None


def _rows(services):
    with services.database.reading() as session:
        return session.exec(select(Notice)).all()


def test_only_a_server_that_tells_somebody_loads_an_http_client():
    """It would take longer than all of the database's models, with every command."""
    loads = "import sys; from doorward_server.app import domain_routes; domain_routes()"
    command = [sys.executable, "-c", f"{loads}; print('httpx' in sys.modules)"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"
