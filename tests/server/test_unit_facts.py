"""The facts about units from a database: what records tell, what a unit holds, who comes first."""

from datetime import timedelta

import pytest
from doorward_protocol import errors, objects, records
from doorward_server.alarms import service as alarms
from doorward_server.alarms.models import Alarm
from doorward_server.backup.archive import Manifest
from doorward_server.backup.settle import settle
from doorward_server.fleet.models import Site
from doorward_server.link import state
from doorward_server.security.models import User
from doorward_server.security.roles import Role
from doorward_server.units import answers, blobs, manifests, recorded, service
from doorward_server.units.condition import NOTHING, Fill
from doorward_server.units.facts import facts_of, facts_of_all
from doorward_server.units.holdings import holdings, manifest_of
from doorward_server.units.service import register_unit
from sqlmodel import select

WATCHDOG = 3


@pytest.fixture
def unit(branch):
    """The north branch's unit, connected and holding what it should."""
    now = branch.clock.milliseconds()
    state.note_online(branch.session, branch.unit.id, now)
    say(branch)
    have(branch)
    return branch.unit


def say(branch, **changes):
    """A status without trouble."""
    now = branch.clock.milliseconds()
    fields = {
        "manifest": branch.unit.actual_version, "epoch": 1, "size": 0, "acknowledged": 0, "clock": 0,
        "time": now, "firmware": "1.0", "health": [],
    }  # fmt: skip
    state.note_status(branch.session, branch.unit.id, {**fields, **changes}, now, first=False)


def have(branch, *missing, version=None):
    version = branch.unit.manifest_version if version is None else version
    fields = {"manifest": version, "complete": not missing, "missing": list(missing)}
    state.note_have(branch.session, branch.unit.id, fields)


def boot(branch, reason=1):
    branch.record("boot", reason=reason, firmware="1.0", tests=[], manifest=1)


def bad(branch) -> dict[str, str]:
    return {
        one.name: one.state for one in facts_of(branch.session, branch.unit).aspects if one.state != "good"
    }


def recorded_of(branch):
    return recorded.recorded(branch.session).get(branch.unit.id, NOTHING)


@pytest.mark.shows("F6")
def test_a_unit_without_trouble_is_good(branch, unit):
    facts = facts_of(branch.session, unit)
    assert (facts.state, facts.difference.why, bad(branch)) == ("good", "", {})
    assert facts.changes_in == 90_000


@pytest.mark.shows("F6")
def test_a_store_that_fills_is_told_until_there_is_room(branch, unit):
    branch.record("storage", name="journal", used=91, total=100)
    branch.record("storage", name="blobs", used=99, total=100)
    assert recorded_of(branch).fills == (Fill("blobs", 99, 100), Fill("journal", 91, 100))
    assert bad(branch) == {"storage": "bad"}
    branch.record("storage", name="blobs", used=10, total=100)
    assert recorded_of(branch).fills == (Fill("journal", 91, 100),)
    assert bad(branch) == {"storage": "attention"}


@pytest.mark.shows("F6")
def test_tampering_stands_until_its_input_is_back_or_somebody_has_closed_it(branch, unit):
    duty = branch.session.get(User, branch.bank.users[Role.DUTY].id)

    def close(rule):
        key = branch.session.exec(select(Alarm.key).where(Alarm.rule == rule)).one()
        alarms.acknowledge(branch.session, duty, key)
        alarms.close(branch.session, duty, key, "Looked at it.")

    branch.record("input", name=records.INPUT_TAMPER, active=True)
    branch.record("sensor", name="outer_fingerprint", reason=errors.SENSOR_TAMPERED, detail="")
    assert recorded_of(branch).tampering == ("sensor_tampered", "tamper")
    close("sensor_tampered")
    close("tamper")
    assert recorded_of(branch).tampering == ("tamper",)  # it is still open, whatever anybody says
    branch.record("input", name=records.INPUT_TAMPER, active=False)
    assert recorded_of(branch) == NOTHING


@pytest.mark.shows("F6")
def test_the_starts_of_the_last_day_are_counted(branch, unit):
    for reason in (1, WATCHDOG):
        boot(branch, reason)
        branch.clock.pass_time(hours=1)
    boot(branch, 1)
    assert (recorded_of(branch).starts, recorded_of(branch).watchdog) == (3, 1)
    branch.clock.pass_time(hours=23)  # the first was 25 h ago, the second exactly 24 h
    assert (recorded_of(branch).starts, recorded_of(branch).watchdog) == (2, 1)
    branch.clock.pass_time(minutes=1)
    assert (recorded_of(branch).starts, recorded_of(branch).watchdog) == (1, 0)
    branch.clock.pass_time(hours=1)
    assert recorded_of(branch) == NOTHING
    newest = recorded.last_start(branch.session, unit.id)
    assert newest is not None
    assert newest.details["reason"] == 1


