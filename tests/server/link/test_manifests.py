"""Manifests: need to know, only as new as they have to be, fetched by hash, and right as time passes."""

import hashlib
from datetime import timedelta
from types import SimpleNamespace

import pytest
import server_bank
from doorward_protocol import errors, messages, objects
from doorward_protocol.channel import MAX_PLAINTEXT
from doorward_protocol.suite import run
from doorward_server.link import state
from doorward_server.people.models import Person
from doorward_server.planning import service as planning
from doorward_server.planning.models import Run, StopStatus
from doorward_server.planning.plan import Member
from doorward_server.planning.progress import set_stop_status
from doorward_server.security import biometrics
from doorward_server.security.models import User
from doorward_server.units import authority, blobs, manifests, service
from doorward_server.units.line import line_of
from doorward_server.units.models import ManifestVersion, Unit
from sqlmodel import col, select
from unit_client import UnitClient


def open_manifest(services, unit, data: bytes) -> dict:
    key = authority.dispatch_key(services)
    return run(objects.verify(unit.suite, "manifest", data, {key.kid: key.public}))


def due(services):
    with services.database.reading() as session:
        return manifests.due(session)


def entries(manifest) -> dict[tuple[int, int], tuple]:
    """The entries by kind and id."""
    return {(row[0], row[1]): tuple(row[2:]) for row in manifest["entries"]}


def newest(services, unit_id) -> dict:
    with services.database.reading() as session:
        manifest = manifests.newest(session, session.get_one(Unit, unit_id))
        return authority.open_manifest(services, b"" if manifest is None else manifest.object)


def versions(services, unit_id) -> list[int]:
    with services.database.reading() as session:
        statement = select(ManifestVersion.version).where(ManifestVersion.unit_id == unit_id)
        return list(session.exec(statement.order_by(col(ManifestVersion.version))))


def refresh(services, unit_id):
    with services.database.writing() as session:
        return service.refresh(session, session.get(Unit, unit_id))


def people_in(unit, services, manifest, site) -> list[dict]:
    content = unit.fetch(entries(manifest)[(objects.ROSTER, site)][1])
    return [objects.part("person", row) for row in objects.decode_blob("roster", content)["people"]]


def test_a_unit_fetches_what_its_manifest_lists(online, services, day, delivery, clock):
    bank = day.bank
    online.status()
    data = online.receive_until("object")
    assert data["kind"] == "manifest"
    manifest = open_manifest(services, online, data["object"])
    assert manifest["unit"] == online.kid
    assert manifest["fresh_until"] - manifest["issued"] == services.settings.manifest_fresh_hours * 3_600_000
    site, task = bank.sites["north"].id, day.tasks[0]
    listed = entries(manifest)
    assert set(listed) == {
        (objects.ROSTER, site), (objects.ORDER, task), (objects.CONFIGURATION, site), (objects.PROMPTS, 1),
    }  # fmt: skip
    for _, name, size in listed.values():
        content = online.fetch(name)
        assert (hashlib.sha256(content).digest(), len(content)) == (name, size)
    order = objects.decode_blob("order", online.fetch(listed[(objects.ORDER, task)][1]))
    assert (order["task"], order["version"], order["kind"]) == (task, 1, objects.DELIVER)
    assert [row[0] for row in order["crew"]] == [*delivery.crew, bank.driver.id]
    assert [row[2] for row in order["boxes"]] == delivery.boxes
    vehicle = objects.part("vehicle", order["vehicle"])
    assert (vehicle["plate"], vehicle["epc"]) == (bank.vehicles[0].plate, bank.vehicles[0].epc)
    assert len(online.fetch(vehicle["clip"])) > 16_000
    assert online.fetch(vehicle["label"])[:4] == bytes((0, 240, 0, 32))
    prompts = objects.decode_blob("prompts", online.fetch(listed[(objects.PROMPTS, 1)][1]))
    assert online.fetch(prompts["prompts"][0][2])[:4] == bytes((0, 240, 0, 240))


