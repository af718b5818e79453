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


class Field:
    """One field: its name, its type as written, and whether it may be null."""

    __slots__ = ("_parts", "name", "optional", "type")

    def __init__(self, text, parts):
        self.name, kind = text.split(":")
        self.optional = kind.endswith("?")
        self.type = kind[:-1] if self.optional else kind
        self._parts = parts

    def accepts(self, value):
        """True if value may stand in this field."""
        return self.optional if value is None else _accepts(self.type, (value,), self._parts)


def _accepts(kind, values, parts):
    """True if each of values has that type."""
    if kind.startswith("["):
        kind = kind[1:-1]
        return all(isinstance(value, (list, tuple)) and _accepts(kind, value, parts) for value in values)
    if kind not in parts:
        return all(TYPES[kind](value) for value in values)
    fields = _fields(parts[kind], parts)
    for value in values:
        if not isinstance(value, (list, tuple)) or len(value) != len(fields):
            return False
        if not all(fields[at].accepts(value[at]) for at in range(len(fields))):
            return False
    return True


def _fields(specification, parts):
    return [Field(text, parts) for text in specification.split()]


class Table:
    """rows: {name: (code, …, "field:type field:type? …")}; parts: {name: "field:type …"}, arrays inside rows.

    Rows stay the texts that they are, in flash on a device, and are taken apart when one is packed or
    unpacked: as objects they took a sixth of an idle unit's heap.
    """

    def __init__(self, rows, parts=None):
        self.rows = rows
        self.parts = parts or {}
        self.names = {}  # code -> name
        for name in rows:
            code = rows[name][0]
            if code in self.names:
                raise ValueError("code %d is used twice" % code)
            self.names[code] = name

    def fields(self, row_name):
        """Return the Fields of a row, in their order."""
        return _fields(self.rows[row_name][-1], self.parts)

    def pack(self, row_name, **fields):
        """Return [code, values …] for the row; a field that may be null may be left out."""
        if row_name not in self.rows:
            raise ProtocolError(UNKNOWN_MESSAGE, row_name)
        array = [self.rows[row_name][0]]
        for field in self.fields(row_name):
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
            raise ProtocolError(MALFORMED, "no row of a table")
        name = self.names.get(array[0])
        if name is None:
            raise ProtocolError(UNKNOWN_MESSAGE, "code %d" % array[0])
        fields = self.fields(name)
        if len(array) != len(fields) + 1:
            raise ProtocolError(MALFORMED, "%s has %d fields, not %d" % (name, len(fields), len(array) - 1))
        values = {}
        for at in range(len(fields)):
            field, value = fields[at], array[at + 1]
            if not field.accepts(value):
                raise ProtocolError(MALFORMED, "%s.%s is no %s" % (name, field.name, field.type))
            values[field.name] = value
        return name, values
