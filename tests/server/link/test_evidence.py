"""Evidence packs: what a delivery leaves behind, verified far from the server; each lie is found (F9)."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from doorward_protocol import merkle, objects
from doorward_protocol.suite import run
from doorward_protocol.suite_openssl import OpenSSLSuite
from doorward_server.audit import entries
from doorward_server.audit.models import Decision
from doorward_server.evidence import collect as collecting
from doorward_server.evidence import pack as packs
from doorward_server.evidence import routes, verifier
from doorward_server.evidence.collect import collect
from doorward_server.evidence.pack import Pack, read, write
from doorward_server.handovers import service
from doorward_server.handovers.models import Command, Handover
from doorward_server.link.models import Leaf
from doorward_server.security import four_eyes, users
from doorward_server.security.models import User
from doorward_server.security.roles import Role
from doorward_server.units import authority
from evidence_case import FACES, HASHES, changed, with_decision, with_record
from sqlmodel import col, select
from unit_client import eventually


def check(pack: Pack) -> list[tuple[str, str]]:
    return [(one.what, one.where) for one in verifier.check(pack, OpenSSLSuite())]


@pytest.mark.shows("F9", "S25")
def test_a_handover_is_proved_without_the_server(made, handed_over, delivery, day, services):
    assert check(made) == []
    evidence = made.evidence
    assert evidence.handover == handed_over
    assert set(made.pictures.values()) == set(FACES)
    assert made.report.startswith(b"%PDF")
    assert len(evidence.records) == len(delivery.unit.entries)
    assert [one.entry for one in evidence.records] == delivery.unit.entries
    order = objects.decode_blob("order", evidence.order)
    assert (order["task"], order["vehicle"][1]) == (delivery.task, "京A10001")
    assert len(evidence.commands) == 1
    names = evidence.names
    assert names["person"][str(delivery.crew[0])].startswith("姓E000")
    assert names["vehicle"] == {str(day.bank.vehicles[0].id): "京A10001"}
    assert str(day.bank.dispatcher2.id) in names["user"]
    with services.database.reading() as session:
        kinds = [session.get_one(Decision, one.index).kind for one in evidence.decisions]
    for kind in ("unit_registered", "run_created", "approval_requested", "run_released", "entry_decided"):
        assert kind in kinds


def test_that_a_pack_was_taken_away_stands_in_the_journal(content, handed_over, services, day):
    with services.database.reading() as session:
        taken = session.exec(select(Decision).where(Decision.kind == "evidence_exported")).one()
    assert (taken.subject, taken.actor_id) == (f"handover:{handed_over}", day.bank.users[Role.AUDITOR].id)


def test_the_same_content_gives_the_same_file(made, content):
    assert write(made) == content


def other_key(made: Pack) -> SimpleNamespace:
    """A key pair of a forger, under the name of the bank's."""
    private, public = run(OpenSSLSuite().new_key())
    return SimpleNamespace(private=private, public=public)


def signed_by(key, kid: bytes, name: str, **fields) -> bytes:
    return run(objects.sign(OpenSSLSuite(), key.private, kid, name, **fields))


def fields_of(made: Pack, name: str, data: bytes, key: packs.Key) -> dict:
    return run(objects.verify(OpenSSLSuite(), name, data, {key.kid: key.public}))


def forged_order(made: Pack) -> Pack:
    order = objects.decode_blob("order", made.evidence.order)
    return changed(made, order=objects.encode_blob("order", **order | {"boxes": []}))


def forged_unit(made: Pack) -> Pack:
    """A whole journal head signed by somebody else's key, which the pack calls the unit's."""
    unit, key = made.evidence.unit, other_key(made)
    head = fields_of(made, "head", made.evidence.head, unit)
    return changed(
        made,
        unit=unit.model_copy(update={"public": key.public}),
        head=signed_by(key, unit.kid, "head", **head),
    )


def shorter_receipt(made: Pack) -> Pack:
    """The head of a journal that goes on differently from what the bank has a receipt for."""
    unit = made.evidence.unit
    head = fields_of(made, "head", made.evidence.head, unit)
    key = other_key(made)
    return changed(
        made,
        unit=unit.model_copy(update={"public": key.public}),
        head=signed_by(key, unit.kid, "head", **head | {"epoch": head["epoch"] + 1}),
    )


