"""A line about something: what it is called, what it is, and what it was where that is to change."""

Fact = dict[str, str]


def fact(key: str, value: str, before: str = "") -> Fact:
    """The line: `key` of TEXTS, the value, and the one before if that was another."""
    return {"key": key, "value": value, "before": before if before != value else ""}