@pytest.mark.shows("F6")
def test_starts_of_days_ago_that_come_late_are_not_of_the_last_day(branch, unit):
    """After an outage, or a restore, for which the unit sends all again."""
    for _ in range(10):
        branch.record("boot", late=90_000_000, reason=1, firmware="1.0", tests=[], manifest=1)
    branch.clock.pass_time(hours=25)
    assert recorded_of(branch) == NOTHING
    boot(branch)
    assert recorded_of(branch).starts == 1


@pytest.mark.shows("F6")
def test_a_part_that_failed_its_self_test_is_broken_until_a_start_passes(branch, unit):
    def start(**tests):
        fields = [[name, ok] for name, ok in tests.items()]
        branch.record("boot", reason=1, firmware="1.0", tests=fields, manifest=1)

    start(camera=True, gate_reader=False, card_reader=False, secure_boot=False)
    start(camera=True, gate_reader=False, secure_boot=False)  # whose protection the status tells
    assert recorded_of(branch).failed == ("gate_reader",)
    assert bad(branch) == {"sensors": "bad"}
    say(branch, health=["gate_reader: reader_silent"])
    sensors = next(one for one in facts_of(branch.session, unit).aspects if one.name == "sensors")
    assert [finding.about for finding in sensors.findings] == [
        {"part": "gate_reader", "reason": errors.READER_SILENT}
    ]
    start(camera=True, gate_reader=True, secure_boot=True)
    assert recorded_of(branch).failed == ()


@pytest.mark.shows("F3")
def test_a_manifest_that_is_refused_says_with_which_reason(branch, unit):
    have(branch, version=0)
    assert facts_of(branch.session, unit).difference.why == "old_manifest"
    branch.record("refusal", what="command", reference=None, reason=errors.EXPIRED, detail="")
    assert facts_of(branch.session, unit).difference.why == "old_manifest"
    branch.record("refusal", what="manifest", reference=None, reason=errors.BAD_SIGNATURE, detail="")
    branch.record("refusal", what="manifest", reference=None, reason=errors.NOT_YET_VALID, detail="")
    found = answers.of_unit(facts_of(branch.session, unit))
    assert (found["difference"], found["refused"], found["state"]) == ("refused", "not_yet_valid", "bad")
    now = branch.clock.milliseconds()
    assert set(recorded.refusals(branch.session, {unit.id: now, 99: 0})) == {unit.id}
    assert recorded.refusals(branch.session, {unit.id: now + 1, 99: 0}) == {}
    branch.clock.pass_time(seconds=1)
    branch.session.get(Site, branch.site).name_zh = "新名"
    service.refresh(branch.session, unit)  # the newer one has not been refused
    assert facts_of(branch.session, unit).difference.why == "old_manifest"
    have(branch)
    assert facts_of(branch.session, unit).difference.why == ""


def by_kind(branch):
    return {one.kind: one for one in holdings(branch.session, branch.unit)}


@pytest.mark.shows("F3")
def test_each_entry_is_held_by_its_hash(branch, unit):
    assert set(by_kind(branch)) == {"roster", "order", "configuration", "prompts"}
    assert not any(one.differs for one in by_kind(branch).values())
    roster = by_kind(branch)["roster"].desired
    assert roster is not None
    have(branch, bytes.fromhex(roster.hash))
    assert [(kind, one.held) for kind, one in by_kind(branch).items() if one.differs] == [("roster", None)]
    template = blobs.put(branch.session, bytes(range(128)))  # every finger of the bank has this one
    have(branch, template, b"\7" * 32)
    assert {kind: one.missing_parts for kind, one in by_kind(branch).items() if one.differs} == {"roster": 1}


@pytest.mark.shows("F3")
def test_what_was_revoked_is_held_until_the_newer_manifest_is_taken(branch, unit):
    branch.clock.pass_time(days=3)
    service.refresh(branch.session, unit)
    old, order = manifest_of(branch.session, unit), by_kind(branch)["order"]
    assert [one and one.version for one in (old.desired, old.held)] == [2, 1]
    assert (order.revoked, order.differs, order.missing) == (True, True, False)
    have(branch)
    assert "order" not in by_kind(branch)
    assert not manifest_of(branch.session, unit).differs