@pytest.mark.shows("D11")
def test_need_to_know(online, services, day):
    online.status()
    manifest = open_manifest(services, online, online.receive_until("object")["object"])
    bank = day.bank
    roster = people_in(online, services, manifest, bank.sites["north"].id)
    expected = {bank.crew[0].id, bank.crew[1].id, bank.driver.id, bank.officers["north"].id}
    assert {person["id"] for person in roster} == expected
    escort = next(person for person in roster if person["id"] == bank.crew[0].id)
    assert escort["role"] == objects.ESCORT
    model, number, duress, template = escort["fingers"][0]
    assert (model, number, duress) == ("R503", 1, False)
    assert online.fetch(template) == server_bank.TEMPLATE
    assert len(online.fetch(escort["clip"])) > 3_000
    assert online.fetch(escort["label"])[:4] == bytes((0, 240, 0, 32))


def test_what_is_not_listed_is_refused(online, services):
    online.status()
    online.receive_until("object")
    online.send("want", hash=bytes(32), offset=0)
    assert online.receive_until("refused")["reason"] == errors.NOT_WANTED


@pytest.mark.shows("D11")
def test_what_another_unit_may_have_is_refused(connect, services, day, online):
    with services.database.writing() as session:
        other = UnitClient(services, seed=2).register(session, day.bank.sites["south"])
    foreign = entries(newest(services, other.id))[(objects.ORDER, day.tasks[1])][1]
    online.status()
    online.receive_until("object")
    online.send("want", hash=foreign, offset=0)
    assert online.receive_until("refused")["reason"] == errors.NOT_WANTED


def test_an_offset_beyond_the_end_is_refused(online, services, day):
    online.status()
    manifest = open_manifest(services, online, online.receive_until("object")["object"])
    _, name, size = entries(manifest)[(objects.ORDER, day.tasks[0])]
    online.send("want", hash=name, offset=size)
    assert online.receive_until("refused")["reason"] == errors.TOO_LARGE


def test_templates_are_sealed_at_rest(services):
    for path in services.settings.data.glob("doorward.sqlite*"):
        assert server_bank.TEMPLATE[:64] not in path.read_bytes()


def test_a_new_version_only_if_something_changed(services, unit):
    assert versions(services, unit.id) == [1]
    assert refresh(services, unit.id) is None
    assert versions(services, unit.id) == [1]


def test_any_number_of_orders_fits_the_link(monkeypatch, services, unit):
    """One that did not fit a frame closed the connection, again and again, and the unit was blamed for it."""
    stop = SimpleNamespace(id=(1 << 32) - 1, order_version=(1 << 32) - 1)
    monkeypatch.setattr(manifests, "stops_to_hold", lambda *_: [stop] * 200)
    monkeypatch.setattr(manifests.contents, "roster", lambda session, *_: manifests.contents.prompts(session))
    monkeypatch.setattr(manifests.contents, "order", lambda session, _: manifests.contents.prompts(session))
    monkeypatch.setattr(manifests.blobs, "size", lambda *_: (1 << 32) - 1)
    with services.database.writing() as session:
        made = manifests.compile_manifest(session, session.get_one(Unit, unit.id))
    assert made is not None
    assert len(open_manifest(services, unit, made.object)["entries"]) == manifests.MOST_ORDERS + 3
    assert len(messages.encode("object", kind="manifest", object=made.object)) <= MAX_PLAINTEXT


def test_an_older_manifest_does_not_follow_a_newer_one(monkeypatch, services, online):
    """One that is made while a status is being answered; the unit would refuse the older, and alarm."""
    answer = state.note_status

    def meanwhile(*said):
        old = answer(*said)
        line = line_of(services)
        assert line is not None
        line.offer_manifest(online.id, b"newer", set())
        return old

    monkeypatch.setattr(state, "note_status", meanwhile)
    online.status()
    assert online.receive_until("object")["object"] == b"newer"
    online.status(manifest=1)
    assert online.receive()[0] == "time"


def test_an_old_manifest_is_renewed_before_it_goes_stale(services, unit, clock):
    before = newest(services, unit.id)
    clock.pass_time(hours=services.settings.manifest_fresh_hours / 2)
    assert refresh(services, unit.id) is not None
    assert versions(services, unit.id) == [1, 2]
    after = newest(services, unit.id)
    assert after["fresh_until"] > before["fresh_until"]
    configuration = (objects.CONFIGURATION, 2)
    assert (
        entries(after)[configuration] == entries(before)[configuration]
    )  # no new version of what is the same


