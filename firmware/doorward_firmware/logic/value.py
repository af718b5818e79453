"""An immutable record with named fields: what the steps take and return.

A subclass names its fields in `__slots__` and gives each a default in `__init__`, in the same order.
`but` makes a changed copy; equal fields make equal values, so a search over states can keep them in a set.
"""


class Value:
    """Base of all states. Nobody assigns to a field after `__init__`."""

    __slots__ = ()

    def but(self, **changes):
        """Return a copy with some fields changed. Raises TypeError for a field that does not exist."""
        new = type(self)()
        for name in self.__slots__:
            setattr(new, name, changes.pop(name) if name in changes else getattr(self, name))
        if changes:
            raise TypeError("no such field: %s" % ", ".join(changes))
        return new

    def key(self):
        """All fields as one tuple."""
        return tuple([getattr(self, name) for name in self.__slots__])

    def __eq__(self, other):
        return type(self) is type(other) and self.key() == other.key()

    def __hash__(self):
        return hash(self.key())

    def __repr__(self):
        fields = ["%s=%r" % (name, getattr(self, name)) for name in self.__slots__]
        return "%s(%s)" % (type(self).__name__, ", ".join(fields))


def sequence(*items):
    """Return the items as a tuple: `sequence(first, *others)`, for MicroPython has no `(first, *others)`."""
    return items
