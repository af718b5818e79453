"""The host screen over projected records: states, steps, people, boxes, doors, notices."""

import pytest
from console_branch import FACES, NONCE
from doorward_protocol import errors, objects, records
from doorward_server.console import host_view
from doorward_server.console.host_notices import KEEP_GRAVE_MS, KEEP_REFUSED_MS
from doorward_server.console.texts import text
from doorward_server.handovers import projection
from doorward_server.handovers.models import Command
from doorward_server.link.models import Leaf
from doorward_server.planning.models import StopBox
from doorward_server.security.models import User
from doorward_server.security.roles import Role
from doorward_server.units import service as units
from page_parts import part_of


def steps_of(host) -> str:
    """The steps' looks in one line: d done, a active, b bad, - to come."""
    return "".join(step["look"][:1] or "-" for step in host["steps"])


def test_each_record_moves_the_host_screen_on(branch):
    seen = []

    def look():
        host = branch.host()
        seen.append((host["state"], steps_of(host), host.get("boxes_first"), host.get("decide")))

    look()
    branch.crew_complete()
    look()
    branch.approve()
    look()
    branch.read_boxes()
    look()
    branch.close()
    look()
    branch.step("left")
    look()
    assert seen == [
        ("idle", "", None, None),
        ("crew", "dda---", False, True),
        ("approved", "ddda--", True, False),
        ("boxes", "dddda-", True, False),
        ("closed", "ddddda", True, False),
        ("left", "dddddd", True, False),
    ]
    assert branch.host()["report"].endswith("/report")


def test_a_frozen_handover_says_why_and_where_it_stopped(branch):
    branch.crew_complete()
    branch.approve(approved=False, reason=errors.PICTURE_MISMATCH)
    assert steps_of(branch.host()) == "ddb---"
    branch.step("frozen", reason=errors.PICTURE_MISMATCH)
    host = branch.host()
    assert (host["state"], host["look"], steps_of(host)) == ("frozen", "bad", "ddb---")
    assert host["headline"].startswith("The handover is frozen · ")
    assert not host["decide"]


def test_a_handover_frozen_over_its_boxes_shows_them_first(branch):
    branch.crew_complete()
    branch.approve()
    branch.read_boxes(count=1)
    branch.step("frozen", reason=errors.MISSING_BOX)
    host = branch.host()
    assert (host["boxes_first"], steps_of(host)) == (True, "dddb--")


def test_a_finished_handover_leaves_the_screen_by_itself(branch):
    branch.arrive()
    branch.step("left")
    assert (branch.host()["state"], branch.host()["stale_in"]) == ("arrived", host_view.KEEP_FINISHED_MS)
    branch.clock.pass_time(milliseconds=host_view.KEEP_FINISHED_MS)
    assert branch.host()["state"] == "idle"


def test_crew_is_shown_by_duty_and_pictures_when_they_have_come(branch):
    branch.arrive()
    host = branch.host()
    assert [person["staff_number"] for person in host["at_door"]] == ["E000", "E001"]
    assert [person["staff_number"] for person in host["with_vehicle"]] == ["D001"]
    assert [person["waiting"] for person in host["at_door"]] == ["waiting_finger"] * 2
    assert all(person["photo"] for person in host["at_door"])
    branch.finger(branch.crew[0], picture=FACES[0])
    branch.finger(branch.crew[1], picture=None)
    first, second = branch.host()["at_door"]
    assert (first["verified"], first["picture"], first["waiting"]) == (True, "", "waiting_picture")
    assert (second["verified"], second["waiting"]) == (True, "no_picture")
    branch.picture_comes(FACES[0])
    assert branch.host()["at_door"][0]["picture"] == f"/api/pictures/{FACES[0].hex()}"


def test_heads_are_counted_in_the_picture_that_the_decision_names(branch):
    branch.crew_complete()
    assert (branch.host()["picture"], branch.host()["group"]) == (FACES[2].hex(), "")
    branch.picture_comes(FACES[2])
    assert branch.host()["group"] == f"/api/pictures/{FACES[2].hex()}"


def test_without_a_camera_there_is_no_picture_to_wait_for(branch):
    branch.arrive()
    branch.step("crew", people=branch.crew, picture=None)
    assert (branch.host()["decide"], branch.host()["picture"], branch.host()["group"]) == (True, "", None)
    assert not branch.host(may_decide=False)["decide"]


