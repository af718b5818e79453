"""Typed tables: what a message, an object, a blob or a record consists of, written once, in one line each.

    Table({"head": (3, "epoch:uint size:uint root:hash previous:hash?")})

A row becomes the array [code, field, field, …] in the order of its fields. A trailing `?` allows null, and
`[type]` is an array whose members all have that type, which may be a row of the table's own `parts`. What
does not fit exactly is refused with MALFORMED before any of it is used.

Types: uint (64 bits), int, bytes, text, bool, any; hash (32 bytes, SHA-256), unit and nonce (8 bytes), id16
(16 bytes), key (64 bytes, x and y of a P-256 point), time (uint, milliseconds since 1970 UTC).
"""

from doorward_protocol.errors import MALFORMED, UNKNOWN_MESSAGE, ProtocolError

_LIMIT = 1 << 64


def _is_int(value):
    return isinstance(value, int) and not isinstance(value, bool) and -_LIMIT <= value < _LIMIT


def _is_uint(value):
    return _is_int(value) and value >= 0


def _is_bytes(value):
    return isinstance(value, (bytes, bytearray))


def _of_length(length):
    return lambda value: _is_bytes(value) and len(value) == length


TYPES = {
    "uint": _is_uint,
    "int": _is_int,
    "bytes": _is_bytes,
    "text": lambda value: isinstance(value, str),
    "bool": lambda value: value is True or value is False,
    "any": lambda value: True,  # noqa: ARG005
    "hash": _of_length(32),
    "unit": _of_length(8),
    "nonce": _of_length(8),
    "id16": _of_length(16),
    "key": _of_length(64),
    "time": _is_uint,
}


def _members(check):
    def is_list(value):
        if not isinstance(value, (list, tuple)):
            return False
        return all(check(member) for member in value)

    return is_list


def _array(fields):
    def is_row(value):
        if not isinstance(value, (list, tuple)) or len(value) != len(fields):
            return False
        return all(fields[at].accepts(value[at]) for at in range(len(fields)))

    return is_row


class Field:
    """One field: its name, its type as written, and whether it may be null."""

    __slots__ = ("check", "name", "optional", "type")

    def __init__(self, text, parts):
        self.name, kind = text.split(":")
        self.optional = kind.endswith("?")
        self.type = kind[:-1] if self.optional else kind
        self.check = _check_for(self.type, parts)

    def accepts(self, value):
        """True if value may stand in this field."""
        return self.optional if value is None else self.check(value)


def _check_for(kind, parts):
    if kind.startswith("["):
        return _members(_check_for(kind[1:-1], parts))
    if (
        kind in parts
    ):  # compiled on demand: MicroPython's dicts do not keep the order in which parts are written
        return _array([Field(text, parts) for text in parts[kind].split()])
    return TYPES[kind]


class Table:
    """rows: {name: (code, "field:type field:type? …")}; parts: {name: "field:type …"}, arrays inside rows."""

    def __init__(self, rows, parts=None):
        self.parts = parts or {}
        self.codes = {}  # name -> code
        self.names = {}  # code -> name
        self.fields = {}  # name -> list of Field
        for name in rows:
            code, specification = rows[name]
            if code in self.names:
                raise ValueError("code %d is used twice" % code)
            self.codes[name] = code
            self.names[code] = name
            self.fields[name] = [Field(text, self.parts) for text in specification.split()]

    def pack(self, row_name, **fields):
        """Return [code, values …] for the row; a field that may be null may be left out."""
        if row_name not in self.codes:
            raise ProtocolError(UNKNOWN_MESSAGE, row_name)
        array = [self.codes[row_name]]
        for field in self.fields[row_name]:
            value = fields.pop(field.name, None)
            if not field.accepts(value):
                raise ProtocolError(MALFORMED, "%s.%s is no %s" % (row_name, field.name, field.type))
            array.append(value)
        for unknown in fields:
            raise ProtocolError(MALFORMED, "%s has no field %s" % (row_name, unknown))
        return array

    def unpack(self, array):
        """Return (name, {field: value}) of an array that pack could have made. Raises ProtocolError."""
        if not isinstance(array, (list, tuple)) or not array or not _is_uint(array[0]):
            raise ProtocolError(MALFORMED, "no array that begins with a code")
        name = self.names.get(array[0])
        if name is None:
            raise ProtocolError(UNKNOWN_MESSAGE, "code %d" % array[0])
        fields = self.fields[name]
        if len(array) != len(fields) + 1:
            raise ProtocolError(MALFORMED, "%s has %d fields, not %d" % (name, len(fields), len(array) - 1))
        values = {}
        for at in range(len(fields)):
            field, value = fields[at], array[at + 1]
            if not field.accepts(value):
                raise ProtocolError(MALFORMED, "%s.%s is no %s" % (name, field.name, field.type))
            values[field.name] = value
        return name, values
