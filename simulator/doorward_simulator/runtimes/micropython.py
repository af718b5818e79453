"""A unit's processor as the real MicroPython interpreter: `webassembly/processor.mjs` under node.

This module finds node and the interpreter, compiles what is on the device's flash, once for each content, and
gives the command. What it cannot show: numbers with a fraction have 64 bits here and 32 on the ESP32, whose
time also begins in 2000; neither reaches a record, because the firmware computes in integers and reads time
as a calendar. The heap grows when it is full, where the device would collect or fail.
"""

import hashlib
import os
import shutil
import tempfile
from pathlib import Path

from ..device_files import FLASH_ROOT, CompilerMissingError, compile_file, compiler_version, device_files

WEBASSEMBLY = Path(__file__).with_name("webassembly")
STUBS = (Path(__file__).with_name("stubs"), WEBASSEMBLY / "stubs", WEBASSEMBLY / "lib")
HEAP = 2 * 1024 * 1024  # bytes of the interpreter's heap to begin with
_PACKAGE = Path("node_modules", "@micropython", "micropython-webassembly-pyscript")


class RuntimeMissingError(Exception):
    """Node or the interpreter is not installed; the text says what to do."""


def node() -> str:
    """The command that runs node."""
    command = shutil.which("node")
    if command is None:
        raise RuntimeMissingError(
            "node is not installed: install Node.js 20 or newer with the system's package manager"
        )
    return command


def package() -> Path:
    """The folder of MicroPython's npm package, in the project or in the current folder."""
    for folder in (*Path(__file__).parents, Path.cwd()):
        if (folder / _PACKAGE / "micropython.mjs").exists():
            return folder / _PACKAGE
    raise RuntimeMissingError("MicroPython for node is not installed: run `npm ci` in the project's folder")


def command(program: Path | None = None, release: bool = False) -> list[str]:
    """The command of a unit's processor, to be completed with `--bus FD`. Raises RuntimeMissingError.

    `program`: a file to run in place of the firmware; `release`: the device's files are compiled as for a
    release.
    """
    words = [node(), str(WEBASSEMBLY / "processor.mjs"), "--package", str(package())]
    words += ["--image", str(image(release)), "--heap", str(HEAP)]
    return words + (["--program", str(program)] if program else [])


def image(release: bool = False) -> Path:
    """A folder with the device's files as compiled for this interpreter; made when their content is new."""
    try:
        compiler = compiler_version()
    except CompilerMissingError as error:
        raise RuntimeMissingError(str(error)) from None
    files = _files()
    digest = hashlib.sha256(f"{compiler} {release}".encode())
    for how in (__file__, compile_file.__code__.co_filename):
        digest.update(Path(how).read_bytes())
    for name, source in files.items():
        digest.update(f"{name} {source.stat().st_size}\n".encode() + source.read_bytes())
    folder = _cache() / f"image-{digest.hexdigest()[:24]}"
    if not folder.exists():
        _compile(files, folder, release)
    return folder


def stub_files() -> dict[str, Path]:
    """What stands for the board's own modules, by module."""
    return {
        path.relative_to(folder).as_posix(): path for folder in STUBS for path in sorted(folder.rglob("*.py"))
    }


def _files() -> dict[str, Path]:
    """All files of the image, by their place in it."""
    device = {name: path for name, path in device_files().items() if not name.startswith(FLASH_ROOT)}
    return {
        **{f"slot_a/{name}": path for name, path in device.items()},
        **{f"stubs/{name}": path for name, path in stub_files().items()},
    }


def _compile(files: dict[str, Path], folder: Path, release: bool) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        for name, source in files.items():
            compile_file(source, Path(scratch, "image", name).with_suffix(".mpy"), f"/{name}", release)
        try:
            Path(scratch, "image").rename(folder)
        except OSError:  # another process was faster with the same content
            if not folder.exists():
                raise


def _cache() -> Path:
    """A folder of this user's own: what lies in it is executed."""
    folder = Path(tempfile.gettempdir(), f"doorward-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid() or folder.is_symlink():
        raise RuntimeMissingError(f"{folder} belongs to somebody else; set TMPDIR to a folder of your own")
    return folder
