"""`doorward bench`: measure, one subject a sub-command; alone it measures them all, as `make bench` does.

A subject is a file bench_NAME.py with a `command` that takes `as_json`; it is listed here.
"""

import typer

from doorward_tools import bench_crypto

SUBJECTS = {"crypto": bench_crypto.command}

app = typer.Typer(help="Measure what the parts do; without a subject, all of them.")

for _name, _command in SUBJECTS.items():
    app.command(_name, epilog=f"Example:  doorward bench {_name} --json")(_command)


@app.callback(invoke_without_command=True, epilog="Example:  doorward bench crypto")
def everything(context: typer.Context) -> None:
    """Measure what the parts do; without a subject, all of them."""
    if context.invoked_subcommand is None:
        for command in SUBJECTS.values():
            command(as_json=False)
