"""Key files: one folder, readable by the server's own user alone; each key is made when it is first needed.

The master key wraps the people's keys and never leaves the machine. Key pairs are made by the suite, so that
a simulated server has the same keys in every run.
"""

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from doorward_protocol.suite import run

MASTER_BYTES = 32
KID_BYTES = 8
_PRIVATE_BYTES = 32
_PUBLIC_BYTES = 64


class KeyPair(NamedTuple):
    """A P-256 pair under its 8-byte name: private scalar (32 bytes), public point x||y (64 bytes)."""

    kid: bytes
    private: bytes
    public: bytes


class KeyFileError(Exception):
    """A key file that must not be used as it is; the text says what to do."""


class KeyStore:
    """The keys in one folder."""

    def __init__(self, folder: Path, suite: Any) -> None:
        self._folder = folder
        self._suite = suite
        self._pairs: dict[str, KeyPair] = {}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.master = self._file("master", MASTER_BYTES, lambda: secrets.token_bytes(MASTER_BYTES))

    def pair(self, name: str) -> KeyPair:
        """The pair of this name; made on the first call, read from its file once."""
        if name not in self._pairs:
            self._pairs[name] = self._pair(name)
        return self._pairs[name]

    def _pair(self, name: str) -> KeyPair:
        content = self._file(name, KID_BYTES + _PRIVATE_BYTES + _PUBLIC_BYTES, self._new_pair)
        private_end = KID_BYTES + _PRIVATE_BYTES
        return KeyPair(content[:KID_BYTES], content[KID_BYTES:private_end], content[private_end:])

    def _new_pair(self) -> bytes:
        kid = self._suite.random(KID_BYTES)
        private, public = run(self._suite.new_key())
        return kid + private + public

    def _file(self, name: str, size: int, make: Callable[[], bytes]) -> bytes:
        path = self._folder / name
        if not path.exists():
            self._write(path, make())
        if path.stat().st_mode & 0o077:
            raise KeyFileError(f"other users can read {path}: set its mode to 0600, and consider it known")
        content = path.read_bytes()
        if len(content) != size:
            raise KeyFileError(f"{path} is damaged: bring it back from the backup")
        return content

    def _write(self, path: Path, content: bytes) -> None:
        """Whole or not at all: a half-written key would be worse than none."""
        temporary = path.with_suffix(".new")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
