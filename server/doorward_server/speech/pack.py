"""The prompt pack of a language: for every prompt number a clip and a picture, as blobs for units.

Clips recorded by `gtts_prompts` take precedence over the local engine's; pictures are drawn. Everything is
made once and then read from disk: a pack costs two seconds the first time and milliseconds afterwards.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple

from doorward_server.speech.drawing import bitmap, prompt_picture
from doorward_server.speech.store import EDITION as CLIP_EDITION
from doorward_server.speech.store import SpeechStore, keep
from doorward_server.speech.texts import PROMPTS, Prompt

# Raised when drawing.py or icons.py change what a picture looks like.
_EDITION = "2"


class PackedPrompt(NamedTuple):
    """One prompt's number and the contents of its two blobs."""

    number: int
    clip: bytes
    picture: bytes


def build_pack(
    folder: Path, store: SpeechStore, language: str, numbers: dict[int, str]
) -> list[PackedPrompt]:
    """All prompts of `numbers` (number → name) in `language`. `folder` keeps pictures and recordings."""
    return [
        PackedPrompt(number, _clip(folder, store, name, language), _picture(folder, PROMPTS[name], language))
        for number, name in sorted(numbers.items())
    ]


def pack_source(folder: Path, language: str, numbers: dict[int, str]) -> bytes:
    """What a pack is made from, as bytes: equal sources give equal packs."""
    rows = [(number, PROMPTS[name], _recorded(folder, name, language)) for number, name in numbers.items()]
    return repr((_EDITION, CLIP_EDITION, language, sorted(rows))).encode()


def recording_path(folder: Path, name: str, language: str) -> Path:
    """Where a recorded clip of a fixed prompt lies, if there is one."""
    return folder / "recorded" / language / f"{name}.pcm"


def _clip(folder: Path, store: SpeechStore, name: str, language: str) -> bytes:
    if _recorded(folder, name, language):
        return recording_path(folder, name, language).read_bytes()
    prompt = PROMPTS[name]
    return store.clip(prompt.say_zh if language == "zh" else prompt.say_en, language)


def _recorded(folder: Path, name: str, language: str) -> tuple[int, ...]:
    """Size and time of a recording; empty if there is none."""
    try:
        state = recording_path(folder, name, language).stat()
    except OSError:
        return ()
    return (state.st_size, state.st_mtime_ns) if state.st_size else ()


def _picture(folder: Path, prompt: Prompt, language: str) -> bytes:
    source = "|".join((_EDITION, language, prompt.icon, prompt.tone, prompt.title_zh, prompt.title_en))
    path = folder / "pictures" / f"{hashlib.sha256(source.encode()).hexdigest()}.bitmap"
    try:
        return path.read_bytes()
    except OSError:
        data = bitmap(prompt_picture(prompt, language))
        keep(path, data)
        return data
