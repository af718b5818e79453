"""The speech engine: espeak-ng through ctypes. Text in, PCM16 mono 16 kHz out, nothing leaves here.

espeak-ng keeps its state in globals and speaks at its voices' own rate (22,050 Hz), so one lock guards it and
`resample` brings the samples to the rate that units play. The same text always gives the same bytes.
"""

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
    """One espeak-ng. Opened at the first use, shared by all threads."""

    def __init__(self):
        self._lock = threading.Lock()
        self._library = None
        self._rate = 0
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
            raw = self._speak(text, language)
            rate = self._rate
        samples = trim(resample(raw, rate, RATE))
        if not samples:
            raise SpeechError(
                f"The speech engine gave no sound for {text!r}: check the text and the installation."
            )
        return normalise(samples).tobytes()

    def _speak(self, text: str, language: str) -> array:
        library = self._library or self._open()
        if library.espeak_SetVoiceByName(VOICES[language]) != 0:
            raise SpeechError(
                f"espeak-ng lacks the voice {VOICES[language].decode()}: reinstall espeakng-loader."
            )
        library.espeak_SetParameter(_PARAMETER_RATE, WORDS_PER_MINUTE[language], 0)
        self._samples = array("h")
        data = text.encode() + b"\0"
        failed = library.espeak_Synth(
            data, len(data), 0, _POSITION_CHARACTER, 0, _CHARACTERS_UTF8, None, None
        )
        if failed:
            raise SpeechError(
                f"espeak-ng failed with code {failed}: try again; if it stays, restart the server."
            )
        return self._samples

    def _open(self):
        try:
            library = ctypes.CDLL(espeakng_loader.get_library_path())
            path = espeakng_loader.get_data_path().encode()
        except (OSError, RuntimeError) as problem:
            raise SpeechError(
                f"espeak-ng cannot be loaded ({problem}): reinstall espeakng-loader."
            ) from problem
        library.espeak_Synth.argtypes = [
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int,
            ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, ctypes.c_void_p,
        ]  # fmt: skip
        rate = library.espeak_Initialize(
            _OUTPUT_SYNCHRONOUS, _BUFFER_MILLISECONDS, path, _INITIALIZE_DONT_EXIT
        )
        if rate <= 0:
            raise SpeechError("espeak-ng finds no voice data: reinstall espeakng-loader.")
        library.espeak_SetSynthCallback(self._callback)
        self._rate, self._library = rate, library
        return library

    def _receive(self, samples, count, events):  # noqa: ARG002 - the shape espeak-ng calls
        if samples and count > 0:
            self._samples.frombytes(ctypes.string_at(samples, count * 2))
        return 0


ENGINE = Engine()