def test_a_changed_crew_revokes_the_order_at_once(online, services, day, clock):
    online.status()
    first = open_manifest(services, online, online.receive_until("object")["object"])
    bank = day.bank
    with services.database.writing() as session:
        one, two = (session.get(User, user.id) for user in (bank.dispatcher, bank.dispatcher2))
        crew = (Member(bank.crew[2].id), Member(bank.crew[3].id), Member(bank.driver.id, "vehicle"))
        asked = planning.change_request(session, one, session.get(Run, day.run), crew=crew)
        planning.four_eyes.decide(session, two, asked, approve=True)
    pushed = online.receive_until("object")
    second = open_manifest(services, online, pushed["object"])
    assert (first["version"], second["version"]) == (1, 2)
    version, name, _ = entries(second)[(objects.ORDER, day.tasks[0])]
    assert version == 2
    assert name != entries(first)[(objects.ORDER, day.tasks[0])][1]
    roster = {person["id"] for person in people_in(online, services, second, bank.sites["north"].id)}
    assert bank.crew[2].id in roster
    assert bank.crew[0].id not in roster


@pytest.mark.shows("D11", "F4")
def test_orders_come_and_go_with_their_time(services, unit, day, clock):
    """From 12 h before the window until 2 h after the close (D11); boundaries to the second."""
    key = (objects.ORDER, day.tasks[0])
    assert key in entries(newest(services, unit.id))
    with services.database.writing() as session:
        set_stop_status(session, day.tasks[0], StopStatus.CLOSED, clock.now())
        assert manifests.next_boundary(session) <= clock.now() + timedelta(hours=2)
    clock.pass_time(hours=2, seconds=-1)
    refresh(services, unit.id)
    assert key in entries(newest(services, unit.id))
    assert due(services) == []
    clock.pass_time(seconds=1)
    assert due(services) == [unit.id]
    assert refresh(services, unit.id) is not None
    listed = entries(newest(services, unit.id))
    assert key not in listed
    with services.database.reading() as session:
        content = manifests.blobs.get(session, listed[(objects.ROSTER, day.bank.sites["north"].id)][1])
    people = objects.decode_blob("roster", content)["people"]
    assert [row[0] for row in people] == [day.bank.officers["north"].id]  # the crew is forgotten


def test_a_manifest_changes_when_its_moment_comes(online, services, day, clock):
    online.status()
    online.receive_until("object")
    clock.pass_time(hours=1 + 0.5 + 1 + 2)  # until the window, the window, its grace, two hours
    services.parts["manifests"].wake()  # stands for the timer, whose loop does not follow this clock
    pushed = open_manifest(services, online, online.receive_until("object")["object"])
    assert (objects.ORDER, day.tasks[0]) not in entries(pushed)


def test_a_close_that_is_heard_of_late_still_ends_the_order(online, services, day, delivery, clock):
    online.status()
    online.receive_until("object")
    van = day.bank.vehicles[0]
    then = clock.milliseconds()
    delivery.arrive(van.id, van.epc, van.tid)
    clock.pass_time(hours=2, minutes=10)
    online.append(
        "closed", task=delivery.task, nonce=delivery.nonce, officer=delivery.officer, crew=delivery.crew[0],
        boxes=2, order_version=1, time=then,
    )  # fmt: skip
    online.send_record(1)
    pushed = open_manifest(services, online, online.receive_until("object")["object"])
    assert (objects.ORDER, day.tasks[0]) not in entries(pushed)


def test_a_removed_person_leaves_the_roster(services, unit, day):
    from doorward_server.people.service import remove_person

    officer = day.bank.officers["north"].id
    with services.database.writing() as session:
        remove_person(session, None, session.get(Person, officer))
        service.orders_changed(session, [day.bank.sites["north"].id])
    with services.database.reading() as session:
        listed = entries(newest(services, unit.id))
        content = manifests.blobs.get(session, listed[(objects.ROSTER, day.bank.sites["north"].id)][1])
    assert officer not in [row[0] for row in objects.decode_blob("roster", content)["people"]]


