"""Who gains what by an import (importing/gains.py), in words: for who hands it in and for who approves it."""

from collections.abc import Mapping
from typing import Any

from doorward_server.console.texts import text


def counts(rows: Mapping[str, Mapping[str, int]], language: str) -> str:
    """How many rows each sheet has: "sites 3, people 12"."""
    said = [text(f"rows_{sheet}", language, count=counted["rows"]) for sheet, counted in rows.items()]
    return ("，" if language == "zh" else ", ").join(said)


def person(gaining: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Somebody whom an import brings, or brings something: a photo, fingers."""
    fingers = ("、" if language == "zh" else ", ").join(str(number) for number in gaining["fingers"])
    got = [text("brings_photo", language)] if gaining["photo"] else []
    got += [text("brings_fingers", language, fingers=fingers)] if fingers else []
    return {
        "key": gaining["number"],
        "name": gaining["name_zh" if language == "zh" else "name_en"] or "",
        "role": text(f"person_{gaining['role']}", language) if gaining["role"] else "",
        "new": gaining["new"],
        "got": " · ".join(got),
    }


def login(gaining: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Somebody whom an import gives a login, or another role."""
    role = text(f"role_{gaining['role']}", language)
    return {"key": gaining["login"], "name": gaining["name"], "role": role, "new": gaining["new"], "got": ""}
