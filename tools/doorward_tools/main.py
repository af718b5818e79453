"""The `doorward` command: one file per sub-command, listed here.

Sub-commands import what they need when they run, so that `--help` answers at once.
"""

import os

import typer

from doorward_tools import (
    backup,
    bench,
    demo,
    emulate,
    import_bank,
    notify_test,
    prove,
    rebuild,
    restore,
    scenario,
    serve,
    simulate,
    size,
    units,
    verify,
)

app = typer.Typer(
    name="doorward",
    help="Authenticates cash-in-transit crews at a bank's doors; follows every cash box from hand to hand.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="rich",
)

# Commands about a bank's real server. All others make a bank of their own.
_OF_A_SERVER = frozenset(("serve", "import", "rebuild", "units", "backup", "restore", "notify-test"))
# What those may be told all the same; a database, an address or HTTPS of the real server is not for them.
_FOR_ALL = frozenset(("DOORWARD_LANGUAGE", "DOORWARD_TIMEZONE"))


@app.callback()
def _apart(context: typer.Context) -> None:
    if context.invoked_subcommand not in _OF_A_SERVER:
        for name in [name for name in os.environ if name.startswith("DOORWARD_") and name not in _FOR_ALL]:
            del os.environ[name]


app.command("demo", epilog="Example:  doorward demo --once")(demo.command)
app.command("serve", epilog="Example:  doorward serve --data ./data --port 8000")(serve.command)
app.command("simulate", epilog="Example:  doorward simulate twin-van --port 8000")(simulate.command)
app.command("scenario", epilog="Example:  doorward scenario delivery --json")(scenario.command)
app.command("import", epilog="Example:  doorward import ./bank --data ./data")(import_bank.command)
app.command("rebuild", epilog=rebuild.EXAMPLE)(rebuild.command)
app.command("backup", epilog=backup.EXAMPLE)(backup.command)
app.command("restore", epilog=restore.EXAMPLE)(restore.command)
app.command("units", epilog=units.EXAMPLE)(units.command)
app.command("notify-test", epilog="Example:  doorward notify-test duty")(notify_test.command)
app.command("verify", epilog=verify.EXAMPLE)(verify.command)
app.add_typer(emulate.app, name="emulate")
app.add_typer(prove.app, name="prove")
app.command("size", epilog="Example:  doorward size --json")(size.command)
app.add_typer(bench.app, name="bench")


if __name__ == "__main__":
    app()
