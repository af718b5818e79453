"""What is said about a notice, in the target's language, when it is told: site, plate, what happened, when.

No more than that (D11): no boxes, no amounts, no people, no pictures.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from doorward_server import reasons
from doorward_server.alarms.models import Alarm
from doorward_server.alarms.rules import BY_NAME, title
from doorward_server.clock import from_milliseconds
from doorward_server.console.texts import LANGUAGES, text
from doorward_server.fleet.models import Site, Vehicle
from doorward_server.handovers.models import Handover, HandoverEvent
from doorward_server.notify.models import Notice, UntoldCount
from doorward_server.notify.outbox import ALARM
from doorward_server.notify.targets import Target
from doorward_server.services import services_of

LATE_MS = 600_000

# Chinese and English side by side. Plate and marks are left out where there are none.
TEXTS = {
    "alarm": (
        "【{severity}】{site}：{what}{plate}，{time}{marks}。",
        "[{severity}] {site}: {what}{plate}, {time}{marks}.",
    ),
    "arrival": (
        "{site}：押款车到达{plate}，{time}{marks}。",
        "{site}: the van has arrived{plate}, {time}{marks}.",
    ),
    "untold": (
        "自 {time} 起未送达：到达 {arrivals} 条，报警 {alarms} 条（过多、过时或被拒收）。请查看报警页面。",
        "Not told since {time}, arrivals: {arrivals}, alarms: {alarms} (too many, too old or refused). "
        "See the page of alarms.",
    ),
    "test": ("守门人 Doorward：测试消息。", "Doorward: test message."),
    "plate": ("，车牌{plate}", ", plate {plate}"),
    "centre": ("管理中心", "Centre"),
    "why": ("{what}（{reason}）", "{what} ({reason})"),
    "late": ("（迟报）", " (told late)"),
    "clock_unsure": ("（单元时钟不可信）", " (the unit's clock is unsure)"),
    "silent": ("（静默报警，勿向现场透露）", " (silent: do not let the site know)"),
}


class Message(NamedTuple):
    """One message. `id` is the same however often it is sent; `source`: its row in the outbox, if any."""

    id: str
    type: str
    time: int
    text: str
    data: dict[str, Any]
    source: Notice | UntoldCount | None = None


def compose(session: Session, target: Target, notice: Notice) -> Message | None:
    """The message of a notice; None if what it tells of is no longer there."""
    if notice.kind == ALARM:
        return _alarm(session, target, notice)
    return _arrival(session, target, notice)


def untold(session: Session, target: Target, count: UntoldCount) -> Message:
    """The message that says how much was not told."""
    data = {"arrivals": count.arrivals, "alarms": count.alarms}
    said = _say(session, target, "untold", time=_moment(session, count.since), **data)
    key = f"{count.since}.{count.arrivals}.{count.alarms}"
    return Message(_id(target, "untold", key), "notices.untold", count.since, said, data, count)


def test_message(target: Target, language: str, now: int) -> Message:
    """A message that says that it is a test."""
    said = TEXTS["test"][LANGUAGES.index(target.language or language)]
    return Message(_id(target, "test", str(now)), "test", now, said, {})


def iso(milliseconds: int) -> str:
    """A moment after RFC 3339, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def _alarm(session: Session, target: Target, notice: Notice) -> Message | None:
    alarm = session.get(Alarm, notice.key)
    if alarm is None:
        return None
    language, rule = _language(session, target), BY_NAME[alarm.rule]
    leaf = alarm.leaf_id
    event = None if leaf is None else session.get(HandoverEvent, leaf)
    what, reason = title(alarm.rule, language), reasons.phrase(alarm.reason, language)
    marks = {
        "late": _is_late(session, notice),
        "clock_unsure": event is not None and event.clock_unsure,
        "silent": rule.silent,
    }
    data = {
        "alarm": alarm.key,
        "rule": alarm.rule,
        "severity": alarm.severity,
        "title": what,
        "reason": reason or None,
        "received": iso(alarm.received),
        **_place(session, target, alarm.site_id),
        "plate": _plate(session, alarm.handover_id, event),
        "handover": alarm.handover_id,
        **marks,
    }
    if reason and reason.casefold() not in what.casefold():
        what = _say(session, target, "why", what=what, reason=reason)
    severity = text(f"severity_{alarm.severity}", language)
    said = _sentence(session, target, "alarm", notice.time, data, marks, severity=severity, what=what)
    key = alarm.key
    if leaf is not None:
        place = _record(alarm.unit_id, alarm.details["epoch"], alarm.details["index"])
        key = f"{place}:{alarm.rule}"
    return Message(_id(target, notice.kind, key), "alarm.raised", notice.time, said, data, notice)