@pytest.mark.shows("D17")
def test_a_deleted_key_deletes_the_blobs_of_a_person(services, unit, day):
    escort = day.bank.crew[0].id
    with services.database.writing() as session:
        name = hashlib.sha256(server_bank.TEMPLATE).digest()
        assert manifests.blobs.get(session, name) == server_bank.TEMPLATE
        biometrics.destroy(session, escort)
        assert manifests.blobs.get(session, name) is None


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_content_outlives_the_key_of_another_who_had_the_same(services, day, comes_back):
    """Else nobody could fetch the template or photo of somebody who was removed and comes back."""

    def put_all(session, person_id: int) -> list[bytes]:
        return [
            blobs.put(session, b"a template", person_id),
            blobs.derive(session, "photo", b"of %d" % person_id, lambda: b"a bitmap", person_id),
        ]

    first, second = (person.id for person in day.bank.crew[:2])
    with services.database.writing() as session:
        names = put_all(session, first)
        if not comes_back:
            put_all(session, second)
        biometrics.destroy(session, first)
        assert blobs.get_all(session, names) == {}
    with services.database.writing() as session:
        assert put_all(session, second) == names
        assert sorted(blobs.get_all(session, names).values()) == [b"a bitmap", b"a template"]


@pytest.mark.shows("F3")
@pytest.mark.parametrize("have", [True, False])
def test_desired_against_actual(online, services, day, log_in, have):
    from doorward_server.security.roles import Role
    from unit_client import eventually

    online.status()
    manifest = open_manifest(services, online, online.receive_until("object")["object"])
    missing = [] if have else [manifest["entries"][0][3]]
    online.send("have", manifest=1, complete=have, missing=missing)
    browser = log_in(day.bank.users[Role.ADMINISTRATOR])
    assert eventually(lambda: browser.get(f"/api/units/{online.id}").json()["actual_version"] == 1)
    answer = browser.get(f"/api/units/{online.id}").json()
    assert (answer["online"], answer["difference"]) == (True, "" if have else "fetching")
    assert [row["missing"] for row in answer["desired"]] == [not have, False, False, False]
    assert browser.get("/api/units").json()[0]["kid"] == online.kid.hex()


def test_registration_refuses_wrong_and_known_keys(services, day):
    from doorward_server.problems import Problem

    keys = [bytes([n]) * 64 for n in range(3)]
    site = day.bank.sites["south"]
    with services.database.writing() as session:
        for kid, dh, signing, bundle in (
            (b"short", *keys),
            (b"12345678", keys[0], keys[0], keys[1]),
            (b"12345678", b"", keys[1], keys[2]),
        ):
            with pytest.raises(Problem, match="unit_keys"):
                service.register_unit(session, kid, site, dh, signing, bundle)
        service.register_unit(session, b"12345678", site, keys[0], keys[1], keys[2])
        with pytest.raises(Problem, match="unit_known"):
            service.register_unit(session, b"12345678", site, keys[0], keys[1], keys[2])


@pytest.mark.shows("D18", "F7")
def test_two_people_release_a_locked_panel(online, services, day, log_in):
    from doorward_server.security.roles import Role

    officer, duty = (log_in(day.bank.users[role]) for role in (Role.OFFICER, Role.DUTY))
    asked = officer.post(f"/api/units/{online.id}/lockout_release", json={"panel": 1})
    assert asked.status_code == 200, asked.text
    approval = asked.json()["approval"]
    decided = duty.post(f"/api/approvals/{approval}/decision", json={"approve": True, "note": ""})
    assert decided.status_code == 200, decided.text
    while (fields := online.receive_until("object"))["kind"] != "command":
        pass
    key = authority.dispatch_key(services)
    command = run(objects.verify(online.suite, "command", fields["object"], {key.kid: key.public}))
    assert (command["verb"], command["panel"]) == (objects.RELEASE_LOCKOUT, 1)
    officer_person, duty_login = day.bank.officers["north"].id, day.bank.users[Role.DUTY].id
    assert command["decided_by"] == [officer_person, objects.LOGIN + duty_login]


def test_the_trust_object_names_this_server_and_needs_two_roots(services):
    from doorward_protocol.errors import ProtocolError
    from doorward_protocol.trust import verify_trust
    from doorward_server.security.keys import KeyPair

    roots = [KeyPair(bytes([n]) * 8, *run(services.suite.new_key())) for n in range(3)]
    trusted = run(verify_trust(services.suite, authority.make_trust(services, roots[:3])))
    assert trusted["server_key"] == authority.server_key(services).public
    assert trusted["dispatch_key"] == authority.dispatch_key(services).public
    assert (trusted["version"], trusted["threshold"]) == (1, 2)
    with pytest.raises(ProtocolError):
        run(verify_trust(services.suite, authority.make_trust(services, roots[:1])))