def test_a_unit_that_claims_a_manifest_we_never_made_holds_nothing_known(branch, unit):
    have(branch, version=77)
    assert manifest_of(branch.session, unit).held is None
    assert all(one.missing for one in holdings(branch.session, unit))


def test_a_unit_that_raises_alarms_without_end_does_not_take_the_facts_away(branch, unit, monkeypatch):
    """Each store is another subject, whose alarm stands; the database takes only so many in one question."""
    monkeypatch.setattr(recorded, "LOOKED_AT", 3)
    other = register_unit(
        branch.session, b"unit-002", branch.bank.sites["south"], b"\4" * 64, b"\5" * 64, b"\6" * 64
    )
    kept, branch.unit = branch.unit, other
    branch.record("storage", name="journal", used=95, total=100)
    branch.unit = kept
    for number in range(5):
        branch.clock.pass_time(seconds=1)
        branch.record("storage", name=f"store {number}", used=95, total=100)
    found = recorded.recorded(branch.session)
    assert [one.store for one in found[unit.id].fills] == ["store 2", "store 3", "store 4"]
    assert [one.store for one in found[other.id].fills] == ["journal"]


def test_an_empty_database_has_no_units(session):
    assert facts_of_all(session) == []
    assert recorded.recorded(session) == {}


@pytest.mark.shows("F3", "F6")
def test_the_worst_unit_comes_first(branch, unit):
    def other(number, site):
        first, second, third = (bytes([number + key]) * 64 for key in range(3))
        kid = b"unit-00%d" % number
        return register_unit(branch.session, kid, branch.bank.sites[site], first, second, third)

    south, vault = other(4, "south"), other(7, "vault")
    order = [facts.unit.id for facts in facts_of_all(branch.session)]
    assert order == [south.id, vault.id, unit.id]  # two that never connected, by their sites' codes
    say(branch, health=["camera: camera_failed"])
    assert [facts.unit.id for facts in facts_of_all(branch.session)] == [unit.id, south.id, vault.id]
    branch.clock.pass_time(minutes=15)
    say(branch, health=["camera: camera_failed"])
    order = [facts.unit.id for facts in facts_of_all(branch.session)]
    assert order == [south.id, vault.id, unit.id]  # worse: their contents are bad too


def test_a_manifest_that_ran_out_is_bad(branch, unit):
    branch.clock.pass_time(hours=24)
    say(branch)
    assert bad(branch) == {"contents": "bad"}
    newest = manifests.newest(branch.session, unit)
    assert newest is not None
    assert newest.fresh_until == branch.clock.milliseconds()


def test_kinds_have_words_and_are_all_there():
    from doorward_server.console.texts import TEXTS
    from doorward_server.units.holdings import KINDS

    kinds = {objects.ROSTER, objects.ORDER, objects.CONFIGURATION, objects.PROMPTS, objects.RELEASE}
    assert set(KINDS) == kinds
    assert {f"entry_{kind}" for kind in [*KINDS.values(), "manifest"]} == {
        key for key in TEXTS if key.startswith("entry_")
    }
    assert timedelta(milliseconds=recorded.DAY) == timedelta(days=1)


@pytest.mark.shows("F3", "S23")
def test_a_unit_that_holds_what_a_restore_has_lost_says_so_until_two_people_go_on(branch, unit):
    settle(branch.session, Manifest(branch.clock.milliseconds(), "", "", 0, {}), [], {})
    assert facts_of(branch.session, unit).difference.why == ""  # the backup knows what it holds
    restored = branch.clock.milliseconds()
    branch.clock.pass_time(minutes=10)
    say(branch, manifest=7)
    # It comes with the records of the time that was lost, and is about a manifest of then.
    branch.record("refusal", what="manifest", reference=None, reason=errors.FLASH_FULL, detail="")
    assert facts_of(branch.session, unit).difference[:2] == ("restored", restored)
    assert bad(branch) == {"contents": "attention"}
    branch.clock.pass_time(minutes=5)
    say(branch, manifest=7)
    assert bad(branch) == {"contents": "bad"}
    branch.clock.pass_time(hours=1)
    assert facts_of(branch.session, unit).difference.why == "offline"
