"""What a unit is given: roster, order, configuration and prompts as blobs, made from people and planning.

Need to know (D11): a roster names the crews of the orders at hand and the site's own officers, nobody
else. Names and plates come with a drawn label and a spoken clip, photos as bitmaps, so that a unit needs
no fonts and no speech.
"""

import logging
from collections.abc import Iterable
from functools import lru_cache

from doorward_protocol import objects
from doorward_protocol.prompts import PROMPTS
from sqlmodel import Session, col, select

from doorward_server.fleet.models import Company, Site, SiteKind
from doorward_server.people import service as people
from doorward_server.people.models import Finger, Person, PersonRole
from doorward_server.planning.content import order_fields
from doorward_server.planning.models import Stop
from doorward_server.services import Services, services_of
from doorward_server.speech import drawing
from doorward_server.speech.engine import SpeechError
from doorward_server.speech.fonts import FontMissingError
from doorward_server.speech.pack import build_pack, pack_source
from doorward_server.speech.store import EDITION, SpeechStore, cache_folder
from doorward_server.speech.texts import spell
from doorward_server.units import blobs

log = logging.getLogger(__name__)

ROLES = {
    PersonRole.ESCORT: objects.ESCORT,
    PersonRole.DRIVER: objects.DRIVER,
    PersonRole.OFFICER: objects.OFFICER,
    PersonRole.KEEPER: objects.KEEPER,
}
SITE_TYPES = {SiteKind.VAULT: 1, SiteKind.BRANCH: 2, SiteKind.ATM: 3}
# Doors that stay locked when fire is reported or power is lost, by site type (D12): the vault's inner
# door alone.
FAIL_SECURE = {SiteKind.VAULT: [2], SiteKind.BRANCH: [], SiteKind.ATM: []}


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


def roster(session: Session, site: Site, stops: Iterable[Stop]) -> bytes:
    """The roster blob of a site: crews of these stops and the site's own officers; returns its hash."""
    ids = {person.id for person in officers_of(session, site.id)}
    for stop in stops:
        said = order_fields(session, stop)
        ids.update(said["officers"], (person for person, _ in said["crew"]))
    statement = (
        select(Person)
        .where(col(Person.id).in_(ids), col(Person.removed_at).is_(None))
        .order_by(col(Person.id))
    )
    rows = [_person(session, person) for person in session.exec(statement)]
    return blobs.put(session, objects.encode_blob("roster", site=site.id, people=rows))


def order(session: Session, stop: Stop) -> bytes:
    """The order blob of one stop, in the version that two people approved; returns its hash."""
    language = services_of(session).settings.language
    said = order_fields(session, stop)
    plate = said["vehicle"][1]
    clip = _spoken(session, spell(plate, language), language)
    said["vehicle"] = [*said["vehicle"][:4], clip, _drawn(session, plate)]
    return blobs.put(session, objects.encode_blob("order", **said))


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
    folder = cache_folder() / "prompts"

    def make() -> bytes:
        packed = build_pack(folder, speech_of(services), language, PROMPTS)
        rows = [
            [prompt.number, blobs.put(session, prompt.clip), blobs.put(session, prompt.picture)]
            for prompt in packed
        ]
        return objects.encode_blob("prompts", language=language, prompts=rows)

    return blobs.derive(session, "prompts", pack_source(folder, language, PROMPTS), make)


def referenced(kind: int, content: bytes) -> list[bytes]:
    """The hashes of all further blobs that a listed blob of this kind names."""
    if kind == objects.ROSTER:
        persons = [objects.part("person", row) for row in objects.decode_blob("roster", content)["people"]]
        named = [person[field] for person in persons for field in ("photo", "clip", "label")]
        named += [finger[3] for person in persons for finger in person["fingers"]]
    elif kind == objects.ORDER:
        vehicle = objects.part("vehicle", objects.decode_blob("order", content)["vehicle"])
        named = [vehicle["clip"], vehicle["label"]]
    elif kind == objects.PROMPTS:
        return _prompts_named(content)
    else:
        named = []
    return [name for name in named if name is not None]


@lru_cache(maxsize=4)
def _prompts_named(content: bytes) -> list[bytes]:
    """Some two hundred, and the same for all units."""
    return [name for row in objects.decode_blob("prompts", content)["prompts"] for name in row[1:]]


def speech_of(services: Services) -> SpeechStore:
    """The server's speech store."""
    return services.parts.setdefault("speech", SpeechStore(cache_folder() / "clips"))


def _person(session: Session, person: Person) -> list:
    language = services_of(session).settings.language
    name = person.name_zh if language == "zh" else person.name_en
    company = session.get(Company, person.company_id) if person.company_id else None
    return [
        person.id,
        ROLES[PersonRole(person.role)],
        *people.validity(session, person),
        name,
        person.staff_number,
        "" if company is None else (company.name_zh if language == "zh" else company.name_en),
        _photo(session, person),
        _spoken(session, name, language),
        _drawn(session, name),
        person.card_uid,
        [_finger(session, finger) for finger in people.fingers_of(session, person)],
    ]


def _photo(session: Session, person: Person) -> bytes | None:
    original = people.photo_of(session, person)
    if original is None:
        return None
    source = person.id.to_bytes(8, "big") + original
    try:
        return blobs.derive(
            session, "photo", source, lambda: drawing.bitmap(drawing.photo(original)), person.id
        )
    except OSError as problem:
        log.warning("photo of person %d cannot be read, units will show none: %s", person.id, problem)
        return None


def _finger(session: Session, finger: Finger) -> list:
    template = people.template_of(session, finger)
    return [finger.model, finger.number, finger.duress, blobs.put(session, template, finger.person_id)]


def _spoken(session: Session, text: str, language: str) -> bytes | None:
    speech = speech_of(services_of(session))
    kind = f"clip.{language}.{EDITION}"
    try:
        return blobs.derive(session, kind, text.encode(), lambda: speech.speak(text, language))
    except SpeechError as problem:
        log.warning("a name or plate stays unspoken: %s", problem)
        return None


def _drawn(session: Session, text: str) -> bytes | None:
    try:
        return blobs.derive(
            session,
            f"label.{drawing.LABEL_EDITION}",
            text.encode(),
            lambda: drawing.bitmap(drawing.label(text)),
        )
    except FontMissingError as problem:
        log.warning("a name or plate stays undrawn: %s", problem)
        return None
