"""`doorward units`: what it prints of a server's database, and with which status it ends."""

import json
from datetime import UTC, datetime

import pytest
from doorward_server.app import open_services
from doorward_server.backup.archive import Manifest
from doorward_server.backup.settle import settle
from doorward_server.clock import to_milliseconds
from doorward_server.fleet.models import Area, Site
from doorward_server.link import state
from doorward_server.settings import Settings
from doorward_server.units.service import register_unit
from doorward_tools.main import app
from typer.testing import CliRunner


class Clock:
    """Stands still at 06:00 in Shanghai until a test says otherwise."""

    moment = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)

    def now(self):
        return self.moment

    def milliseconds(self):
        return to_milliseconds(self.moment)


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr("doorward_server.app.SystemClock", lambda: clock)
    monkeypatch.setattr("doorward_server.units.contents.PROMPTS", {})
    return clock


@pytest.fixture
def bank(tmp_path, clock):
    """bank(complete, health) -> the data folder of a bank whose one unit has just said so; closed again."""

    def make(complete: bool, health: list[str]):
        services = open_services(Settings(data=tmp_path))
        with services.database.writing() as session:
            area = Area(code="east", name_zh="东区", name_en="East")
            session.add(area)
            session.flush()
            site = Site(code="north", name_zh="北站", name_en="North", kind="branch", area_id=area.id)
            session.add(site)
            session.flush()
            unit = register_unit(session, b"unit-001", site, b"\1" * 64, b"\2" * 64, b"\3" * 64)
            state.note_online(session, unit.id, clock.milliseconds())
            fields = {
                "manifest": 1, "epoch": 1, "size": 0, "acknowledged": 0, "clock": 0,
                "time": clock.milliseconds(), "firmware": "1.0", "health": health,
            }  # fmt: skip
            state.note_status(session, unit.id, fields, clock.milliseconds(), first=False)
            missing = [] if complete else [bytes(32)]
            state.note_have(session, unit.id, {"manifest": 1, "complete": complete, "missing": missing})
        services.database.close()
        return tmp_path

    return make


def run(folder, *options):
    return CliRunner().invoke(app, ["units", *options, "--data", str(folder)])


@pytest.mark.shows("F3", "F6")
@pytest.mark.parametrize(
    ("complete", "health", "status", "said"),
    [
        (True, [], 0, ["Good", "North", "756e69742d303031"]),
        (True, ["outer_screen: screen_failed"], 0, ["Attention", "outer screen: screen failed"]),
        (True, ["camera: camera_failed"], 1, ["Bad", "Sensors and devices: camera: camera failed"]),
        (False, [], 1, ["Attention", "fetching, still missing: 1"]),
    ],
)
def test_the_status_says_whether_somebody_has_to_look(bank, complete, health, status, said):
    answer = run(bank(complete, health))
    assert answer.exit_code == status, answer.output
    for words in said:
        assert words in answer.output
    assert "Roster" not in answer.output  # what is well is not listed


@pytest.mark.shows("F3", "F6")
def test_a_unit_that_went_silent_is_bad_although_no_server_has_noticed(bank, clock, monkeypatch):
    folder = bank(True, [])
    monkeypatch.setattr(clock, "moment", clock.moment.replace(minute=15))
    answer = run(folder, "--language", "zh")
    assert (answer.exit_code, "06:00:00 起没有消息" in answer.output) == (1, True)


@pytest.mark.shows("F3")
def test_json_tells_everything(bank):
    answer = run(bank(True, []), "--json")
    (unit,) = json.loads(answer.output)
    assert (unit["site_code"], unit["state"], unit["difference"]) == ("north", "good", "")
    assert [entry["kind"] for entry in unit["entries"]] == ["manifest", "roster", "configuration", "prompts"]
    assert all(entry["hash"] == entry["held"]["hash"] for entry in unit["entries"])
    assert {aspect["name"] for aspect in unit["aspects"]} >= {"connection", "clock", "tamper"}


def test_one_unit_is_shown_whole(bank):
    folder = bank(True, [])
    for name in ("1", "756e69742d303031"):
        answer = run(folder, name)
        assert (answer.exit_code, "Roster 1: v1" in answer.output) == (0, True)
    answer = run(folder, "2")
    assert (answer.exit_code, "no unit 2" in answer.output) == (2, True)


def test_nothing_is_changed_or_made(bank, tmp_path):
    folder = bank(True, ["camera: camera_failed"])
    before = run(folder, "--json").output
    assert run(folder, "--json").output == before
    answer = run(tmp_path / "nowhere")
    assert (answer.exit_code, "--data" in answer.output) == (2, True)
    assert not (tmp_path / "nowhere").exists()


def test_a_bank_without_units_has_nothing_wrong(tmp_path, clock):
    open_services(Settings(data=tmp_path)).database.close()
    answer = run(tmp_path)
    assert (answer.exit_code, "No unit is registered yet." in answer.output) == (0, True)


@pytest.mark.shows("F3", "S23")
def test_somebody_has_to_look_until_two_people_have_gone_on_after_a_restore(bank, clock):
    """Also while every unit holds what the backup knows: nothing new reaches them."""
    folder = bank(True, [])
    services = open_services(Settings(data=folder))
    with services.database.writing() as session:
        settle(session, Manifest(clock.milliseconds(), "", "", 0, {}), [], {})
    services.database.close()
    answer = run(folder)
    assert answer.exit_code == 1
    assert "units get no new orders yet" in answer.output
    assert run(folder, "--json").exit_code == 1
