"""A restored server is older than its units: what they deliver, hold and are given from then on (S23).

The firmware's own link plays the unit, so that what is shown here holds without a word about it in the unit.
"""

import asyncio

import pytest
import server_bank
from doorward_protocol import records
from doorward_server.alarms.models import Alarm
from doorward_server.app import create_app
from doorward_server.audit import service as audit
from doorward_server.audit.models import Decision
from doorward_server.audit.verifier import Finding, Leaf, check
from doorward_server.backup import making
from doorward_server.backup.archive import Manifest
from doorward_server.backup.restore import restore
from doorward_server.backup.settle import settle
from doorward_server.handovers.models import Handover
from doorward_server.handovers.rebuild import rebuild
from doorward_server.link.models import Head
from doorward_server.link.models import Leaf as StoredLeaf
from doorward_server.people import service as people
from doorward_server.people.models import Person
from doorward_server.planning import service as planning
from doorward_server.planning.models import Stop
from doorward_server.security import sessions
from doorward_server.security.models import User
from doorward_server.units import manifests
from doorward_server.units.models import Unit
from fastapi.testclient import TestClient
from firmware_unit import delivered, running, serving, until
from sqlmodel import col, select
from stored import rows

pytestmark = pytest.mark.shows("S23")


def vehicle(firmware, day, task, order_version=1):
    """The van of a task arrives, and its crew is complete."""
    van, nonce = day.bank.vehicles[0], firmware.suite.random(8)
    firmware.append(
        "vehicle", task=task, nonce=nonce, vehicle=van.id, epc=van.epc, tid=van.tid,
        order_version=order_version, manifest=firmware.desired.version, last_contact=0,
    )  # fmt: skip
    firmware.append(
        "crew", task=task, nonce=nonce, people=[one.id for one in day.bank.crew[:2]], picture=None
    )
    return nonce


def close(firmware, day, task, nonce, order_version=1):
    """The handover is closed, and the van leaves."""
    officer, crew = day.bank.officers["north"].id, day.bank.crew[0].id
    firmware.append(
        "closed", task=task, nonce=nonce, officer=officer, crew=crew, boxes=2, order_version=order_version
    )
    firmware.append("left", task=task, nonce=nonce)


def plan_another(services, day, hours: int) -> int:
    """Plan and release a run that comes to the north so many hours from now; returns its task there."""
    with services.database.writing() as session:
        first, second = (session.get_one(User, one.id) for one in (day.bank.dispatcher, day.bank.dispatcher2))
        now = services.clock.now()
        stops = (server_bank.stop(day.bank, now, "north", hours=hours, boxes=(4, 5)),)
        run = planning.create_run(session, first, server_bank.plan(day.bank, now, stops=stops))
        planning.release_approve(session, second, planning.release_request(session, first, run))
        return session.exec(select(Stop.id).where(Stop.run_id == run.id)).one()


def entries_of(firmware) -> list[bytes]:
    return [entry for _, entry in firmware.journal.entries(0, 10_000)]


def stored(services, firmware) -> list[bytes]:
    with services.database.reading() as session:
        query = select(StoredLeaf.entry).where(StoredLeaf.unit_id == firmware.id)
        return list(session.exec(query.order_by(col(StoredLeaf.epoch), col(StoredLeaf.index))))


def names_of(firmware) -> list[str]:
    return [records.decode(entry).name for entry in entries_of(firmware)]


def browser(app, user) -> TestClient:
    """A browser in which somebody is logged in at a server that was started anew."""
    with app.state.doorward.database.writing() as session:
        token = sessions.begin(session, session.get_one(User, user.id))
    opened = TestClient(app, headers={"x-csrf-token": sessions.csrf_token(token)})
    opened.cookies.set(sessions.COOKIE, token)
    return opened


def critical(services) -> set[str]:
    with services.database.reading() as session:
        return set(session.exec(select(Alarm.rule).where(Alarm.severity == "critical")))


def test_a_restored_server_and_its_units(app, settings, services, firmware, port, day, clock):
    asyncio.run(play(app, settings, services, firmware, port, day, clock))


