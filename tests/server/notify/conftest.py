"""A receiver, a server whose targets a test names, and its clockwork without threads."""

import asyncio

import pytest
from doorward_server.alarms import service as alarms
from doorward_server.notify.delivery import Delivery
from doorward_server.notify.models import Notice
from doorward_server.notify.targets import Target
from notify_receiver import receiving
from sqlmodel import col, select

SECONDS = 0.2  # what a receiver that hangs costs a test


@pytest.fixture
def receiver():
    with receiving() as running:
        yield running


@pytest.fixture
def deliver(services):
    """deliver(settings of a target) -> a round of its delivery, whose pauses have no chance in them."""

    def begin(given):
        target = Target.model_validate(given)
        services.settings.notify = (*services.settings.notify, target)
        delivery = Delivery(services, target, SECONDS, jitter=lambda: 1.0)
        return lambda: asyncio.run(delivery.round())

    return begin


@pytest.fixture
def alarm(services):
    """alarm(occurrence) -> raises an alarm of severity warning; returns its key."""

    def begin(occurrence="1", name="printing_failed", **details):
        with services.database.writing() as session:
            return alarms.raise_alarm(session, name, occurrence=occurrence, **details).key

    return begin


@pytest.fixture
def waiting(services):
    """waiting() -> the keys in the outbox, in their order."""

    def look():
        with services.database.reading() as session:
            return list(session.exec(select(Notice.key).order_by(col(Notice.id))))

    return look
