"""Collects what proves a handover: the unit's records with proofs, order, commands, decisions, pictures."""

from collections.abc import Iterable, Sequence

from doorward_protocol import merkle, merkle_proofs, objects
from sqlmodel import Session, col, select

from doorward_server.audit import entries
from doorward_server.audit import service as audit
from doorward_server.audit.models import Decision
from doorward_server.evidence.pack import DecisionLeaf, Evidence, Key, Pack, RecordLeaf
from doorward_server.fleet.models import Site, Vehicle
from doorward_server.handovers import pictures
from doorward_server.handovers.models import Command, Handover, HandoverEvent, Picture
from doorward_server.handovers.service import events_of
from doorward_server.link.models import Head, Leaf
from doorward_server.people.models import Person
from doorward_server.planning.progress import stop_at
from doorward_server.problems import Problem
from doorward_server.reports import service as reports
from doorward_server.security.keys import KeyPair
from doorward_server.security.models import Approval, User
from doorward_server.services import services_of
from doorward_server.units import authority, blobs
from doorward_server.units.models import ManifestVersion, Unit


def collect(session: Session, handover: Handover) -> Pack:
    """The pack of a handover. Raises 409 while no signed head of the unit covers its last record."""
    services = services_of(session)
    unit = session.get_one(Unit, handover.unit_id)
    events = events_of(session, handover)
    first, last = events[0].index, events[-1].index
    head = _head_over(session, handover, last)
    if head is None:
        raise _not_signed()
    people = _people_of(handover)
    proved = decisions(session, _subjects(session, handover, unit, people))
    manifest = session.exec(
        select(ManifestVersion).where(
            ManifestVersion.unit_id == unit.id, ManifestVersion.version == handover.manifest_version
        )
    ).first()
    commands = select(Command.object).where(
        Command.unit_id == unit.id, Command.task == handover.task, Command.nonce == handover.nonce
    )
    evidence = Evidence(
        made=services.clock.milliseconds(),
        handover=handover.id,
        unit=Key(kid=unit.kid, public=unit.signing_key),
        dispatch=_key(authority.dispatch_key(services)),
        journal=_key(audit.journal_key(session)),
        head=head.object,
        receipt=head.receipt,
        records=_records(session, handover, first, last, head.size),
        manifest=None if manifest is None else manifest.object,
        order=None if manifest is None else _order(session, handover, manifest),
        commands=list(session.exec(commands.order_by(col(Command.issued)))),
        decisions=proved,
        names=_names(session, handover, people, proved),
    )
    return Pack(
        evidence=evidence,
        pictures=_pictures(session, events),
        report=reports.report(session, handover),
    )


def _head_over(session: Session, handover: Handover, last: int) -> Head | None:
    query = select(Head).where(
        Head.unit_id == handover.unit_id, Head.epoch == handover.epoch, col(Head.size) > last
    )
    return session.exec(query.order_by(col(Head.size))).first()


def _records(session: Session, handover: Handover, first: int, last: int, size: int) -> list[RecordLeaf]:
    """All leaves from the handover's first to its last; of other handovers between them the hashes alone."""
    here = (Leaf.unit_id == handover.unit_id, Leaf.epoch == handover.epoch)
    hashes = select(Leaf.leaf_hash).where(*here, col(Leaf.index) < size).order_by(col(Leaf.index))
    leaves = [bytes(one) for one in session.exec(hashes)]
    others = select(HandoverEvent.index).where(
        HandoverEvent.unit_id == handover.unit_id,
        HandoverEvent.epoch == handover.epoch,
        col(HandoverEvent.handover_id).is_not(None),
        HandoverEvent.handover_id != handover.id,
        col(HandoverEvent.index).between(first, last),
    )
    withheld = set(session.exec(others))
    between = select(Leaf).where(*here, col(Leaf.index).between(first, last)).order_by(col(Leaf.index))
    return [
        RecordLeaf(
            index=leaf.index,
            leaf_hash=leaf.leaf_hash,
            entry=None if leaf.index in withheld else leaf.entry,
            path=merkle_proofs.inclusion_proof(leaves, leaf.index),
        )
        for leaf in session.exec(between)
    ]


