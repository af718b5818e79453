"""Zip files from outside, opened as our own are written: deflated, and refused in one way whatever it is."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

# What zipfile says of a file that is damaged, or that was made to do harm.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    UnicodeDecodeError,
)


class DamagedZipError(Exception):
    """The file is no zip of ours, or damaged; the text says what zipfile finds."""


@contextmanager
def opened(file: Path | BinaryIO) -> Iterator[zipfile.ZipFile]:
    """The zip, for as long as it is read. Raises DamagedZipError, also for what is found while it is."""
    try:
        with zipfile.ZipFile(file) as archive:
            # Other methods have errors of their own.
            if any(member.compress_type != zipfile.ZIP_DEFLATED for member in archive.infolist()):
                raise zipfile.BadZipFile("a file in it is packed as none of ours is")
            yield archive
    except _DAMAGED as error:
        raise DamagedZipError(str(error)) from error
