"""Records the fixed prompts with gTTS, by choice and at build time only: their text goes to a service abroad.

Never used for names or plates. gTTS leaves an empty file when it is offline, so an answer is taken only if it
is MP3 and decodes to sound; what fails is reported and leaves nothing behind. Needs the network and ffmpeg.

    python -m doorward_server.speech.gtts_prompts zh en
"""

import io
import shutil
import subprocess
import sys
from array import array
from collections.abc import Callable
from pathlib import Path

from gtts import gTTS

from doorward_server.speech.engine import SpeechError
from doorward_server.speech.pack import recording_path
from doorward_server.speech.samples import RATE, normalise, trim
from doorward_server.speech.store import cache_folder, write_whole
from doorward_server.speech.texts import PROMPTS

_GTTS_LANGUAGES = {"zh": "zh-CN", "en": "en"}


def record(folder: Path, name: str, language: str, fetch: Callable[[str, str], bytes] | None = None) -> Path:
    """Record one prompt into `folder`; returns the clip's path. Raises SpeechError and keeps nothing."""
    prompt = PROMPTS[name]
    text = prompt.say_zh if language == "zh" else prompt.say_en
    try:
        data = (fetch or _fetch)(text, _GTTS_LANGUAGES[language])
    except Exception as problem:  # gTTS raises its own and its transport's exceptions
        raise SpeechError(f"gTTS did not answer for {name} ({problem}): check the network.") from problem
    if not (data.startswith(b"ID3") or data[:1] == b"\xff"):
        raise SpeechError(
            f"gTTS gave no MP3 for {name} ({len(data)} bytes): check the network and try again."
        )
    samples = trim(_decode(data))
    if not samples:
        raise SpeechError(f"gTTS gave silence for {name}: try again.")
    path = recording_path(folder, name, language)
    write_whole(path, normalise(samples).tobytes())
    return path


def _fetch(text: str, language: str) -> bytes:
    out = io.BytesIO()
    gTTS(text, lang=language).write_to_fp(out)
    return out.getvalue()


def _decode(data: bytes) -> array:
    """MP3 to PCM16 mono 16 kHz by ffmpeg."""
    program = shutil.which("ffmpeg")
    if program is None:
        raise SpeechError("ffmpeg is needed to decode what gTTS sends: install it, or do without recordings.")
    command = [
        program,
        "-v",
        "error",
        "-f",
        "mp3",
        "-i",
        "-",
        "-ac",
        "1",
        "-ar",
        str(RATE),
        "-f",
        "s16le",
        "-",
    ]
    done = subprocess.run(command, input=data, capture_output=True, timeout=60, check=False)  # noqa: S603
    if done.returncode:
        raise SpeechError(
            f"ffmpeg could not decode what gTTS sent: {done.stderr.decode(errors='replace')[:200]}"
        )
    samples = array("h")
    samples.frombytes(done.stdout[: len(done.stdout) // 2 * 2])
    return samples


def main(languages: list[str]) -> int:
    """Record all prompts in these languages where packs look for them; returns how many failed."""
    failed = 0
    for language in languages:
        for name in PROMPTS:
            try:
                sys.stdout.write(f"{record(cache_folder() / 'prompts', name, language)}\n")
            except SpeechError as problem:
                sys.stderr.write(f"{problem}\n")
                failed += 1
    return failed


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:] or list(_GTTS_LANGUAGES)) else 0)