def _order(session: Session, handover: Handover, manifest: ManifestVersion) -> bytes | None:
    listed = authority.open_manifest(services_of(session), manifest.object)["entries"]
    wanted = (objects.ORDER, handover.task, handover.order_version)
    name = next((entry[3] for entry in listed if tuple(entry[:3]) == wanted), None)
    return None if name is None else blobs.get(session, name)


def _pictures(session: Session, events: Sequence[HandoverEvent]) -> dict[str, bytes]:
    """By hash; without those that have not come, or were deleted with their person's key."""
    named = {event.details["picture"] for event in events if event.details.get("picture")}
    found = {}
    for name in sorted(named):
        picture = session.get(Picture, bytes.fromhex(name))
        content = None if picture is None else pictures.content_of(session, picture)
        if content is not None:
            found[name] = content
    return found


def _people_of(handover: Handover) -> list[int]:
    closers = [one for one in (handover.officer_id, handover.crew_closer_id) if one is not None]
    return sorted({*handover.crew, *handover.approved_by, *closers})


def _subjects(session: Session, handover: Handover, unit: Unit, people: Iterable[int]) -> set[str]:
    """What the decisions are about that belong to the handover."""
    found = {f"unit:{unit.kid.hex()}", f"handover:{handover.id}"}
    for number in people:
        found.add(f"person:{number}" if number < objects.LOGIN else f"user:{number - objects.LOGIN}")
    stop = stop_at(session, handover.task, handover.site_id)
    if stop is not None:
        run = f"run:{stop.run_id}"
        found.add(run)
        approvals = session.exec(select(Approval.id).where(Approval.subject == run))
        found.update(f"approval:{number}" for number in approvals)
    return found


def decisions(session: Session, subjects: set[str]) -> list[DecisionLeaf]:
    """The decisions about these subjects, each proved by the head that was signed with it."""
    query = select(Decision).where(col(Decision.subject).in_(sorted(subjects)))
    found = session.exec(query.order_by(col(Decision.index))).all()
    before = col(Decision.index).in_([one.index - 1 for one in found])
    states = session.exec(select(Decision.index, Decision.frontier).where(before))
    frontiers = {index: merkle.Frontier.from_bytes(state) for index, state in states}
    return [
        DecisionLeaf(
            index=one.index,
            leaf_hash=one.leaf_hash,
            entry=one.entry,
            # The audit path of a log's last leaf: the roots of the trees before it, the smallest first.
            path=frontiers[one.index - 1].nodes[::-1] if one.index else [],
            head=one.head,
        )
        for one in found
    ]


def _names(
    session: Session, handover: Handover, people: Iterable[int], proved: Iterable[DecisionLeaf]
) -> dict[str, dict[str, str]]:
    actors = {entry.actor for one in proved if one.entry and (entry := entries.readable(one.entry))}
    users = {number - objects.LOGIN for number in people if number >= objects.LOGIN} | actors
    persons = (session.get(Person, number) for number in people if number < objects.LOGIN)
    site, vehicle = session.get(Site, handover.site_id), session.get(Vehicle, handover.vehicle_id)
    named = [session.get(User, number) for number in users if number is not None]
    return {
        "person": {
            str(one.id): f"{one.name_zh} {one.name_en} ({one.staff_number})"
            for one in persons
            if one is not None
        },
        "user": {str(one.id): f"{one.name} ({one.login})" for one in named if one is not None},
        "site": {str(site.id): f"{site.name_zh} {site.name_en}"} if site else {},
        "vehicle": {str(vehicle.id): vehicle.plate} if vehicle else {},
    }


def _key(pair: KeyPair) -> Key:
    return Key(kid=pair.kid, public=pair.public)


def _not_signed() -> Problem:
    return Problem(
        409,
        "not_signed_yet",
        "单元尚未对这次交接的记录签名。",
        "The unit has not signed the records of this handover yet.",
        "Wait until it is over and the unit is connected. 请等交接结束且单元在线后再试。",
    )
