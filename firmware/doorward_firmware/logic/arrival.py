"""Which task a vehicle's tag means, and why not: decided by the unit itself, online and offline.

A tag is a vehicle only with both its numbers: the EPC, which anybody can write, and the TID of the chip,
which nobody can. The order of the questions is the order of their gravity: a second arrival for a completed
task and a copied tag come before anything that is merely late, early or inconvenient (D3).

A unit holds only its own site's orders, so it cannot know whether a stop before this one was skipped; the
server finds that.
"""

from doorward_protocol.compat import const
from doorward_protocol.errors import (
    CLOCK_UNSURE,
    EARLY_VEHICLE,
    FLASH_FULL,
    ORDER_EXPIRED,
    ORDER_INCOMPLETE,
    STALE_MANIFEST,
    TAG_COPIED,
    TASK_COMPLETED,
    TASK_IN_HAND,
    UNKNOWN_TAG,
    WRONG_KIND,
)

from doorward_firmware.logic.flows import FLOWS
from doorward_firmware.logic.task import at_the_door
from doorward_firmware.logic.value import Value, sequence

MAX_COMPLETED = 64
_REMEMBERED_MS = const(604_800_000)  # a week: far longer than any order of a completed task still runs
MAX_PRESENT = 16
GRAI_96 = 0x33


class Conditions(Value):
    """What else a start depends on. wall: time now (ms since 1970); clock_sure: bool; fresh_until: of the
    manifest (wall ms); in_hand: a task is being carried out; room: the journal has room for a handover;
    people: ids of the roster; incomplete: ids of tasks that still lack blobs; unread: some order is listed
    and not here yet."""

    __slots__ = ("clock_sure", "fresh_until", "in_hand", "incomplete", "people", "room", "unread", "wall")

    def __init__(self, wall=0, fresh_until=0, people=()):
        self.wall = wall
        self.fresh_until = fresh_until
        self.people = people
        self.clock_sure = True
        self.in_hand = False
        self.room = True
        self.incomplete = ()
        self.unread = False


def decide(epc, tid, orders, completed, conditions):
    """Return (reason, order): reason 0 means that the order's task may begin now.

    orders: fields of the site's order blobs; completed: [[task, epc, expires] …], newest last. The order is
    the one that the refusal is about, or None; a completed task that is no longer listed is given as
    {"task": id}.
    """
    wall = conditions.wall
    done = _completed_by(epc, completed, conditions)
    finished = [entry[0] for entry in completed]
    open_orders = [order for order in orders if order["vehicle"][2] == epc and order["task"] not in finished]
    started = [order for order in open_orders if order["window_from"] <= wall < order["expires"]]
    if done is not None and not started:
        return TASK_COMPLETED, _order_of(done, orders)
    if not open_orders:
        return (ORDER_INCOMPLETE if conditions.unread else UNKNOWN_TAG), None
    order = _nearest(started or open_orders, wall)
    if order["vehicle"][3] != tid:
        return TAG_COPIED, order
    if not conditions.clock_sure:
        return CLOCK_UNSURE, order
    if wall < order["window_from"]:
        return EARLY_VEHICLE, order
    if wall >= order["expires"]:
        return ORDER_EXPIRED, order
    if order["kind"] not in FLOWS:
        return WRONG_KIND, order
    if wall >= conditions.fresh_until:
        return STALE_MANIFEST, order
    if conditions.in_hand:
        return TASK_IN_HAND, order
    if not _is_complete(order, conditions):
        return ORDER_INCOMPLETE, order
    if not conditions.room:
        return FLASH_FULL, order
    return 0, order


def _completed_by(epc, completed, conditions):
    """The newest task that this tag completed and whose order would still run; without a clock, any."""
    for task_id, tag, expires in reversed(completed):
        if tag == epc and (conditions.wall < expires or not conditions.clock_sure):
            return task_id
    return None


def _order_of(task_id, orders):
    for order in orders:
        if order["task"] == task_id:
            return order
    return {"task": task_id}


def _nearest(orders, wall):
    """The first that has not expired, else the one that expired last."""
    coming = [order for order in orders if wall < order["expires"]]
    if coming:
        return min(coming, key=lambda order: order["window_from"])
    return max(orders, key=lambda order: order["expires"])


def _is_complete(order, conditions):
    door = at_the_door(order)
    if not door or order["task"] in conditions.incomplete:
        return False
    return all(person in conditions.people for person in door)


def is_box(epc, orders):
    """True if a tag that is no vehicle's is a box's: one of an order, or any GRAI-96, which numbers
    returnable assets (GS1 EPC Tag Data Standard, header 33). The gate's reader hears what is in a van."""
    if len(epc) == 12 and epc[0] == GRAI_96:
        return True
    return any(box[2] == epc for order in orders for box in order["boxes"])


def add_completed(completed, task):
    """Return the list of completed tasks with this one added, the oldest dropped beyond MAX_COMPLETED."""
    kept = [entry for entry in completed if entry[0] != task.id]
    kept.append((task.id, task.epc, task.expires))
    return kept[-MAX_COMPLETED:]


def still_known(completed, wall):
    """Return the completed tasks, as a tuple, without those whose orders ended a week and more ago."""
    return tuple([entry for entry in completed if entry[2] + _REMEMBERED_MS > wall])


def expected(orders, completed, task):
    """Return the tags of vehicles that mean something here: of an order, of a completed task, of the task in
    hand (None: there is none)."""
    tags = [order["vehicle"][2] for order in orders] + [entry[1] for entry in completed]
    if task is not None:
        tags.append(task.epc)
    return tuple(tags)


# Presence: ((epc, time of the last reading) …), the tags that stand at the gate.


def seen(present, epc, now, vehicles=()):
    """Return present after a reading; now in monotonic ms. There are MAX_PRESENT places: when they are taken,
    one of `vehicles` takes that of the stranger who was not seen for longest, and a stranger gets none."""
    others = tuple([entry for entry in present if entry[0] != epc])
    if len(others) >= MAX_PRESENT:
        if epc not in vehicles:
            return present
        strangers = [entry for entry in others if entry[0] not in vehicles]
        oldest = min(strangers or others, key=lambda entry: entry[1])
        others = tuple([entry for entry in others if entry is not oldest])
    return sequence(*others, (epc, now))


def is_here(present, epc):
    """True if a tag stands at the gate."""
    return any(entry[0] == epc for entry in present)


def gone(present, now, after):
    """Return (present, tags that were not read for `after` ms)."""
    missing = tuple([epc for epc, time in present if now - time >= after])
    return tuple([entry for entry in present if entry[0] not in missing]), missing


def next_deadline(present, after):
    """Return when the next tag may count as gone, in monotonic ms, or None."""
    return min([time for _, time in present]) + after if present else None
