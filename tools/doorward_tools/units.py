"""`doorward units`: every unit's condition, and what it should hold against what it holds (F3, F6).

What the page /units shows, for a terminal or for cron: it ends with status 1 when somebody has to look.
"""

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from doorward_tools.server_settings import Language, data_option, existing

if TYPE_CHECKING:
    from doorward_server.console.unit_words import UnitWords
    from doorward_server.units.facts import UnitFacts
    from doorward_server.units.holdings import Holding

    Found = list[tuple[UnitFacts, list[Holding]]]

EXAMPLE = "Example:  doorward units --data ./data --json"
_SHORT = 12  # characters of a hash


def command(
    unit: Annotated[
        str, typer.Argument(metavar="UNIT", help="One unit alone, by its number or its key identifier.")
    ] = "",
    data: Annotated[Path, data_option("The server's data folder.")] = Path("data"),
    language: Annotated[Language, typer.Option(help="Language of the words.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Show every unit, the worst first: connection, clock, contents, sensors, storage, power, tamper.

    Reads only, also beside a running server. Ends with status 1 when a unit is bad or does not hold what it
    should, and after a restore until two people have gone on, so that cron can tell.
    """
    from doorward_server.backup import restorations
    from doorward_server.console.texts import text
    from doorward_server.units.facts import facts_of_all
    from doorward_server.units.holdings import holdings, manifest_of
    from doorward_server.units.thresholds import BAD

    with existing("units", data) as services, services.database.reading() as session:
        found = [
            (facts, [manifest_of(session, facts.unit), *holdings(session, facts.unit)])
            for facts in facts_of_all(session)
            if unit in ("", str(facts.unit.id), facts.unit.kid.hex())
        ]
        if unit and not found:
            typer.echo(f"doorward units: there is no unit {unit}; without a name all are shown", err=True)
            raise typer.Exit(2)
        restored = restorations.waiting(session) is not None
        if as_json:
            typer.echo(json.dumps([_as_json(*one) for one in found], ensure_ascii=False))
        else:
            if restored:
                typer.echo(text("restore_waits", language))
            _show(found, _words(services, language), language, whole=bool(unit))
    if restored or any(facts.state == BAD or facts.difference.why for facts, _ in found):
        raise typer.Exit(1)


def _as_json(facts: "UnitFacts", held: "list[Holding]") -> dict[str, Any]:
    from doorward_server.units import answers

    site = None if facts.site is None else facts.site.code
    return {
        **answers.of_unit(facts),
        "site_code": site,
        "entries": [answers.of_holding(holding) for holding in held],
    }


def _words(services: Any, language: str) -> "UnitWords":
    from doorward_server.console.moments import day_and_time
    from doorward_server.console.unit_words import UnitWords

    now, zone = services.clock.milliseconds(), services.settings.zone
    return UnitWords(language, partial(day_and_time, now=now, zone=zone))


def _show(found: "Found", words: "UnitWords", language: str, whole: bool) -> None:
    """Each unit with its site; beneath it what is not good of it, or with `whole` everything."""
    from doorward_server.console.describe import site_name
    from doorward_server.console.texts import text
    from doorward_server.units.thresholds import GOOD

    if not found:
        typer.echo(text("no_units", language))
    for facts, held in found:
        state, name = text(f"condition_{facts.state}", language), site_name(facts.site, language)
        typer.echo(f"{state:10} {name}  #{facts.unit.id}  {facts.unit.kid.hex()}  {facts.unit.firmware}")
        for aspect in facts.aspects:
            if whole or aspect.state != GOOD:
                said = f"{text(f'aspect_{aspect.name}', language)}: {words.aspect(aspect)}"
                typer.echo(f"  {text(f'condition_{aspect.state}', language):10} {said}")
        for holding in held:
            if whole or holding.differs:
                why = words.why_entry(holding, facts)
                typer.echo("  " + _line(holding, why, words.not_held(facts), language))


def _line(holding: "Holding", why: str, not_held: str, language: str) -> str:
    """What it should hold → what it holds, and why they differ."""
    from doorward_server.console.texts import text

    def version(one: Any, nothing: str) -> str:
        return nothing if one is None else f"v{one.version} {one.hash[:_SHORT]}"

    name = text(f"entry_{holding.kind}", language) + (f" {holding.id}" if holding.id else "")
    wanted = version(holding.desired, text("nothing_listed", language))
    held = version(holding.held, not_held)
    return f"{name}: {wanted} → {held}  {why or text('same', language)}"
