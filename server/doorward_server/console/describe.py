"""One journal record as one line of text, in Chinese or English, with names instead of ids."""

from typing import Any

from doorward_protocol import objects, records
from sqlmodel import Session, col, select

from doorward_server import reasons
from doorward_server.console.texts import TEXTS, text
from doorward_server.fleet.models import Box, Site, Vehicle
from doorward_server.handovers.models import HandoverEvent
from doorward_server.people.models import Person
from doorward_server.security.models import User

_PANELS = {records.PANEL_OUTER: "panel_outer", records.PANEL_INNER: "panel_inner"}
_PLACES = {records.WHERE_HOST: "where_host", records.WHERE_PANEL: "where_panel"}
_DOORS = {records.DOOR_OUTER: "outer", records.DOOR_INNER: "inner"}
_DOOR_EVENTS = {
    records.DOOR_RELEASED: "released",
    records.DOOR_LOCKED: "locked",
    records.DOOR_OPENED: "opened",
    records.DOOR_CLOSED: "closed",
    records.DOOR_HELD_OPEN: "held_open",
    records.DOOR_FORCED: "forced",
}
_INPUTS = {
    records.INPUT_EGRESS: "input_egress",
    records.INPUT_FIRE: "input_fire",
    records.INPUT_TAMPER: "input_tamper",
}


def door_name(number: int) -> str | None:
    """ "outer" or "inner"; None for a number that is no door's."""
    return _DOORS.get(number)


def door_state(event: int) -> str | None:
    """The name of a door event: locked, released, opened, closed, held_open, forced; None for any other."""
    return _DOOR_EVENTS.get(event)


def site_name(site: Site | None, language: str) -> str:
    """The site's name in the language; empty for none."""
    if site is None:
        return ""
    return site.name_zh if language == "zh" else site.name_en


def panel_name(number: int, language: str) -> str:
    """ "outer panel" or "inner panel"; any other by its number."""
    return _word(_PANELS, number, language)


def device_name(name: str, language: str) -> str:
    """The word for a part of a unit; one without a word by the name that the unit gave it."""
    key = f"device_{name}"
    return text(key, language) if key in TEXTS else name


def _word(names: dict[int, str], number: int, language: str, prefix: str = "") -> str:
    """The word for a number in a record. A unit may send any number: one without a word shows as it is."""
    return text(prefix + names[number], language) if number in names else f"#{number}"


class Describer:
    """Describes records in one language; looks names up once."""

    def __init__(self, session: Session, language: str) -> None:
        self._session = session
        self._language = language
        self._names: dict[tuple[type, object], str] = {}

    def line(self, event: HandoverEvent) -> str:
        """The record's line."""
        key = f"record_{event.name}"
        if event.name == "approval" and not event.details.get("approved"):
            key = "record_approval_refused"
        return text(key, self._language, **self._fields(event.name, event.details))

    def person(self, person_id: object) -> str:
        """The name of a person, or of a login that has decided something (objects.LOGIN)."""
        if isinstance(person_id, int) and person_id >= objects.LOGIN:
            return self._name(User, person_id - objects.LOGIN, "name")
        return self._name(Person, person_id, "name_zh" if self._language == "zh" else "name_en")

    def people(self, ids: list[int]) -> str:
        """Several names, joined as the language does."""
        return ("、" if self._language == "zh" else ", ").join(self.person(one) for one in ids)

    def box(self, epc: str) -> str:
        """A box's number by its EPC in hexadecimal; the EPC itself when no box has it."""
        key = (Box, epc)
        if key not in self._names:
            found = self._session.exec(select(Box.number).where(col(Box.epc) == bytes.fromhex(epc))).first()
            self._names[key] = found or epc
        return self._names[key]

    def _name(self, model: Any, key: object, attribute: str) -> str:
        if (model, key) not in self._names:
            found = self._session.get(model, key) if key else None
            self._names[(model, key)] = (
                getattr(found, attribute) if found else text("unknown_person", self._language)
            )
        return self._names[(model, key)]

    def _t(self, key: str) -> str:
        return text(key, self._language)

    def _fields(self, event_name: str, details: dict[str, Any]) -> dict[str, Any]:
        """The record's fields with ids, codes and lists turned into words."""
        fields = dict(details)
        for name in ("person", "officer", "crew"):
            if isinstance(fields.get(name), int):
                fields[name] = self.person(fields[name])
        for name in ("people", "by"):
            if isinstance(fields.get(name), list):
                fields[name] = self.people(fields[name])
        if isinstance(fields.get("vehicle"), int):
            fields["vehicle"] = self._name(Vehicle, fields["vehicle"], "plate")
        if fields.get("reason") is not None:
            recovered = fields["reason"] == 0
            fields["reason"] = (
                self._t("recovered") if recovered else reasons.phrase(fields["reason"], self._language)
            )
        if "epc" in fields:
            fields["box"] = self.box(fields["epc"])
        for name in ("expected", "read"):
            if isinstance(fields.get(name), list):
                fields[name] = len(fields[name])
        for name, words in (("panel", _PANELS), ("where", _PLACES)):
            if name in fields:
                fields[name] = _word(words, fields[name], self._language)
        if "door" in fields:
            fields["event"] = _word(_DOOR_EVENTS, fields["event"], self._language, "door_event_")
            fields["door"] = _word(_DOORS, fields["door"], self._language, "door_")
        if event_name == "sensor":
            fields["name"] = device_name(fields["name"], self._language)
        if "active" in fields:
            fields["name"] = _word(_INPUTS, details["name"], self._language)
            fields["active"] = self._t("input_on" if fields["active"] else "input_off")
        return fields
