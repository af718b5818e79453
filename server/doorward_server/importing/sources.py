"""Where an import's files come from: a folder, or an archive that was uploaded.

Both hold `bank.xlsx` and the folders `photos` and `fingers`. Names from the workbook are bare file names;
nothing outside the given folder can be reached, and nothing is read that is larger than it should be.
"""

import io
import re
import zipfile
from pathlib import Path
from typing import Protocol

WORKBOOK = "bank.xlsx"
PHOTOS = "photos"
FINGERS = "fingers"

WORKBOOK_LIMIT = 8 * 1024 * 1024
ARCHIVE_ENTRIES = 50_000
# What all files that are read from an archive may hold together: photos and templates hardly get smaller by
# packing, so that so much more than was uploaded is no bank's.
ARCHIVE_ROOM = 64 * 1024 * 1024
ARCHIVE_GROWTH = 4
_NAME = re.compile(r"[\w][\w .-]{0,99}")


class BadFile(Exception):  # noqa: N818 (said of the file, not of the program)
    """A file that cannot be had; `reason` is one of importing/findings.py."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Source(Protocol):
    """Reads the workbook and the files it names."""

    def workbook(self) -> bytes:
        """The workbook's bytes. Raises BadFile."""
        ...

    def file(self, folder: str, name: str, limit: int) -> bytes:
        """A file of at most `limit` bytes in one of the folders. Raises BadFile."""
        ...


def bare_name(folder: str, name: str) -> str:
    """A file's bare name; `photos/x.jpg` is taken for `x.jpg` in the folder photos. Raises BadFile."""
    name = name.removeprefix(f"{folder}/")
    if not _NAME.fullmatch(name) or name.endswith((".", " ")):
        raise BadFile("file_name_bad")
    return name


class FolderSource:
    """A folder on the server's machine, given by whoever runs the command."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def workbook(self) -> bytes:
        return self._read(self._folder / WORKBOOK, WORKBOOK_LIMIT, "workbook_missing")

    def file(self, folder: str, name: str, limit: int) -> bytes:
        path = self._folder / folder / bare_name(folder, name)
        if path.resolve() != path:
            raise BadFile("file_name_bad")  # a link leads elsewhere
        return self._read(path, limit, "file_missing")

    @staticmethod
    def _read(path: Path, limit: int, missing: str) -> bytes:
        if not path.is_file():
            raise BadFile(missing)
        with path.open("rb") as opened:
            content = opened.read(limit + 1)
        if len(content) > limit:
            raise BadFile("file_too_large")
        return content


class ArchiveSource:
    """An uploaded .zip with the same layout. Only what the workbook names is ever unpacked, into memory, and
    no more of it than there is room for, however often the same file is named."""

    def __init__(self, content: bytes) -> None:
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(content))
        except Exception:  # damaged or hostile: it can make zipfile fail in any way
            raise BadFile("archive_unreadable") from None
        if len(self._archive.infolist()) > ARCHIVE_ENTRIES:
            raise BadFile("too_large")
        self._room = max(ARCHIVE_ROOM, ARCHIVE_GROWTH * len(content))

    def workbook(self) -> bytes:
        return self._read(WORKBOOK, WORKBOOK_LIMIT, "workbook_missing")

    def file(self, folder: str, name: str, limit: int) -> bytes:
        return self._read(f"{folder}/{bare_name(folder, name)}", limit, "file_missing")

    def _read(self, name: str, limit: int, missing: str) -> bytes:
        if self._room <= 0:
            raise BadFile("archive_swells")
        try:
            with self._archive.open(name) as opened:
                content = opened.read(limit + 1)
        except KeyError:
            raise BadFile(missing) from None
        except Exception:  # damaged, encrypted or of an unknown method: each method has errors of its own
            raise BadFile("archive_unreadable") from None
        if len(content) > limit:
            raise BadFile("file_too_large")
        self._room -= len(content)
        return content
