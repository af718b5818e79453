"""A loudspeaker behind an I2S amplifier: it collects what was played.

The sound is PCM16 little-endian, mono, 16 kHz unless the host says otherwise. Playing takes as long as it
takes; a pause of more than `GAP_MS` separates two recordings.
"""

import wave
from dataclasses import dataclass
from io import BytesIO

from doorward_simulator.devices.device import Device, Scheduler

GAP_MS = 60


@dataclass
class Recording:
    """A stretch of sound without a pause: when it began (ms), at which rate (Hz), and its samples."""

    start: int
    rate: int
    pcm: bytearray

    @property
    def duration(self) -> int:
        """Milliseconds."""
        return len(self.pcm) * 1000 // (2 * self.rate)

    def wav(self) -> bytes:
        """The recording as a WAV file."""
        out = BytesIO()
        with wave.open(out, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(self.rate)
            file.writeframes(bytes(self.pcm))
        return out.getvalue()

    def contains(self, clip: bytes) -> bool:
        """Whether a clip (PCM16) was played here, whole."""
        return bytes(clip) in self.pcm


class Speaker(Device):
    """One loudspeaker; `fault` swallows the sound and makes `write` fail like a missing amplifier."""

    def __init__(self, scheduler: Scheduler, name: str = "speaker", rate: int = 16_000):
        super().__init__(scheduler, name)
        self.rate = rate
        self.recordings: list[Recording] = []
        self.fault = False
        self._ends_at = 0

    def reset(self) -> None:
        self._ends_at = self.scheduler.now()

    def configure(self, rate: int, bits: int = 16, channels: int = 1) -> None:
        """What the host set its I2S peripheral to; the amplifier is wired for 16 bit mono."""
        if bits != 16 or channels != 1:
            self.violation(f"{bits} bit, {channels} channels: the amplifier plays 16 bit mono")
        self.rate = rate

    def write(self, pcm: bytes) -> int:
        """Play samples after what is playing; returns the ms until all of it has been heard."""
        if self.fault:
            raise OSError("loudspeaker does not answer")
        if len(pcm) % 2:
            self.violation(f"{len(pcm)} bytes are no whole number of 16 bit samples", pcm)
            pcm = pcm[:-1]
        now = self.scheduler.now()
        if self.powered and pcm:
            if not self.recordings or now > self._ends_at + GAP_MS or self.recordings[-1].rate != self.rate:
                self.recordings.append(Recording(max(now, self._ends_at), self.rate, bytearray()))
            self.recordings[-1].pcm += pcm
            self._ends_at = max(now, self._ends_at) + -(-len(pcm) * 500 // self.rate)
        return max(0, self._ends_at - now)

    def stop(self) -> None:
        """The host shut its I2S down: what was not heard yet is cut off."""
        now = self.scheduler.now()
        if self.recordings and self._ends_at > now:
            recording = self.recordings[-1]
            heard = 2 * (max(0, now - recording.start) * recording.rate // 1000)
            del recording.pcm[heard:]
            self._ends_at = now

    @property
    def playing(self) -> bool:
        """Whether sound comes out now."""
        return self.powered and self.scheduler.now() < self._ends_at

    def heard(self, clip: bytes, since: int = 0) -> bool:
        """Whether a clip was played whole since a time."""
        return any(r.contains(clip) for r in self.recordings if r.start + r.duration >= since)