def _arrival(session: Session, target: Target, notice: Notice) -> Message | None:
    event = session.get(HandoverEvent, int(notice.key))
    if event is None:
        return None
    marks = {"late": _is_late(session, notice), "clock_unsure": event.clock_unsure}
    data = {
        "received": iso(event.received),
        **_place(session, target, event.site_id),
        "plate": _plate(session, event.handover_id, event),
        "handover": event.handover_id,
        **marks,
    }
    said = _sentence(session, target, "arrival", notice.time, data, marks)
    key = _record(event.unit_id, event.epoch, event.index)
    return Message(_id(target, notice.kind, key), "vehicle.arrived", notice.time, said, data, notice)


def _sentence(
    session: Session,
    target: Target,
    key: str,
    time: int,
    data: dict[str, Any],
    marks: dict[str, bool],
    **fields: str,
) -> str:
    """The sentence of this key about data's site and plate."""
    plate = _say(session, target, "plate", plate=data["plate"]) if data["plate"] else ""
    said = "".join(_say(session, target, mark) for mark, holds in marks.items() if holds)
    site = data["site_name"] or _say(session, target, "centre")
    return _say(
        session, target, key, site=site, plate=plate, time=_moment(session, time), marks=said, **fields
    )


def _say(session: Session, target: Target, key: str, **fields: Any) -> str:
    return TEXTS[key][LANGUAGES.index(_language(session, target))].format(**fields)


def _language(session: Session, target: Target) -> str:
    return target.language or services_of(session).settings.language


def _moment(session: Session, milliseconds: int) -> str:
    """With the date: it may be read tomorrow."""
    zone = services_of(session).settings.zone
    return f"{from_milliseconds(milliseconds).astimezone(zone):%m-%d %H:%M}"


def _is_late(session: Session, notice: Notice) -> bool:
    return services_of(session).clock.milliseconds() - notice.time > LATE_MS


def _place(session: Session, target: Target, site_id: int | None) -> dict[str, str | None]:
    site = None if site_id is None else session.get(Site, site_id)
    if site is None:
        return {"site": None, "site_name": None}
    named = site.name_zh if _language(session, target) == "zh" else site.name_en
    return {"site": site.code, "site_name": named}


def _plate(session: Session, handover_id: int | None, event: HandoverEvent | None) -> str | None:
    """The plate of the handover's van, or the one that the tag of a refused van belongs to."""
    handover = None if handover_id is None else session.get(Handover, handover_id)
    if handover is not None:
        vehicle = session.get(Vehicle, handover.vehicle_id)
    elif event is not None and event.name == "vehicle_refused":
        epc = bytes.fromhex(event.details["epc"])
        vehicle = session.exec(select(Vehicle).where(col(Vehicle.epc) == epc)).first()
    else:
        vehicle = None
    return None if vehicle is None else vehicle.plate


def _record(unit_id: int | None, epoch: int, index: int) -> str:
    """What names a record for good: its number is another one when it comes again after a restore."""
    return f"record:{unit_id}:{epoch}:{index}"


def _id(target: Target, kind: str, key: str) -> str:
    """The same for the same notice, and tells nothing of how many others there are (D9)."""
    return "msg_" + hashlib.sha256(f"{target.name}:{kind}:{key}".encode()).hexdigest()[:32]
