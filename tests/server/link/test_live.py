"""The live feed: nobody waits for a slow page, nothing is told before it is committed."""

import asyncio
import threading

import pytest
from doorward_protocol import errors
from doorward_server import live
from doorward_server.live import Live
from doorward_server.units.models import Unit
from sqlmodel import select


def test_every_listener_hears_everything_in_order():
    async def play():
        feed = Live()
        with feed.subscribe() as one, feed.subscribe("door") as other:
            feed.publish("arrival", {"site": 1})
            feed.publish("door", {"site": 1})
            first, second = await one.next(), await one.next()
            assert (first["topic"], second["topic"]) == ("arrival", "door")
            assert await other.next() == second

    asyncio.run(play())


def test_a_slow_listener_loses_the_oldest_and_is_told():
    async def play():
        feed = Live()
        with feed.subscribe(size=3) as slow, feed.subscribe(size=10) as quick:
            for number in range(5):
                feed.publish("door", {"number": number})
            event = await slow.next()
            assert (event["number"], event["dropped"]) == (2, 2)
            assert "dropped" not in await slow.next()
            assert [(await quick.next())["number"] for _ in range(5)] == list(range(5))

    asyncio.run(play())


def test_publishing_from_another_thread_wakes_the_listener():
    async def play():
        feed = Live()
        with feed.subscribe() as subscription:
            threading.Timer(0.02, feed.publish, ("door", {})).start()
            event = await asyncio.wait_for(subscription.next(), 5)
            assert event["topic"] == "door"

    asyncio.run(play())


def test_a_closed_listener_costs_nothing():
    async def play():
        feed = Live()
        subscription = feed.subscribe()
        subscription.close()
        subscription.close()
        feed.publish("door", {})
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(subscription.next(), 0.01)

    asyncio.run(play())


def test_a_stopping_server_lets_its_listeners_go():
    async def play():
        feed = Live()
        with feed.subscribe() as subscription:
            threading.Timer(0.02, feed.close).start()
            with pytest.raises(live.LiveClosed):
                await asyncio.wait_for(subscription.next(), 5)

    asyncio.run(play())


def test_what_is_rolled_back_is_never_told(services, monkeypatch):
    told = []
    monkeypatch.setattr(services.live, "publish", lambda topic, _payload: told.append(topic))
    with services.database.writing() as session:
        session.exec(select(Unit)).all()
        live.publish(session, "door", {})
        session.rollback()
    assert told == []
    with services.database.writing() as session:
        live.publish(session, "closed", {})
        assert told == []
    assert told == ["closed"]


@pytest.fixture
def told(services, monkeypatch) -> list[dict]:
    """Everything that is published, in order."""
    heard = []
    publish = services.live.publish

    def hear(topic, payload):
        heard.append({**payload, "topic": topic})
        publish(topic, payload)

    monkeypatch.setattr(services.live, "publish", hear)
    return heard


@pytest.mark.shows("S22")
def test_each_step_of_a_delivery_is_told_with_its_topic(told, online, delivery, day):
    van = day.bank.vehicles[0]
    told.clear()
    delivery.arrive(van.id, van.epc, van.tid)
    delivery.finger(delivery.crew[0], picture=bytes(32), duress=True)
    delivery.crew_complete()
    delivery.approve()
    online.say("door", door=1, event=1, cause=1)
    delivery.read_boxes()
    delivery.close()
    delivery.leave()
    online.store_all()
    steps = [event for event in told if event["topic"] != "unit"]
    topics = [event["topic"] for event in steps]
    before_boxes = ["arrival", "alarm", "finger", "crew", "approval", "door", "boxes"]
    assert topics == [*before_boxes, "finger", "finger", "closed", "left"]
    arrival = steps[0]
    assert (arrival["name"], arrival["site"], arrival["state"]) == ("vehicle", 2, "arrived")
    assert arrival["speech"]["zh"] == [f"/api/speech/events/{arrival['event']}?language=zh"]
    assert arrival["received"] >= arrival["time"]
    finger = next(event for event in steps if event["topic"] == "finger")
    assert "duress" not in finger["details"]
    silent = steps[1]
    assert (silent["name"], silent["severity"], silent["site"]) == ("duress", "critical", None)


def test_an_early_record_is_told_at_once_and_again_in_its_place(told, online, delivery, day):
    van = day.bank.vehicles[0]
    online.append("storage", name="journal", used=1, total=100)
    online.append("vehicle_refused", task=1, epc=van.epc, tid=van.tid, reason=errors.EARLY_VEHICLE)
    online.send_record(1)
    online.send_record(0)
    online.store_all()
    refused = [event for event in told if event["topic"] == "refused"]
    assert [event.get("early", False) for event in refused] == [True, False]
    assert len([event for event in told if event["topic"] == "alarm"]) == 1
