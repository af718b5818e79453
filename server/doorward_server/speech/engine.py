"""The speech engine: espeak-ng through ctypes. Text in, PCM16 mono 16 kHz out, nothing leaves here.

espeak-ng speaks at its voices' own rate (22,050 Hz); `resample` brings the samples to the rate that units
play. Its state is in globals and makes the same text sound a little different each time (the voice's
flutter), which would give each run of a simulation other hashes. So every text is spoken by a freshly
loaded library, under one lock: loading takes a millisecond or two, and the same text always gives the
same bytes.
"""

import _ctypes
import ctypes
import threading
from array import array

import espeakng_loader

from doorward_server.speech.samples import RATE, normalise, resample, trim

VOICES = {"zh": b"cmn", "en": b"en"}
WORDS_PER_MINUTE = {"zh": 210, "en": 165}

# espeak-ng/speak_lib.h
_OUTPUT_SYNCHRONOUS = 2
_INITIALIZE_DONT_EXIT = 0x8000
_CHARACTERS_UTF8 = 1
_POSITION_CHARACTER = 1
_PARAMETER_RATE = 1
_BUFFER_MILLISECONDS = 500
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class SpeechError(Exception):
    """The engine could not speak. The text says what to do; nothing was cached."""


class Engine:
    """One voice at a time, shared by all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._samples = array("h")
        # ctypes keeps no reference to a callback: this attribute does.
        self._callback = _CALLBACK(self._receive)

    def synthesize(self, text: str, language: str) -> bytes:
        """Speak `text` in "zh" or "en": PCM16 little-endian mono at 16 kHz, trimmed and levelled.

        Raises SpeechError for an unknown language, an engine that fails, or text that gives no sound.
        """
        if language not in VOICES:
            raise SpeechError(f"No voice for language {language!r}: use one of {', '.join(VOICES)}.")
        with self._lock:
            raw, rate = self._speak(text, language)
        samples = trim(resample(raw, rate, RATE))
        if not samples:
            raise SpeechError(f"The speech engine gave no sound for {text!r}: check text and installation.")
        return normalise(samples).tobytes()

    def _speak(self, text: str, language: str) -> tuple[array, int]:
        library, rate = _load()
        try:
            library.espeak_SetSynthCallback(self._callback)
            if library.espeak_SetVoiceByName(VOICES[language]) != 0:
                raise SpeechError(f"espeak-ng lacks the voice for {language}: reinstall espeakng-loader.")
            library.espeak_SetParameter(_PARAMETER_RATE, WORDS_PER_MINUTE[language], 0)
            self._samples = array("h")
            data = text.encode() + b"\0"
            failed = library.espeak_Synth(
                data, len(data), 0, _POSITION_CHARACTER, 0, _CHARACTERS_UTF8, None, None
            )
            if failed:
                raise SpeechError(f"espeak-ng failed with code {failed}: try again, then restart the server.")
            return self._samples, rate
        finally:
            library.espeak_Terminate()
            _ctypes.dlclose(library._handle)

    def _receive(self, samples, count, events):  # noqa: ARG002 - the shape espeak-ng calls
        if samples and count > 0:
            self._samples.frombytes(ctypes.string_at(samples, count * 2))
        return 0


def _load() -> tuple[ctypes.CDLL, int]:
    """A fresh library with its data, and its sample rate."""
    try:
        library = ctypes.CDLL(espeakng_loader.get_library_path())
        path = espeakng_loader.get_data_path().encode()
    except (OSError, RuntimeError) as problem:
        raise SpeechError(f"espeak-ng cannot be loaded ({problem}): reinstall espeakng-loader.") from problem
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int,
        ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p,
    ]  # fmt: skip
    rate = library.espeak_Initialize(_OUTPUT_SYNCHRONOUS, _BUFFER_MILLISECONDS, path, _INITIALIZE_DONT_EXIT)
    if rate <= 0:
        raise SpeechError("espeak-ng finds no voice data: reinstall espeakng-loader.")
    return library, rate


ENGINE = Engine()