LIES: dict[str, tuple[Callable[[Pack], Pack], set[str]]] = {
    "record": (
        lambda made: with_record(made, 1, entry=made.evidence.records[2].entry),
        {"record_changed"},
    ),
    "record and its hash": (
        lambda made: with_record(
            made,
            1,
            entry=made.evidence.records[2].entry,
            leaf_hash=merkle.leaf_hash(made.evidence.records[2].entry or b""),
        ),
        {"record_unproved"},
    ),
    "no record": (
        lambda made: with_record(made, 1, entry=b"\xff", leaf_hash=merkle.leaf_hash(b"\xff")),
        {"record_unproved", "record_unreadable"},
    ),
    "left out": (
        lambda made: changed(made, records=made.evidence.records[:3] + made.evidence.records[4:]),
        {"record_missing"},
    ),
    "head": (lambda made: changed(made, head=made.evidence.receipt), {"head_signature", "no_handover"}),
    "receipt": (lambda made: changed(made, receipt=made.evidence.head), {"receipt_signature"}),
    "receipt of another head": (shorter_receipt, {"receipt_differs", "unit_unknown"}),
    "unit": (forged_unit, {"unit_unknown"}),
    "face": (
        lambda made: made.model_copy(update={"pictures": made.pictures | {HASHES[0].hex(): b"another face"}}),
        {"picture_changed"},
    ),
    "no face": (
        lambda made: made.model_copy(update={"pictures": dict(list(made.pictures.items())[1:])}),
        {"picture_missing"},
    ),
    "manifest": (lambda made: changed(made, manifest=made.evidence.head), {"manifest_signature"}),
    "no manifest": (lambda made: changed(made, manifest=None), {"manifest_missing"}),
    "no order": (lambda made: changed(made, order=None), {"order_missing"}),
    "order": (forged_order, {"order_differs"}),
    "no command": (lambda made: changed(made, commands=[]), {"command_missing"}),
    "command": (
        lambda made: changed(made, commands=[made.evidence.head]),
        {"command_signature", "command_missing"},
    ),
    "decision": (
        lambda made: with_decision(made, -1, entry=made.evidence.decisions[0].entry),
        {"decision_changed"},
    ),
    "decision and its hash": (
        lambda made: with_decision(
            made,
            -1,
            entry=made.evidence.decisions[0].entry,
            leaf_hash=made.evidence.decisions[0].leaf_hash,
        ),
        {"decision_unproved"},
    ),
    "decision in another place": (
        lambda made: with_decision(made, -1, index=made.evidence.decisions[-1].index + 1),
        {"decision_unproved"},
    ),
    "no decisions": (lambda made: changed(made, decisions=[]), {"unit_unknown", "not_released"}),
}


@pytest.mark.parametrize("lie", LIES)
def test_each_lie_is_found(made, lie):
    tell, found = LIES[lie]
    assert {what for what, _ in check(tell(made))} == found


def test_every_finding_has_words():
    told = {one for _, found in LIES.values() for one in found}
    rest = {"manifest_differs", "command_differs", "decision_unreadable"}  # below
    assert told | rest == set(verifier.FINDINGS)
    assert all(zh and en for zh, en in verifier.FINDINGS.values())


def test_a_manifest_or_command_for_somebody_else_is_found(made, services, day):
    with services.database.reading() as session:
        command = session.exec(select(Command)).one()
    fields = fields_of(made, "command", command.object, made.evidence.dispatch)
    foreign = authority.sign_command(services, **fields | {"nonce": b"another1"})
    found = check(changed(made, commands=[*made.evidence.commands, foreign]))
    assert [what for what, _ in found] == ["command_differs"]
    manifest = fields_of(made, "manifest", made.evidence.manifest or b"", made.evidence.dispatch)
    later = authority.sign_manifest(
        services, manifest["unit"], manifest["version"] + 1, 1, 2, [tuple(one) for one in manifest["entries"]]
    )
    assert [what for what, _ in check(changed(made, manifest=later))] == ["manifest_differs"]


