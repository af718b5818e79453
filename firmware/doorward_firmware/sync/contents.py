"""What a manifest lists: reading rosters, orders, configuration and prompts, and which further blobs they
name.

The content of such a blob is right by its hash, which a signed manifest names; that it also has the right
form is checked here once, before anything uses it.
"""

from doorward_protocol import objects
from doorward_protocol.compat import const
from doorward_protocol.errors import MALFORMED, TOO_LARGE, ProtocolError

MAX_CONTENT = const(65536)  # bytes of one roster, order, configuration or prompts blob

NAMES = {
    objects.CONFIGURATION: "configuration",
    objects.ROSTER: "roster",
    objects.ORDER: "order",
    objects.PROMPTS: "prompts",
}


def read(blobs, entry):
    """Return the fields of the blob that a manifest's entry lists and that is here. Raises ProtocolError.

    entry: [kind, id, version, hash, size]. A roster's are `site` and `by_id`, {person's id: fields}.
    """
    kind, number, version, name, size = entry
    if size > MAX_CONTENT:
        raise ProtocolError(TOO_LARGE, NAMES[kind])
    fields = objects.decode_blob(NAMES[kind], b"".join(blobs.chunks(name, 4096)))
    if kind == objects.ORDER and (fields["task"], fields["version"]) != (number, version):
        raise ProtocolError(MALFORMED, "order %d listed as %d" % (fields["task"], number))
    if kind == objects.ROSTER:
        people = [objects.part("person", row) for row in fields["people"]]
        return {"site": fields["site"], "by_id": {person["id"]: person for person in people}}
    return fields


def of_person(person):
    """Return the hashes that a person's fields name: templates first, without which nobody passes."""
    names = [finger[3] for finger in person["fingers"]]
    return names + _named(person["photo"], person["label"], person["clip"])


def of_order(order, people):
    """Return the hashes that a task needs besides its order; people: {id: fields} of the roster."""
    vehicle = objects.part("vehicle", order["vehicle"])
    names = _named(vehicle["label"], vehicle["clip"])
    for number in [member[0] for member in order["crew"]] + order["officers"]:
        if number in people:
            names += of_person(people[number])
    return names


def of_prompts(prompts):
    """Return the hashes of clips and pictures of a prompt pack."""
    names = []
    for _, clip, picture in prompts["prompts"]:
        names += _named(clip, picture)
    return names


def _named(*names):
    return [name for name in names if name is not None]
