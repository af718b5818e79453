"""Wall and host screen over projected records: states, steps, people, boxes, doors, notices, alarms."""

from datetime import timedelta

import pytest
from doorward_protocol import errors, merkle, objects, records
from doorward_server.alarms import service as alarms
from doorward_server.alarms.models import Alarm
from doorward_server.console import host_view, wall_view
from doorward_server.console.host_notices import KEEP_GRAVE_MS, KEEP_REFUSED_MS
from doorward_server.handovers import pictures, projection
from doorward_server.handovers.models import Command, Handover, Picture
from doorward_server.link.models import Leaf
from doorward_server.planning import service as planning
from doorward_server.planning.models import Stop, StopBox, StopStatus
from doorward_server.planning.progress import set_stop_status
from doorward_server.reports import content
from doorward_server.security.models import User
from doorward_server.security.roles import Role
from doorward_server.units.service import register_unit
from server_bank import plan, stop
from sqlalchemy import event as database_event
from sqlmodel import col, select

NONCE = b"attempt1"
FACES = [bytes([number]) * 32 for number in range(3)]


class Branch:
    """The north branch with its unit, whose journal is written and projected record by record."""

    def __init__(self, session, bank, clock):
        self.session, self.bank, self.clock = session, bank, clock
        self.site = bank.sites["north"].id
        first, second = (session.get(User, one.id) for one in (bank.dispatcher, bank.dispatcher2))
        run = planning.create_run(session, first, plan(bank, clock.now()))
        planning.release_approve(session, second, planning.release_request(session, first, run))
        self.task = session.exec(select(Stop.id).order_by(col(Stop.sequence))).first()
        self.unit = register_unit(
            session, b"unit-001", bank.sites["north"], b"\1" * 64, b"\2" * 64, b"\3" * 64
        )
        self.crew = [person.id for person in bank.crew[:2]]
        self.officer = bank.officers["north"].id
        self.boxes = [box.epc for box in bank.boxes[:2]]
        self._count = 0

    def record(self, name, /, late=0, **fields):
        """Let the unit write a record that comes to the centre `late` ms afterwards."""
        now = self.clock.milliseconds()
        entry = records.encode(name, now, records.CLOCK_SURE, 1, bytes(16), **fields)
        leaf = Leaf(
            unit_id=self.unit.id, epoch=1, index=self._count, entry=entry,
            leaf_hash=merkle.leaf_hash(entry), received=now + late,
        )  # fmt: skip
        self._count += 1
        self.session.add(leaf)
        self.session.flush()
        projection.project(self.session, self.unit, leaf)

    def step(self, name, /, **fields):
        """A record of the task in hand."""
        self.record(name, task=self.task, nonce=NONCE, **fields)

    def arrive(self):
        van = self.bank.vehicles[0]
        self.step(
            "vehicle", vehicle=van.id, epc=van.epc, tid=van.tid, order_version=1, manifest=1, last_contact=0
        )

    def finger(self, person, panel=records.PANEL_OUTER, picture=None, duress=False):
        self.step(
            "finger",
            panel=panel,
            person=person,
            finger=2,
            duress=duress,
            score=90,
            sensor="s",
            picture=picture,
        )

    def crew_complete(self):
        self.arrive()
        for person, face in zip(self.crew, FACES, strict=False):
            self.finger(person, picture=face)
        self.step("crew", people=self.crew, picture=FACES[2])

    def approve(self, approved=True, reason=None):
        self.step(
            "approval", approved=approved, by=[self.officer], where=records.WHERE_HOST, head_count=2,
            picture=FACES[2], command=None, reason=reason,
        )  # fmt: skip

    def read_boxes(self, count=2, foreign=()):
        read = self.boxes[:count]
        self.step(
            "boxes",
            expected=self.boxes,
            read=read,
            missing=self.boxes[count:],
            foreign=list(foreign),
            attempt=1,
        )

    def close(self):
        self.step("closed", officer=self.officer, crew=self.crew[0], boxes=2, order_version=1)

    def door(self, door, *events):
        for event in events:
            self.record("door", door=door, event=event, cause=records.CAUSE_HANDOVER)

    def picture_comes(self, name):
        pictures.keep(self.session, self.session.get(Picture, name), b"\xff\xd8 a picture")

    def host(self, language="en", may_decide=True):
        return host_view.build(self.session, self.site, language, may_decide)

    def wall(self, language="en"):
        return wall_view.build(self.session, language)


@pytest.fixture
def branch(session, staffed, clock, monkeypatch) -> Branch:
    monkeypatch.setattr("doorward_server.units.contents.PROMPTS", {})
    return Branch(session, staffed, clock)


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
    assert [notice["text"] for notice in host["notices"]] == ["The outer panel is locked until 06:00:30."]
    assert host["stale_in"] == 30_000
    branch.clock.pass_time(seconds=30)
    assert (branch.host()["notices"], branch.host()["stale_in"]) == ([], None)


def test_fingers_that_are_off_have_no_time_to_wait_for_but_a_release(branch):
    lock(branch, 30_000 << 45)
    assert "two people" in branch.host()["notices"][0]["text"]
    branch.record("released", panel=records.PANEL_OUTER, by=[], command=None)
    assert branch.host()["notices"] == []


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


def test_a_last_contact_beyond_the_calendar_is_shown_as_now(branch):
    van = branch.bank.vehicles[0]
    branch.step("vehicle", vehicle=van.id, epc=van.epc, tid=van.tid, order_version=1, manifest=1,
                last_contact=1 << 62)  # fmt: skip
    handover = branch.session.exec(select(Handover)).one()
    assert content.collect(branch.session, handover).last_contact.year == branch.clock.now().year


@pytest.mark.parametrize(
    ("reason", "kept"), [(errors.TASK_COMPLETED, KEEP_GRAVE_MS), (errors.UNKNOWN_TAG, KEEP_REFUSED_MS)]
)
def test_a_refused_vehicle_stays_on_the_screen_for_a_while(branch, reason, kept):
    branch.record("vehicle_refused", task=None, epc=b"\x30" * 12, tid=None, reason=reason)
    assert [notice["name"] for notice in branch.host()["notices"]] == ["vehicle_refused"]
    branch.clock.pass_time(milliseconds=kept - 1)
    assert branch.host()["stale_in"] == 1
    branch.clock.pass_time(milliseconds=1)
    assert branch.host()["notices"] == []
    branch.record("vehicle_refused", task=None, epc=b"\x30" * 12, tid=None, reason=reason)
    branch.arrive()  # whoever is let in afterwards takes the notice away
    assert branch.host()["notices"] == []


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


@pytest.mark.shows("D9")
def test_nothing_of_a_duress_finger_is_on_the_host_screen(branch):
    branch.arrive()
    branch.finger(branch.crew[0], picture=FACES[0])
    calm = branch.host()
    branch.finger(branch.crew[1], picture=FACES[1], duress=True)
    alarmed = branch.host()
    assert alarmed["notices"] == calm["notices"] == []
    assert "uress" not in str(alarmed)


def test_a_report_looks_up_its_own_boxes_alone(branch):
    branch.crew_complete()
    branch.read_boxes()
    handover = branch.session.exec(select(Handover)).one()
    asked = []
    engine = branch.session.get_bind()
    database_event.listen(engine, "before_cursor_execute", note := lambda *said: asked.append(said[2]))
    try:
        report = content.collect(branch.session, handover)
    finally:
        database_event.remove(engine, "before_cursor_execute", note)
    assert report.boxes == [("B000", True), ("B001", True)]
    (query,) = (statement for statement in asked if "FROM box" in statement)
    assert "WHERE" in query