def test_a_decision_that_is_none_is_found(made):
    bad = with_decision(made, -1, entry=b"\xff", leaf_hash=merkle.leaf_hash(b"\xff"))
    assert {what for what, _ in check(bad)} == {"decision_unproved", "decision_unreadable"}


def test_a_release_by_one_person_alone_is_none(made, services):
    """Whoever has the server could write such decisions; the pack says that nobody else agreed."""
    with services.database.reading() as session:
        kept = [
            one
            for one in made.evidence.decisions
            if session.get_one(Decision, one.index).kind != "approval_requested"
        ]
    assert [what for what, _ in check(changed(made, decisions=kept))] == ["not_released"]


def test_an_approval_of_something_else_releases_nothing(made, services, day):
    """Two people have agreed on a new user; the pack is given that for the run's own release."""
    with services.database.writing() as session:
        admin, duty = (
            session.get_one(User, day.bank.users[one].id) for one in (Role.ADMINISTRATOR, Role.DUTY)
        )
        fields = {"login": "qian.yi", "name": "钱一", "role": "duty"}
        approval = users.request_user(session, admin, "correct horse", fields)
        four_eyes.decide(session, duty, approval, True, "", " battery")
        others = collecting.decisions(session, {f"approval:{approval.id}"})
    assert len(others) == 2
    entry = {leaf.index: entries.decode(leaf.entry) for leaf in made.evidence.decisions}
    kept = [leaf for leaf in made.evidence.decisions if entry[leaf.index].kind != "approval_requested"]
    given = changed(made, decisions=[*kept, *others])
    assert check(given) == [("not_released", "")]


def test_what_was_deleted_is_proved_to_have_been_there(auditor, handed_over, services):
    with services.database.writing() as session:
        leaf = session.exec(select(Leaf).order_by(col(Leaf.index)).offset(2)).first()
        assert leaf is not None
        leaf.entry = None
        session.add(leaf)
    made = read(auditor.post(f"/api/handovers/{handed_over}/evidence").content)
    assert made.evidence.records[2].entry is None
    assert check(made) == []


def test_records_of_another_handover_are_withheld(handed_over, online, delivery, services, day, auditor):
    """Between the first and the last record of one handover another may have begun: a twin van (D3)."""
    with services.database.writing() as session:
        kept = session.get_one(Handover, handed_over)
        other = Handover(**kept.model_dump() | {"id": 10**6, "nonce": b"another1"})
        session.add(other)
        session.flush()
        event = service.events_of(session, kept)[3]
        event.handover_id = other.id
        session.add(event)
    made = read(auditor.post(f"/api/handovers/{handed_over}/evidence").content)
    assert [one.entry is None for one in made.evidence.records].index(True) == 3
    assert check(made) in ([], [("picture_missing", HASHES[2].hex())])


def test_units_store_while_a_pack_is_made(handed_over, auditor, services, monkeypatch):
    def beside(session, handover):
        with services.database.writing() as writing:
            writing.get_one(User, 1).name = "乙"
        return collect(session, handover)

    monkeypatch.setattr(routes, "collect", beside)
    assert auditor.post(f"/api/handovers/{handed_over}/evidence").status_code == 200


def test_before_the_unit_has_signed_there_is_no_evidence(online, delivery, day, services, auditor):
    van = day.bank.vehicles[0]
    delivery.arrive(van.id, van.epc, van.tid)

    def number() -> int | None:
        with services.database.reading() as session:
            return session.exec(select(Handover.id)).first()

    answer = auditor.post(f"/api/handovers/{eventually(number)}/evidence")
    assert (answer.status_code, answer.json()["reason"]) == (409, "not_signed_yet")


def test_only_auditors_take_evidence_away(handed_over, log_in, day):
    for role in set(Role) - {Role.AUDITOR}:
        answer = log_in(day.bank.users[role]).post(f"/api/handovers/{handed_over}/evidence")
        assert answer.status_code == 403
    missing = log_in(day.bank.users[Role.AUDITOR]).post("/api/handovers/1000000/evidence")
    assert missing.status_code == 404
