"""The wall over projected records: where each stop stands, figures, alarms, what was heard."""

from datetime import timedelta

import pytest
from console_branch import FACES
from doorward_protocol import errors, records
from doorward_server.alarms import service as alarms
from doorward_server.alarms.models import Alarm
from doorward_server.console import host_view, wall_view
from doorward_server.planning import service as planning
from doorward_server.planning.models import StopStatus
from doorward_server.planning.progress import set_stop_status
from doorward_server.security.models import User
from doorward_server.security.roles import Role
from server_bank import plan, stop
from sqlmodel import select


@pytest.mark.shows("S22")
def test_the_wall_says_where_each_stop_stands(branch):
    def north():
        stop = branch.wall()["runs"][0]["stops"][0]
        return stop["status"], stop["state"], stop["arrived"]

    assert north() == ("planned", "Planned", "")
    branch.arrive()
    assert north() == ("under_way", "Crew at the panel", "arrived 06:00")
    branch.crew_complete()
    assert north() == ("under_way", "Waits for comparison", "arrived 06:00")
    branch.approve()
    branch.read_boxes()
    branch.close()
    assert north() == ("closed", "Done", "arrived 06:00")
    assert branch.wall()["runs"][0]["crew"] == "E000, E001, D001"
    assert branch.wall("zh")["runs"][0]["crew"] == "姓E000、姓E001、姓D001"


def figures(branch) -> dict:
    return {figure["text"]: (figure["value"], figure["look"]) for figure in branch.wall()["figures"]}


@pytest.mark.shows("S22")
def test_a_run_over_midnight_stays_until_it_is_over(session, staffed, clock, monkeypatch):
    monkeypatch.setattr("doorward_server.units.contents.PROMPTS", {})
    begin = clock.now() + timedelta(hours=17, minutes=30)  # 23:30 in Shanghai
    night = stop(staffed, begin, "north", hours=0, window_until=begin + timedelta(hours=1))
    first, second = (session.get(User, one.id) for one in (staffed.dispatcher, staffed.dispatcher2))
    run = planning.create_run(session, first, plan(staffed, clock.now(), stops=(night,)))
    planning.release_approve(session, second, planning.release_request(session, first, run))

    def shown():
        host = host_view.build(session, staffed.sites["north"].id, "en", may_decide=True)
        return len(wall_view.build(session, "en")["runs"]), len(host["stops"])

    for minutes, expected in ((20, (1, 1)), (40, (1, 1)), (110, (1, 1)), (130, (0, 0))):
        clock.moment = begin + timedelta(minutes=minutes)  # it expires at 01:30
        assert shown() == expected, minutes
    clock.moment = begin + timedelta(minutes=40)
    set_stop_status(session, planning.stops_of(session, run)[0].id, StopStatus.CLOSED, clock.now())
    assert shown() == (0, 0)


def test_the_walls_figures_turn_colour_with_trouble(branch):
    branch.unit.online = True
    assert figures(branch)["figure_units"] == ("1 / 1", "")
    assert figures(branch)["figure_alarms"] == (0, "")
    branch.unit.online = False
    branch.arrive()
    branch.finger(branch.crew[0], picture=FACES[0], duress=True)
    assert figures(branch)["figure_units"] == ("0 / 1", "wait")
    assert figures(branch)["figure_alarms"] == (1, "bad")
    assert figures(branch)["figure_open"] == (1, "")


def test_alarms_stand_by_gravity_and_those_heard_come_last(branch):
    branch.arrive()
    branch.finger(branch.crew[0], picture=FACES[0], duress=True)
    branch.clock.pass_time(seconds=1)
    branch.record("vehicle_refused", task=None, epc=b"\x30" * 12, tid=None, reason=errors.UNKNOWN_TAG)
    branch.clock.pass_time(seconds=1)
    branch.door(records.DOOR_OUTER, records.DOOR_FORCED)

    def rules():
        return [alarm["rule"] for alarm in branch.wall()["alarms"]]

    assert rules()[-1] == "unknown_vehicle"
    assert set(rules()[:-1]) == {"duress", "door_forced"}
    duty = branch.session.get(User, branch.bank.users[Role.DUTY].id)
    key = branch.session.exec(select(Alarm.key).where(Alarm.rule == "duress")).one()
    alarms.acknowledge(branch.session, duty, key)
    assert rules() == ["door_forced", "unknown_vehicle", "duress"]
    assert branch.wall()["alarms"][-1]["heard"].startswith(duty.name)
    alarms.close(branch.session, duty, key, "Called the branch.")
    assert rules() == ["door_forced", "unknown_vehicle"]


def test_an_alarm_shows_what_its_record_says(branch):
    branch.record("sensor", name="card_reader", reason=errors.READER_SILENT, detail="")
    alarm = branch.wall()["alarms"][0]
    assert alarm["line"] == "staff-card reader: reader is silent"
    assert alarm["site"] == "north"


def test_an_alarm_for_a_foreign_box_says_where_it_belongs(branch):
    branch.crew_complete()
    branch.approve()
    branch.step("foreign_box", epc=branch.bank.boxes[2].epc, tid=None, reason=errors.FOREIGN_BOX)
    alarm = next(alarm for alarm in branch.wall()["alarms"] if alarm["rule"] == "foreign_box")
    assert alarm["line"] == "A box of another order: B002 · belongs to south"


def test_records_that_came_late_are_marked(branch):
    branch.record("boot", reason=1, firmware="x", tests=[], manifest=1)
    branch.record("boot", reason=1, firmware="x", tests=[], manifest=1, late=2001)
    assert [event["late"] for event in branch.wall()["feed"]] == [True, False]
