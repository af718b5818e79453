"""How much of MicroPython's heap the compiled files themselves take, which on the device lie in flash.

Each file is compiled with one line more, before all others, that reads the heap and ends the file there: its
code is loaded by then, nothing of it has been executed. What its classes, tables and functions take later is
no code and is not in the figure. Pointers have 32 bits here and on the ESP32.
"""

import json
import subprocess
import tempfile
from pathlib import Path

from ..device_files import compile_file
from .micropython import WEBASSEMBLY, node, package

_FIRST_LINE = "import loaded; loaded.here()\n"


def loaded_code(files: dict[str, Path], release: bool = False) -> dict[str, int]:
    """Bytes of heap for the code of each file, loaded in this order (a name that several use is stored once).
    Raises RuntimeMissingError."""
    with tempfile.TemporaryDirectory(prefix="doorward-") as scratch:
        image = Path(scratch, "image")
        empty = Path(scratch, "empty.py")
        empty.touch()
        for number, source in enumerate((empty, *files.values())):
            compile_file(source, image / f"code{number}.mpy", source.name, release, before=_FIRST_LINE)
        process = subprocess.run(  # noqa: S603 - our own files
            [
                node(),
                str(WEBASSEMBLY / "loaded_code.mjs"),
                "--package",
                str(package()),
                "--image",
                str(image),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    if process.returncode:
        raise RuntimeError(f"MicroPython did not finish: {process.stderr[-2000:]}{process.stdout[-2000:]}")
    nothing, *found = json.loads(process.stdout)
    return {name: size - nothing for name, size in zip(files, found, strict=True)}