async def play(app, settings, services, firmware, port, day, clock):
    first = day.tasks[0]
    async with running(firmware):
        with serving(app, port):
            await until(firmware.desired.is_complete)
            nonce = vehicle(firmware, day, first)
            await delivered(firmware)
            path, _ = await asyncio.to_thread(making.make, services, settings.backups)
            known_by_backup = len(stored(services, firmware))
            # What the backup does not know: the end of that handover, a second run and its whole handover,
            # somebody who leaves, and newer manifests; an auditor has kept a head.
            clock.pass_time(seconds=9)  # no more: a unit sets its clock when it connects
            close(firmware, day, first, nonce)
            await delivered(firmware)
            lost = await asyncio.to_thread(plan_another, services, day, 4)
            await until(lambda: firmware.desired.order(lost) and firmware.desired.is_complete())
            close(firmware, day, lost, vehicle(firmware, day, lost))
            for number in range(300):  # more than from one head to the next
                firmware.append("door", door=1 + number % 2, event=1, cause=1)
            await delivered(firmware)
            with services.database.writing() as session:
                people.remove_person(session, None, session.get_one(Person, day.bank.crew[3].id))
                last = audit.head(session)
                assert last is not None
                kept_head, before_loss = last.head, last.index
        version = firmware.desired.version
        assert version == rows(services, Unit.manifest_version)[-1]
        numbers = max(rows(services, StoredLeaf.id))
        services.database.close()
        clock.pass_time(hours=1)
        done = await asyncio.to_thread(restore, settings, path, clock)
        assert (done.settled.people, done.list_found) == (1, True)
        app = create_app(settings, clock)
        services = app.state.doorward
        assert len(stored(services, firmware)) == known_by_backup < len(entries_of(firmware))
        with serving(app, port):
            firmware.link.connect_now()
            await until(lambda: stored(services, firmware) == entries_of(firmware))
            await until(lambda: max(rows(services, Head.size)) == firmware.journal.size)
            # Nothing is missing: both handovers are there, the lost one as what it is.
            found = dict(rows(services, Handover.task, Handover.state))
            assert found == {first: "left", lost: "left"}
            assert dict(rows(services, Handover.task, Handover.id))[lost] > numbers  # which others know
            assert critical(services) == {"restored"}
            justified = {"lost_plan", "restored", "unit_offline", "clock_jump"}  # the test let an hour pass
            assert set(rows(services, Alarm.rule)) <= justified
            # The unit works on with what it holds, and has refused nothing.
            assert (firmware.desired.version, bool(firmware.desired.order(lost))) == (version, True)
            assert "refusal" not in names_of(firmware)
            assert "epoch" not in names_of(firmware)
            # What is planned from now on has numbers that the unit has never met. It waits with all others.
            again = await asyncio.to_thread(plan_another, services, day, 8)
            assert again > lost
            await delivered(firmware)
            assert firmware.desired.version == version
            assert "refusal" not in names_of(firmware)
            # Two people go on: the next manifest is taken, and lists the plan as the server knows it.
            answer = await asyncio.to_thread(go_on, app, day)
            assert answer == 200
            await until(lambda: firmware.desired.version > version and firmware.desired.is_complete())
            assert firmware.desired.order(lost) is None
            assert firmware.desired.order(again)
            assert day.bank.crew[3].id not in firmware.desired.roster()
            await delivered(firmware)
            assert "refusal" not in names_of(firmware)
        with services.database.writing() as session:
            assert rebuild(session).differences == []
        with services.database.reading() as session:
            assert audit.verify(session) == []
            key = audit.journal_key(session)
            leaves = [Leaf(*row) for row in session.exec(audit_rows())]
            restored_at = done.manifest.decisions
            assert check(leaves, services.suite, key.kid, key.public, kept_head) == [
                Finding(restored_at, "known_head_restored")
            ]
            assert before_loss >= restored_at
        services.database.close()


def audit_rows():
    return select(Decision.index, Decision.leaf_hash, Decision.entry, Decision.head).order_by(
        col(Decision.index)
    )


def go_on(app, day) -> int:
    """Both dispatchers, through the API."""
    asker, second = browser(app, day.bank.dispatcher), browser(app, day.bank.dispatcher2)
    approval = asker.post("/api/restore/confirmation").json()["approval"]
    return second.post(f"/api/approvals/{approval}/decision", json={"approve": True}).status_code


def test_until_two_people_go_on_the_keeper_has_nothing_to_wait_for(services, day, clock):
    """Else it would look again and again at manifests that are stale and must not be renewed."""
    with services.database.writing() as session:
        settle(session, Manifest(clock.milliseconds(), "0002", "", 0, {}), [], {})
    clock.pass_time(hours=20)
    with services.database.writing() as session:
        assert manifests.next_boundary(session) is None
        assert manifests.compile_manifest(session, session.get_one(Unit, day.unit)) is None
