"""`doorward prove`: search all that can happen, and print how much that was."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    help="Prove properties of the firmware's logic by searching every reachable state.",
    epilog="Example:  doorward prove interlock --site vault --json",
)


@app.command("interlock", epilog="Example:  doorward prove interlock --site vault --json")
def interlock(
    site: Annotated[
        str, typer.Option(help="branch, vault, another one that an error names, or all.", metavar="SITE")
    ] = "all",
    crew: Annotated[int, typer.Option(min=0, max=4, help="People who begin outside.")] = 2,
    officers: Annotated[int, typer.Option(min=0, max=4, help="People who begin inside.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Two doors, a chamber, people, power, fire: never both doors released but for a declared reason, nobody
    ever trapped, every released door locked again, nothing released without the guard (D12).

    Searches every state that can be reached, at each site type; timers may run out at any moment. If a state
    breaks a claim, prints the shortest way to it and exits with 1.
    """
    from doorward_simulator.proofs import interlock_proof

    sites = interlock_proof.SITES
    if site != "all" and site not in sites:
        raise typer.BadParameter(f"{site!r}: use all or one of {', '.join(sites)}", param_hint="--site")
    results = {}
    for name in sites if site == "all" else (site,):
        results[name] = _search(name, sites[name], crew, officers, quiet=as_json)
        if not as_json:
            _show(name, results[name])
    if as_json:
        typer.echo(
            json.dumps({name: asdict(result) for name, result in results.items()}, indent=2, default=str)
        )
    if any(result.breaches or result.unreached for result in results.values()):
        raise typer.Exit(1)


def _search(name, fail_secure, crew, officers, quiet):
    from doorward_simulator.proofs import interlock_proof
    from rich.console import Console

    console = Console(quiet=quiet)
    with console.status(f"{name}: searching") as status:
        return interlock_proof.prove(
            fail_secure, crew, officers, lambda found: status.update(f"{name}: {found:,} states")
        )


def _show(name, result) -> None:
    verdict = "FAILED" if result.breaches or result.unreached else "proved"
    typer.echo(
        f"{name}: {verdict}\n"
        f"  {result.states:,} states, {result.transitions:,} transitions, depth {result.depth}"
        f"  ({result.crew} from outside, {result.officers} from inside)\n"
        f"  the unit's part: {result.unit_states:,} states, {result.unit_steps:,} steps, "
        f"{result.rows} rows of its tables\n"
        f"  {result.ways_out:,} ways out, with at most {result.presses} presses of the egress button and "
        f"{result.waits} wait for a timer\n"
        f"  {result.seconds:.1f} s of processor time"
    )
    for row in result.unreached:
        typer.secho(f"  never happens: {row}", fg="red")
    for claim, where, way in result.breaches:
        typer.secho(f"  broken: {claim}\n    {where}", fg="red")
        for move in way:
            typer.echo(f"    {move}")
