"""`doorward bench`: measure, one subject a sub-command; alone it measures them all, as `make bench` does.

A subject is a command of a file bench_NAME.py that takes `as_json`; it is listed here.
"""

import typer

from doorward_tools import bench_crypto, bench_fingers, bench_kills, bench_link, bench_month, bench_parsers

SUBJECTS = {
    "crypto": bench_crypto.command,
    "link": bench_link.command,
    "kills": bench_kills.command,
    "month": bench_month.command,
    "fingers": bench_fingers.command,
    "parsers": bench_parsers.parsers,
    "cbor": bench_parsers.agreement,
}

app = typer.Typer(help="Measure what the parts do; without a subject, all of them.")

for _name, _command in SUBJECTS.items():
    app.command(_name, epilog=f"Example:  doorward bench {_name} --json")(_command)


@app.callback(invoke_without_command=True, epilog="Example:  doorward bench crypto")
def everything(context: typer.Context) -> None:
    """Measure what the parts do; without a subject, all of them."""
    if context.invoked_subcommand is None:
        for name, command in SUBJECTS.items():
            typer.echo(f"\n{name}")
            command(as_json=False)
