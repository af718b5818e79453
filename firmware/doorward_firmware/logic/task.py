"""A task as the logic knows it: the part of an order that decisions need, fixed when the vehicle arrives."""

from doorward_protocol.objects import DUTY_DOOR

from doorward_firmware.logic.authentication import BANK_ROLES
from doorward_firmware.logic.value import Value


class Member(Value):
    """A person of the task: id, role, valid_from and valid_until (wall ms)."""

    __slots__ = ("id", "role", "valid_from", "valid_until")

    def __init__(self, id=0, role=0, valid_from=0, valid_until=0):  # noqa: A002
        self.id = id
        self.role = role
        self.valid_from = valid_from
        self.valid_until = valid_until


class Task(Value):
    """id, version, kind, expires (wall ms) and manifest version of the order; nonce of this attempt;
    vehicle (its id), epc and tid of its tag; last_contact with the server (wall ms);
    door and officers: ids; people: Members; boxes: ((epc, tid) …)."""

    __slots__ = (
        "boxes",
        "door",
        "epc",
        "expires",
        "id",
        "kind",
        "last_contact",
        "manifest",
        "nonce",
        "officers",
        "people",
        "tid",
        "vehicle",
        "version",
    )

    def __init__(self, id=0, nonce=b"", epc=b"", version=0, kind=0):  # noqa: A002
        self.id = id
        self.nonce = nonce
        self.epc = epc
        self.version = version
        self.kind = kind
        self.expires = 0
        self.manifest = 0
        self.vehicle = 0
        self.tid = b""
        self.last_contact = 0
        self.door = ()
        self.officers = ()
        self.people = ()
        self.boxes: tuple = ()

    def member(self, person):
        """Return the Member with this id, or None if the person has no part in the task."""
        for member in self.people:
            if member.id == person:
                return member
        return None

    def box_tid(self, epc):
        """Return the TID bound to a box's EPC, or None if the box is not in the order."""
        for known, tid in self.boxes:
            if known == epc:
                return tid
        return None


def at_the_door(order):
    """Return the ids of the people whom an order plans at the door, each once, as a tuple."""
    door = []
    for person, duty in order["crew"]:
        if duty == DUTY_DOOR and person not in door:
            door.append(person)
    return tuple(door)


def from_order(order, people, nonce, manifest, last_contact):
    """Return the Task of an order (fields of the blob); people: {id: fields of the person in the roster}."""
    vehicle_id, _plate, epc, tid = order["vehicle"][:4]
    door = at_the_door(order)
    officers = tuple(
        [person for person in order["officers"] if person in people and people[person]["role"] in BANK_ROLES]
    )
    members = []
    for person in door + officers:
        fields = people.get(person)
        if fields is not None:
            members.append(Member(person, fields["role"], fields["valid_from"], fields["valid_until"]))
    return Task(order["task"], nonce, epc, order["version"], order["kind"]).but(
        expires=order["expires"],
        manifest=manifest,
        vehicle=vehicle_id,
        tid=tid,
        last_contact=last_contact,
        door=door,
        officers=officers,
        people=tuple(members),
        boxes=tuple([(box[2], box[3]) for box in order["boxes"]]),
    )
