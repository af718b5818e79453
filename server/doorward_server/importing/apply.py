"""Writes a judged bundle into the tables: new rows, and changed rows with both sides in the journal.

Everything happens in the caller's transaction. What is the same already is left alone, so importing a
workbook twice changes nothing the second time.
"""

import hashlib
import secrets
from collections import Counter
from typing import Any

from sqlmodel import Session, SQLModel, select

from doorward_server.audit import service as audit
from doorward_server.fleet.models import Area, Box, Company, Site, Vehicle
from doorward_server.importing.judge import Bundle
from doorward_server.people import service as people
from doorward_server.people.models import Finger, Person
from doorward_server.security import sessions
from doorward_server.security.biometrics import SealBroken
from doorward_server.security.models import User
from doorward_server.services import services_of

NEW, CHANGED, SAME = "new", "changed", "same"


class Writer:
    """Writes one bundle. `counts[sheet]` says how many rows were new, changed and the same."""

    def __init__(self, session: Session, actor: User | None, bundle: Bundle) -> None:
        self._session = session
        self._actor = actor
        self._bundle = bundle
        self._now = services_of(session).clock.now()
        # What rows held that have laid a unique value down, by model, id and field: see `_park`.
        self._parked: dict[tuple[type[SQLModel], int, str], Any] = {}
        self.counts: dict[str, Counter] = {sheet: Counter() for sheet in bundle.rows}

    def write(self) -> None:
        """Write all sheets, what others refer to first."""
        self._write_sites()
        self._write_companies()
        self._write_people()
        self._write_fingers()
        self._write_tagged("vehicles", Vehicle, "plate", "company_id", "company", Company)
        self._write_tagged("boxes", Box, "number", "home_site_id", "home_site", Site)
        self._write_users()

    def _write_sites(self) -> None:
        for row in self._bundle.rows["sites"]:
            values = row.values
            area = self._find(Area, "code", values["area"])
            if area is None:
                area = Area(code=values["area"], name_zh=values["area"], name_en=values["area"])
                self._put("area", area, {})
            fields = {
                "name_zh": values["name_zh"],
                "name_en": values["name_en"],
                "kind": values["kind"],
                "area_id": area.id,
                "printer": values["host_printer"] or "",
            }
            self._upsert("sites", Site, "code", values["code"], fields)

    def _write_companies(self) -> None:
        for row in self._bundle.rows["companies"]:
            fields = {name: row.values[name] for name in ("name_zh", "name_en")}
            self._upsert("companies", Company, "code", row.values["code"], fields)

    def _write_people(self) -> None:
        rows = self._bundle.rows["people"]
        self._park(Person, "staff_number", "card_uid", {row.values["staff_number"]: row for row in rows})
        for row in rows:
            values = row.values
            fields = {
                name: values[name] for name in ("name_zh", "name_en", "role", "permit_until", "card_uid")
            }
            fields["company_id"] = self._id(Company, "code", values["company"])
            fields["site_id"] = self._id(Site, "code", values["site"])
            created = {"created_at": self._now}
            photo = self._bundle.photos.get(values["staff_number"])
            self._upsert("people", Person, "staff_number", values["staff_number"], fields, created, photo)

    def _write_fingers(self) -> None:
        for row in self._bundle.rows["fingers"]:
            values = row.values
            person = self._find(Person, "staff_number", values["staff_number"])
            template = self._bundle.templates[row.number]
            query = select(Finger).where(
                Finger.person_id == person.id,
                Finger.number == values["finger"],
                Finger.model == values["model"],
            )
            finger = self._session.exec(query).first()
            fields = {"duress": values["duress"]}
            before = None
            if finger is None:
                finger = Finger(
                    person_id=person.id,
                    number=values["finger"],
                    model=values["model"],
                    template=b"",
                    **fields,
                )
            else:
                kept = self._kept(lambda finger=finger: people.template_of(self._session, finger))
                before = {"duress": finger.duress, "template": self._fingerprint(kept)}
            after = fields | {"template": self._fingerprint(template)}
            self._count("fingers", before, after)
            if before != after:
                finger.duress = values["duress"]
                finger.template = people.seal_template(self._session, person, template)
                self._session.add(finger)
                self._session.flush()
                subject = f"person:{person.id}/finger:{finger.number}"
                audit.record(self._session, self._actor, "finger_imported", subject, before, after)

    def _write_tagged(
        self, sheet: str, model: type[SQLModel], key: str, owner: str, column: str, of: type[SQLModel]
    ) -> None:
        rows = {row.values[key]: row for row in self._bundle.rows[sheet]}
        for field in ("epc", "tid"):
            self._park(model, key, field, rows)
        for name, row in rows.items():
            fields = {"epc": row.values["epc"], "tid": row.values["tid"]}
            fields[owner] = self._id(of, "code", row.values[column])
            self._upsert(sheet, model, key, name, fields)

    def _write_users(self) -> None:
        for row in self._bundle.rows["users"]:
            values = row.values
            fields = {name: values[name] for name in ("name", "role", "language")}
            fields["site_id"] = self._id(Site, "code", values["site"])
            fields["person_id"] = self._id(Person, "staff_number", values["staff_number"])
            user = self._find(User, "login", values["login"])
            if user is not None and user.role != fields["role"]:
                sessions.end_logins(self._session, user)
            self._upsert("users", User, "login", values["login"], fields, {"created_at": self._now})

    def _upsert(
        self,
        sheet: str,
        model: type[SQLModel],
        key: str,
        name: str,
        fields: dict[str, Any],
        created: dict[str, Any] | None = None,
        photo: bytes | None = None,
    ) -> None:
        """Make or change the row with this key. `created` is for new rows alone, `photo` for people."""
        row: Any = self._find(model, key, name)
        before = None
        after = dict(fields)
        if row is None:
            row = model(**{key: name}, **fields, **(created or {}))
            after[key] = name
        else:
            before = audit.fields_of(row, *fields)
            before |= {name: self._parked.get((model, row.id, name), had) for name, had in before.items()}
        if photo is not None:
            kept = self._kept(lambda: people.photo_of(self._session, row)) if before is not None else None
            if before is not None:
                before["photo"] = self._fingerprint(kept)
            after["photo"] = self._fingerprint(photo)
        self._count(sheet, before, after)
        if before == after:
            return
        for field, value in fields.items():
            setattr(row, field, value)
        self._put(model.__name__.lower(), row, after, before)
        if photo is not None and (before is None or before["photo"] != after["photo"]):
            people.set_photo(self._session, row, photo)
            self._session.flush()

    def _put(self, what: str, row: Any, after: dict[str, Any], before: dict[str, Any] | None = None) -> None:
        self._session.add(row)
        self._session.flush()
        audit.record(self._session, self._actor, f"{what}_imported", f"{what}:{row.id}", before, after)

    def _park(self, model: type[SQLModel], key: str, field: str, rows: dict[str, Any]) -> None:
        """Let rows that exchange a unique value lay theirs down first; the values come back when written."""
        wanted = {row.values[field]: name for name, row in rows.items() if row.values[field] is not None}
        table: Any = model
        columns = select(table.id, getattr(table, key), getattr(table, field))
        for number, name, value in self._session.exec(columns).all():
            owner = wanted.get(value)
            if owner is not None and owner != name:
                row = self._session.get_one(model, number)
                self._parked[model, number, field] = value
                setattr(row, field, secrets.token_bytes(64))
                self._session.add(row)
        self._session.flush()

    def _kept(self, read: Any) -> bytes | None:
        try:
            return read()
        except SealBroken:
            return None

    def _find(self, model: type[SQLModel], key: str, name: str) -> Any:
        return self._session.exec(select(model).where(getattr(model, key) == name)).first()

    def _id(self, model: type[SQLModel], key: str, name: str | None) -> int | None:
        return None if name is None else self._find(model, key, name).id

    def _count(self, sheet: str, before: dict | None, after: dict) -> None:
        self.counts[sheet][NEW if before is None else SAME if before == after else CHANGED] += 1

    @staticmethod
    def _fingerprint(content: bytes | None) -> bytes | None:
        """A biometric content in the journal: its hash alone."""
        return None if content is None else hashlib.sha256(content).digest()