def test_a_decision_on_its_way_is_shown_as_such_until_it_is_too_old(branch, services):
    branch.crew_complete()
    now = branch.clock.milliseconds()
    command = Command(
        id=bytes(16), unit_id=branch.unit.id, verb=objects.APPROVE, task=branch.task, nonce=NONCE, object=b"",
        issued=now, expires=now + 1000 * services.settings.command_seconds,
    )  # fmt: skip
    branch.session.add(command)
    branch.session.flush()
    assert (branch.host()["sent"], branch.host()["decide"]) == (True, False)
    command.refused = errors.WRONG_TASK
    assert (branch.host()["sent"], branch.host()["decide"]) == (False, True)
    command.refused = None
    branch.clock.pass_time(seconds=services.settings.command_seconds)
    assert (branch.host()["sent"], branch.host()["decide"]) == (False, True)


def test_boxes_are_marked_read_missing_and_foreign(branch):
    branch.session.get(StopBox, (branch.task, branch.bank.boxes[0].id)).seal = "F-77"
    branch.crew_complete()
    branch.approve()
    assert (branch.host()["boxes_count"], branch.host()["boxes_chip"]) == ("0 / 2", "")
    branch.read_boxes(count=1, foreign=[branch.bank.boxes[5].epc, b"\x30" * 12])
    host = branch.host()
    assert [(box["number"], box["look"], box["note"]) for box in host["boxes"]] == [
        ("B000", "good", "Seal F-77"),
        ("B001", "bad", "Seal S1"),
        ("B005", "bad", "belongs to north"),
        ("30" * 12, "bad", "not of this task"),
    ]
    assert (host["boxes_count"], host["boxes_chip"]) == ("1 / 2", "bad")
    branch.read_boxes()
    assert (branch.host()["boxes_count"], branch.host()["boxes_chip"]) == ("2 / 2", "good")


def test_a_door_is_its_leaf_unless_that_is_closed(branch):
    seen = []
    for event in ("RELEASED", "OPENED", "LOCKED", "HELD_OPEN", "CLOSED", "RELEASED", "LOCKED", "FORCED"):
        branch.door(records.DOOR_INNER, getattr(records, f"DOOR_{event}"))
        outer, inner = branch.host()["doors"]
        seen.append((inner["state"], inner["look"]))
        assert (outer["name"], outer["state"], outer["look"]) == ("outer", "locked", "")
    assert seen == [
        ("released", "wait"),
        ("opened", "wait"),
        ("opened", "wait"),
        ("held_open", "bad"),
        ("locked", ""),
        ("released", "wait"),
        ("locked", ""),
        ("forced", "bad"),
    ]


def lock(branch, milliseconds):
    until = branch.clock.milliseconds() + milliseconds
    branch.record("locked", panel=records.PANEL_OUTER, failures=5, until=until)


@pytest.mark.shows("D18")
def test_a_locked_panel_is_announced_until_it_opens(branch):
    lock(branch, 30_000)
    host = branch.host()
    assert [notice.text for notice in host["notices"]] == ["The outer panel is locked until 06:00:30."]
    assert host["stale_in"] == 30_000
    branch.clock.pass_time(seconds=30)
    assert (branch.host()["notices"], branch.host()["stale_in"]) == ([], None)


def test_fingers_that_are_off_have_no_time_to_wait_for_but_a_release(branch):
    lock(branch, 30_000 << 45)
    assert "two people" in branch.host()["notices"][0].text
    branch.record("released", panel=records.PANEL_OUTER, by=[], command=None)
    assert branch.host()["notices"] == []


@pytest.mark.shows("D18", "F7", "S19")
def test_the_release_of_a_locked_panel_is_asked_for_at_the_branch(branch, session, log_in, staffed):
    lock(branch, 30_000 << 45)
    session.commit()
    officer, duty = log_in(staffed.users[Role.OFFICER]), log_in(staffed.users[Role.DUTY])
    here = f"/host/{branch.site}"
    assert 'name="panel" value="1"' in officer.get(here).text
    assert officer.post(f"{here}/release", data={"panel": 1}).url.path == here
    for page in (officer, duty):
        assert text("release_asked", "zh") in page.get(here).text
        assert 'name="panel"' not in page.get(here).text
    again = officer.post(f"{here}/release", data={"panel": 1})
    assert (again.status_code, "data-said" in again.text) == (409, True)
    approvals = duty.get("/approvals").text
    number = part_of(approvals, r"/approvals/(\d+)/decision")
    assert text("panel_outer", "zh") in approvals
    duty.post(f"/approvals/{number}/decision", data={"decision": "refuse"})
    assert 'name="panel" value="1"' in officer.get(here).text


