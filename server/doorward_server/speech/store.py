"""Clips by their text: made once by the engine, kept on disk, never kept when something went wrong."""

import hashlib
import os
import threading
from contextlib import suppress
from pathlib import Path

from doorward_server.speech.engine import ENGINE, VOICES, WORDS_PER_MINUTE, Engine

# Raised when the arithmetic in samples.py changes, so that old clips are not used any more.
EDITION = "1"


class SpeechStore:
    """`clip(text, language)` as PCM16 mono 16 kHz. Files are named by the SHA-256 of voice and text."""

    def __init__(self, folder: Path, engine: Engine = ENGINE) -> None:
        self._folder = folder
        self._engine = engine

    def clip(self, text: str, language: str) -> bytes:
        """The spoken text. Raises SpeechError when the engine cannot; nothing is kept then."""
        path = self._folder / f"{self._name(text, language)}.pcm"
        try:
            data = path.read_bytes()
        except OSError:
            data = b""
        if data and len(data) % 2 == 0:
            return data
        data = self._engine.synthesize(text, language)
        keep(path, data)
        return data

    def speak(self, text: str, language: str) -> bytes:
        """The spoken text without keeping it here: for names and plates, which the database keeps."""
        return self._engine.synthesize(text, language)

    @staticmethod
    def _name(text: str, language: str) -> str:
        voice = f"{EDITION}|{VOICES.get(language)}|{WORDS_PER_MINUTE.get(language)}|{text}"
        return hashlib.sha256(voice.encode()).hexdigest()


def cache_folder() -> Path:
    """Where fixed prompts and their pictures are kept for all servers of this user; never names."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "doorward"


def keep(path: Path, data: bytes) -> None:
    """Write to the cache; where it cannot be written the work is simply done again next time."""
    with suppress(OSError):
        write_whole(path, data)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees all of it or none of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    unfinished.write_bytes(data)
    unfinished.replace(path)
