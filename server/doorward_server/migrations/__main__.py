"""Writes the migration that is missing: `python -m doorward_server.migrations "what changed and why"`.

Builds a database from the migrations that there are, compares it with the models, and writes the difference
as the next file in versions/. Read what it wrote before committing it: renames look like a loss and a gain.
"""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from doorward_server.database import migration_config, upgrade


def write(message: str) -> None:
    """Write the next migration under this title."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'empty.sqlite'}"
        upgrade(url)
        config = migration_config(url)
        number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
        command.revision(config, message, autogenerate=True, rev_id=f"{number:04}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    write(sys.argv[1])