def test_the_branch_hears_what_becomes_of_its_request(branch, session, services):
    told = []
    services.live.publish = lambda topic, payload: told.append((topic, payload["site"]))
    asker = session.get(User, branch.bank.users[Role.OFFICER].id)
    units.request_lockout_release(session, asker, branch.unit, records.PANEL_OUTER)
    session.commit()
    assert ("request", branch.site) in told


def test_a_release_is_asked_for_where_one_may(branch, session, log_in, staffed):
    lock(branch, 30_000)
    session.commit()
    here, south = f"/host/{branch.site}", staffed.sites["south"].id
    auditor, officer, duty = (log_in(staffed.users[role]) for role in (Role.AUDITOR, Role.OFFICER, Role.DUTY))
    assert 'name="panel"' not in auditor.get(here).text
    assert auditor.post(f"{here}/release", data={"panel": 1}).status_code == 403
    assert officer.post(f"/host/{south}/release", data={"panel": 1}).status_code == 404
    assert duty.post(f"/host/{south}/release", data={"panel": 1}).status_code == 404  # it has no unit
    assert duty.post(f"{here}/release", data={"panel": 3}).status_code == 422


UNHEARD_OF: list[tuple[str, dict[str, object]]] = [
    ("door", {"door": 9, "event": records.DOOR_FORCED, "cause": 9}),
    ("door", {"door": 1, "event": 9, "cause": 1}),
    ("input", {"name": 9, "active": True}),
    ("locked", {"panel": 9, "failures": 5, "until": 1 << 62}),
    ("released", {"panel": 9, "by": [(1 << 64) - 1], "command": None}),
    ("crew", {"task": 1, "nonce": NONCE, "people": [(1 << 64) - 1], "picture": None}),
    ("approval", {"task": 1, "nonce": NONCE, "approved": True, "by": [(1 << 64) - 1], "where": 9}),
    ("sensor", {"name": "{0}", "reason": 1 << 62, "detail": "\0"}),
]


@pytest.mark.parametrize(("name", "fields"), UNHEARD_OF, ids=str)
def test_numbers_that_mean_nothing_break_no_page(branch, name, fields):
    """One record of one unit would otherwise take the wall from everybody."""
    branch.record(name, **fields)
    branch.host()
    branch.wall()


def test_no_moment_of_a_record_is_beyond_the_calendar(branch):
    branch.arrive()
    branch.clock.pass_time(milliseconds=253_402_300_799_000 - branch.clock.milliseconds())
    entry = records.encode("door", branch.clock.milliseconds(), 0, 1, bytes(16), door=1, event=1, cause=1)
    leaf = Leaf(unit_id=branch.unit.id, epoch=1, index=1, entry=entry, leaf_hash=bytes(32), received=0)
    assert projection.read(branch.session, leaf) is None


@pytest.mark.parametrize(
    ("reason", "kept"), [(errors.TASK_COMPLETED, KEEP_GRAVE_MS), (errors.UNKNOWN_TAG, KEEP_REFUSED_MS)]
)
def test_a_refused_vehicle_stays_on_the_screen_for_a_while(branch, reason, kept):
    branch.record("vehicle_refused", task=None, epc=b"\x30" * 12, tid=None, reason=reason)
    assert [notice.name for notice in branch.host()["notices"]] == ["vehicle_refused"]
    branch.clock.pass_time(milliseconds=kept - 1)
    assert branch.host()["stale_in"] == 1
    branch.clock.pass_time(milliseconds=1)
    assert branch.host()["notices"] == []
    branch.record("vehicle_refused", task=None, epc=b"\x30" * 12, tid=None, reason=reason)
    branch.arrive()  # whoever is let in afterwards takes the notice away
    assert branch.host()["notices"] == []


@pytest.mark.shows("D9")
def test_nothing_of_a_duress_finger_is_on_the_host_screen(branch):
    branch.arrive()
    branch.finger(branch.crew[0], picture=FACES[0])
    calm = branch.host()
    branch.finger(branch.crew[1], picture=FACES[1], duress=True)
    alarmed = branch.host()
    assert alarmed["notices"] == calm["notices"] == []
    assert "uress" not in str(alarmed)
