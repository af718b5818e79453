"""Signed commands to a unit: made, remembered, sent at once. One lives for seconds and is sent once."""

from typing import Any

from doorward_protocol import objects
from sqlmodel import Session

from doorward_server.database import after_commit
from doorward_server.handovers.models import Command
from doorward_server.problems import Problem
from doorward_server.security.models import User
from doorward_server.services import services_of
from doorward_server.units import authority
from doorward_server.units.line import line_of
from doorward_server.units.models import Unit

ID_BYTES = 16
NO_NONCE = bytes(8)


def number_of(user: User) -> int:
    """Who decided, as a unit's records say it: the person, or the login of somebody in no roster."""
    return objects.LOGIN + user.id if user.person_id is None else user.person_id


def send(session: Session, unit: Unit, verb: int, decided_by: list[int], **fields: Any) -> Command:
    """Sign a command and send it once the decision is committed. Raises 409 while the unit is offline.

    `decided_by`: see `number_of`; `fields`: task, nonce, picture, head_count, panel as in objects.OBJECTS.
    """
    services = services_of(session)
    line = line_of(services)
    if line is None or not line.is_online(unit.id):
        raise Problem(
            409,
            "unit_offline",
            "单元离线，命令无法送达。",
            "The unit is offline; a command cannot reach it.",
            "Decide at the inner panel, or wait until the unit is back. 请在主机面板处理，或等待恢复连接。",
        )
    now = services.clock.milliseconds()
    fields = {"task": 0, "nonce": NO_NONCE, **fields}
    command_id = services.random(ID_BYTES)
    expires = now + services.settings.command_seconds * 1000
    signed = authority.sign_command(
        services,
        unit=unit.kid,
        id=command_id,
        verb=verb,
        decided_by=decided_by,
        issued=now,
        expires=expires,
        **fields,
    )
    command = Command(
        id=command_id,
        unit_id=unit.id,
        verb=verb,
        task=fields["task"],
        nonce=fields["nonce"],
        decided_by=decided_by,
        issued=now,
        expires=expires,
        object=signed,
        sent=now,
    )
    session.add(command)
    session.flush()
    after_commit(session, lambda: line.send_command(unit.id, signed))
    return command
