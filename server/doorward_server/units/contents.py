"""What a unit is given: roster, order, configuration and prompts as blobs, made from people and planning.

Need to know (D11): a roster names the crews of the orders at hand and the site's own officers, nobody
else. Names and plates come with a drawn label and a spoken clip, photos as bitmaps, so that a unit needs
no fonts and no speech.
"""

from collections.abc import Iterable
from datetime import datetime, time, timedelta

from doorward_protocol import objects
from doorward_protocol.prompts import PROMPTS
from sqlmodel import Session, col, select

from doorward_server.clock import to_milliseconds
from doorward_server.fleet.models import Box, Company, Site, SiteKind, Vehicle
from doorward_server.people.models import Finger, Person, PersonRole
from doorward_server.planning.models import Duty, Run, RunMember, Stop, StopBox, StopKind
from doorward_server.security import biometrics
from doorward_server.services import Services, services_of
from doorward_server.speech import drawing
from doorward_server.speech.pack import build_pack
from doorward_server.speech.store import SpeechStore, cache_folder
from doorward_server.speech.texts import spell
from doorward_server.units import blobs

ROLES = {
    PersonRole.ESCORT: objects.ESCORT,
    PersonRole.DRIVER: objects.DRIVER,
    PersonRole.OFFICER: objects.OFFICER,
    PersonRole.KEEPER: objects.KEEPER,
}
KINDS = {
    StopKind.DELIVER: objects.DELIVER,
    StopKind.COLLECT: objects.COLLECT,
    StopKind.TRANSFER: objects.TRANSFER,
    StopKind.REPLENISH: objects.REPLENISH,
}
DUTIES = {Duty.DOOR: objects.DUTY_DOOR, Duty.VEHICLE: objects.DUTY_VEHICLE}
SITE_TYPES = {SiteKind.VAULT: 1, SiteKind.BRANCH: 2, SiteKind.ATM: 3}
# Doors that stay locked when fire is reported or power is lost, by site type (D12): the vault's inner
# door alone.
FAIL_SECURE = {SiteKind.VAULT: [2], SiteKind.BRANCH: [], SiteKind.ATM: []}
# People without a permit that ends (a bank's own) are valid until 2100-01-01.
NO_END = 4_102_444_800_000


def officers_of(session: Session, site_id: int) -> list[Person]:
    """The bank's people who may confirm at this site, by id."""
    return list(
        session.exec(
            select(Person)
            .where(
                Person.site_id == site_id,
                col(Person.role).in_((PersonRole.OFFICER, PersonRole.KEEPER)),
                col(Person.removed_at).is_(None),
            )
            .order_by(col(Person.id))
        )
    )


def crew_of(session: Session, stop: Stop) -> list[RunMember]:
    """The planned crew of a stop's run, by person."""
    statement = select(RunMember).where(RunMember.run_id == stop.run_id).order_by(col(RunMember.person_id))
    return list(session.exec(statement))


def roster(session: Session, site: Site, stops: Iterable[Stop]) -> bytes:
    """The roster blob of a site: crews of these stops and the site's own officers; returns its hash."""
    ids = {member.person_id for stop in stops for member in crew_of(session, stop)}
    ids |= {person.id for person in officers_of(session, site.id)}
    statement = (
        select(Person)
        .where(col(Person.id).in_(ids), col(Person.removed_at).is_(None))
        .order_by(col(Person.id))
    )
    people = [_person(session, person) for person in session.exec(statement)]
    return blobs.put(session, objects.encode_blob("roster", site=site.id, people=people))


def order(session: Session, stop: Stop) -> bytes:
    """The order blob of one stop; returns its hash."""
    run = session.get_one(Run, stop.run_id)
    boxes = session.exec(
        select(Box, StopBox).where(StopBox.stop_id == stop.id, StopBox.box_id == Box.id).order_by(col(Box.id))
    )
    content = objects.encode_blob(
        "order",
        task=stop.id,
        version=stop.order_version,
        kind=KINDS[StopKind(stop.kind)],
        site=stop.site_id,
        window_from=to_milliseconds(stop.window_from),
        window_until=to_milliseconds(stop.window_until),
        expires=to_milliseconds(stop.expires),
        vehicle=_vehicle(session, session.get_one(Vehicle, run.vehicle_id)),
        crew=[[member.person_id, DUTIES[Duty(member.duty)]] for member in crew_of(session, stop)],
        officers=[person.id for person in officers_of(session, stop.site_id)],
        boxes=[[box.id, box.number, box.epc, box.tid, planned.seal] for box, planned in boxes],
    )
    return blobs.put(session, content)


