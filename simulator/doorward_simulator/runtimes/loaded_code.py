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
from .micropython import WEBASSEMBLY, image, node, package, stub_files

_FIRST_LINE = "import loaded; loaded.here()\n"


def loaded_code(files: dict[str, Path], release: bool = False) -> dict[str, int]:
    """Bytes of heap for the code of each file, loaded in this order (a name that several use is stored once).
    Raises RuntimeMissingError."""
    with tempfile.TemporaryDirectory(prefix="doorward-") as scratch:
        folder = Path(scratch, "image")
        empty = Path(scratch, "empty.py")
        empty.touch()
        for number, source in enumerate((empty, *files.values())):
            compile_file(source, folder / f"code{number}.mpy", source.name, release, before=_FIRST_LINE)
        nothing, *found = _run("loaded_code.mjs", "--image", str(folder))
    return {name: size - nothing for name, size in zip(files, found, strict=True)}


def stand_in_objects(modules: list[str]) -> int:
    """Bytes of heap for what the board's stand-ins leave behind when they are imported (classes, functions),
    without their code and without what they make when they are called. Raises RuntimeMissingError."""
    files = {f"{name}.py": stub_files()[f"{name}.py"] for name in modules}
    words = ("--image", str(image(release=True)), "--modules", ",".join(modules))
    return _run("stand_in_objects.mjs", *words) - sum(loaded_code(files, release=True).values())


def _run(script: str, *words: str):
    """What the script under node prints, as JSON."""
    process = subprocess.run(  # noqa: S603 - our own files
        [node(), str(WEBASSEMBLY / script), "--package", str(package()), *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if process.returncode:
        raise RuntimeError(f"MicroPython did not finish: {process.stderr[-2000:]}{process.stdout[-2000:]}")
    return json.loads(process.stdout)
