"""The firmware's own link against this server, over a real WebSocket on the loopback interface."""

import asyncio

from doorward_protocol import merkle, objects
from doorward_server.alarms.models import Alarm
from doorward_server.handovers.models import Handover
from doorward_server.link.models import Head, Leaf
from doorward_server.security.roles import Role
from doorward_server.units.models import Unit
from firmware_unit import serving, until
from sqlmodel import col, select


def test_the_firmware_fetches_reports_and_obeys(app, services, firmware, port, day, delivery, log_in):
    asyncio.run(play(app, services, firmware, port, day, delivery, log_in))


async def play(app, services, firmware, port, day, delivery, log_in):
    link = asyncio.create_task(firmware.link.run())
    van, bank = day.bank.vehicles[0], day.bank
    try:
        with serving(app, port):
            # It fetches what its manifest lists, and the server knows that it holds it.
            await until(firmware.desired.is_complete)
            assert [order["task"] for order in firmware.desired.orders()] == [day.tasks[0]]
            assert {bank.crew[0].id, bank.officers["north"].id} <= set(firmware.desired.roster())
            await until(lambda: row_of(services, firmware).actual_complete)
            assert row_of(services, firmware).online
            # What it records is projected, and acknowledged by a receipt that it verifies.
            nonce = bytes(8)
            firmware.append(
                "vehicle", task=day.tasks[0], nonce=nonce, vehicle=van.id, epc=van.epc, tid=van.tid,
                order_version=1, manifest=firmware.desired.version, last_contact=0,
            )  # fmt: skip
            people = [person.id for person in bank.crew[:2]]
            firmware.append("crew", task=day.tasks[0], nonce=nonce, people=people, picture=None)
            firmware.link.head_now()
            await until(lambda: firmware.journal.acknowledged == firmware.journal.size)
            # The officer's decision arrives as a command that it accepts.
            handover = await asyncio.to_thread(handover_of, services)
            officer = log_in(bank.users[Role.OFFICER])
            answer = await asyncio.to_thread(
                officer.post, f"/api/handovers/{handover.id}/decide", json={"approve": True, "head_count": 2}
            )
            assert answer.status_code == 200, answer.text
            await until(lambda: firmware.commands)
            assert firmware.commands[0]["verb"] == objects.APPROVE
            assert firmware.commands[0]["nonce"] == nonce
        # The server is gone; records go on, and follow when it is back: none lost, none twice.
        await until(lambda: not firmware.link.online)
        for number in range(60):
            firmware.append("door", door=1 + number % 2, event=1, cause=1)
        with serving(app, port):
            firmware.link.connect_now()
            await until(lambda: firmware.journal.acknowledged == firmware.journal.size)
    finally:
        while not link.done():  # CPython 3.11's wait_for may swallow a cancellation
            link.cancel()
            await asyncio.wait({link}, timeout=0.1)
    with services.database.reading() as session:
        mine = session.exec(select(Leaf).where(Leaf.unit_id == firmware.id).order_by(col(Leaf.index))).all()
        assert [leaf.entry for leaf in mine] == [entry for _, entry in firmware.journal.entries(0, 1000)]
        head = session.exec(select(Head).order_by(col(Head.size).desc())).first()
        assert (head.size, head.root) == (len(mine), merkle.root_of([leaf.leaf_hash for leaf in mine]))
        rules = set(session.exec(select(Alarm.rule).where(Alarm.unit_id == firmware.id)))
        assert rules <= {"unit_offline"}


def row_of(services, firmware) -> Unit:
    with services.database.reading() as session:
        return session.get(Unit, firmware.id)


def handover_of(services) -> Handover:
    with services.database.reading() as session:
        return session.exec(select(Handover)).one()