def configuration(session: Session, site: Site) -> bytes:
    """The configuration blob of a site; returns its hash."""
    language = services_of(session).settings.language
    content = objects.encode_blob(
        "configuration",
        site=site.id,
        site_type=SITE_TYPES[SiteKind(site.kind)],
        name=site.name_zh if language == "zh" else site.name_en,
        language=language,
        fail_secure=FAIL_SECURE[SiteKind(site.kind)],
        settings=[],
    )
    return blobs.put(session, content)


def prompts(session: Session) -> bytes:
    """The prompt pack in the server's language; returns the hash of its table of contents."""
    services = services_of(session)
    language = services.settings.language
    packed = build_pack(cache_folder() / "prompts", speech_of(services), language, PROMPTS)
    rows = [
        [prompt.number, blobs.put(session, prompt.clip), blobs.put(session, prompt.picture)]
        for prompt in packed
    ]
    return blobs.put(session, objects.encode_blob("prompts", language=language, prompts=rows))


def referenced(kind: int, content: bytes) -> list[bytes]:
    """The hashes of all further blobs that a listed blob of this kind names."""
    if kind == objects.ROSTER:
        people = [objects.part("person", row) for row in objects.decode_blob("roster", content)["people"]]
        named = [person[field] for person in people for field in ("photo", "clip", "label")]
        named += [finger[3] for person in people for finger in person["fingers"]]
    elif kind == objects.ORDER:
        vehicle = objects.part("vehicle", objects.decode_blob("order", content)["vehicle"])
        named = [vehicle["clip"], vehicle["label"]]
    elif kind == objects.PROMPTS:
        named = [name for row in objects.decode_blob("prompts", content)["prompts"] for name in row[1:]]
    else:
        named = []
    return [name for name in named if name is not None]


def speech_of(services: Services) -> SpeechStore:
    """The server's speech store."""
    return services.parts.setdefault("speech", SpeechStore(cache_folder() / "clips"))


def _person(session: Session, person: Person) -> list:
    services = services_of(session)
    language = services.settings.language
    name = person.name_zh if language == "zh" else person.name_en
    company = session.get(Company, person.company_id) if person.company_id else None
    photo = None
    if person.photo is not None:
        original = biometrics.unseal(session, person.id, "photo", person.photo)
        source = person.id.to_bytes(8, "big") + original
        photo = blobs.derive(
            session, "photo", source, lambda: drawing.bitmap(drawing.photo(original)), person.id
        )
    fingers = session.exec(
        select(Finger).where(Finger.person_id == person.id).order_by(col(Finger.number), col(Finger.model))
    )
    return [
        person.id,
        ROLES[PersonRole(person.role)],
        to_milliseconds(person.created_at),
        _valid_until(services, person),
        name,
        person.staff_number,
        "" if company is None else (company.name_zh if language == "zh" else company.name_en),
        photo,
        _spoken(session, name, language),
        _drawn(session, name),
        person.card_uid,
        [_finger(session, finger) for finger in fingers],
    ]


def _finger(session: Session, finger: Finger) -> list:
    template = biometrics.unseal(session, finger.person_id, "template", finger.template)
    return [finger.model, finger.number, finger.duress, blobs.put(session, template, finger.person_id)]


def _vehicle(session: Session, vehicle: Vehicle) -> list:
    language = services_of(session).settings.language
    clip = _spoken(session, spell(vehicle.plate, language), language)
    return [vehicle.id, vehicle.plate, vehicle.epc, vehicle.tid, clip, _drawn(session, vehicle.plate)]


def _spoken(session: Session, text: str, language: str) -> bytes:
    speech = speech_of(services_of(session))
    return blobs.derive(session, f"clip.{language}", text.encode(), lambda: speech.speak(text, language))


def _drawn(session: Session, text: str) -> bytes:
    return blobs.derive(session, "label", text.encode(), lambda: drawing.bitmap(drawing.label(text)))


def _valid_until(services: Services, person: Person) -> int:
    """The end of the permit's last day, local time."""
    if person.permit_until is None:
        return NO_END
    end = datetime.combine(person.permit_until + timedelta(days=1), time(), services.settings.zone)
    return to_milliseconds(end)
