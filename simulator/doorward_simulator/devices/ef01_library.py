"""What an EF01 module remembers: the image, two character buffers, and the library in its flash.

Pure bookkeeping on minutiae; no wire, no time. Every operation answers with a confirmation code of the
manual, beside its result.
"""

from functools import lru_cache
from random import Random

from doorward_simulator import finger_templates
from doorward_simulator.devices.ef01_profiles import Profile
from doorward_simulator.finger_matcher import Features, compare, merge
from doorward_simulator.fingers import Minutia, Touch

OK, RECEIVE_ERROR, NO_FINGER, NOT_CAPTURED = 0x00, 0x01, 0x02, 0x03
TOO_MESSY, TOO_FEW, NO_MATCH, NOT_FOUND, NOT_COMBINED = 0x06, 0x07, 0x08, 0x09, 0x0A
OUT_OF_RANGE, TEMPLATE_INVALID, NO_UPLOAD, NO_IMAGE_UPLOAD = 0x0B, 0x0C, 0x0D, 0x0F
NOT_DELETED, NO_IMAGE = 0x10, 0x15

LEAST_MINUTIAE = 9
LEAST_QUALITY = 0.32
LEAST_TO_COMBINE = 40
THRESHOLDS = {1: 34, 2: 40, 3: 48, 4: 58, 5: 70}  # score by security level (register 5)


@lru_cache(maxsize=4096)
def _features(model: str, size: int, template: bytes) -> Features:
    return Features(finger_templates.decode(model, size, template))


class Library:
    """Image, buffers and slots of one module. Slots survive power; `forget` drops the rest."""

    def __init__(self, profile: Profile, random: Random):
        self.profile = profile
        self.random = random
        self.slots: dict[int, bytes] = {}
        self.forget()

    def forget(self) -> None:
        """Power went: image and buffers are lost."""
        self.image: Touch | None = None
        self.buffers: dict[int, bytes | None] = {1: None, 2: None}

    def take_image(self, touch: Touch) -> int:
        """Capture; a module with live-finger detection judges here."""
        self.image = None
        if not touch.live and self.profile.spoof_code is not None:
            return self.profile.spoof_code
        self.image = touch
        return OK

    def extract(self, buffer: int) -> int:
        """Features of the image into a buffer."""
        touch = self.image
        if touch is None:
            return NO_IMAGE
        self.buffers[buffer] = None
        if touch.quality < LEAST_QUALITY:
            return {"dry": self.profile.dry_code, "wet": self.profile.wet_code}.get(
                touch.condition, TOO_MESSY
            )
        minutiae = touch.capture(self.random, *self.profile.window)
        if len(minutiae) < LEAST_MINUTIAE:
            return TOO_FEW
        self.buffers[buffer] = self._encode(minutiae, 1, touch.quality)
        return OK

    def combine(self) -> int:
        """Both buffers into one template, kept in both."""
        first, second = self._minutiae(1), self._minutiae(2)
        merged = merge(first, second, LEAST_TO_COMBINE) if first and second else None
        if merged is None:
            return NOT_COMBINED
        template = self._encode(merged, 2, 1.0)
        for buffer in (1, 2):
            self.buffers[buffer] = template
        return OK

    def download(self, buffer: int, data: bytes) -> bool:
        """Bytes from the host into a buffer; a template of another model leaves the buffer empty."""
        try:
            _features(self.profile.model, self.profile.template_size, data)
        except finger_templates.TemplateError:
            self.buffers[buffer] = None
            return False
        self.buffers[buffer] = data
        return True

    def store(self, buffer: int, slot: int) -> int:
        if slot >= self.profile.capacity:
            return OUT_OF_RANGE
        template = self.buffers[buffer]
        if template is None:
            return TEMPLATE_INVALID
        self.slots[slot] = template
        return OK

    def load(self, buffer: int, slot: int) -> int:
        if slot >= self.profile.capacity:
            return OUT_OF_RANGE
        self.buffers[buffer] = self.slots.get(slot)
        return OK if slot in self.slots else TEMPLATE_INVALID

    def delete(self, first: int, count: int) -> int:
        if count == 0 or first + count > self.profile.capacity:
            return NOT_DELETED
        for slot in range(first, first + count):
            self.slots.pop(slot, None)
        return OK

    def match(self, level: int) -> tuple[int, int]:
        """Buffer 1 against buffer 2: code and score."""
        first, second = self._prepared(1), self._prepared(2)
        score = compare(first, second) if first and second else 0
        return (OK, score) if score >= THRESHOLDS[level] else (NO_MATCH, 0)

    def search(self, buffer: int, first: int, count: int, level: int) -> tuple[int, int, int]:
        """A buffer against a range of slots: code, slot and score of the best."""
        probe = self._prepared(buffer)
        best_slot, best_score = 0, 0
        if probe is None:
            return NOT_FOUND, 0, 0
        for slot in self.occupied(first, count):
            score = compare(
                probe, _features(self.profile.model, self.profile.template_size, self.slots[slot])
            )
            if score > best_score:
                best_slot, best_score = slot, score
        return (OK, best_slot, best_score) if best_score >= THRESHOLDS[level] else (NOT_FOUND, 0, 0)

    def occupied(self, first: int, count: int) -> list[int]:
        """Slots in use within a range."""
        return sorted(slot for slot in self.slots if first <= slot < first + count)

    def index_table(self, page: int) -> bytes:
        """32 bytes: bit n of byte m is slot 256 * page + 8 * m + n."""
        table = bytearray(32)
        for slot in self.occupied(256 * page, 256):
            table[slot % 256 // 8] |= 1 << slot % 8
        return bytes(table)

    def _encode(self, minutiae: list[Minutia], touches: int, quality: float) -> bytes:
        profile = self.profile
        return finger_templates.encode(profile.model, profile.template_size, minutiae, touches, quality)

    def _minutiae(self, buffer: int) -> list[Minutia] | None:
        template = self.buffers[buffer]
        if template is None:
            return None
        return finger_templates.decode(self.profile.model, self.profile.template_size, template)

    def _prepared(self, buffer: int) -> Features | None:
        template = self.buffers[buffer]
        if not template:
            return None
        return _features(self.profile.model, self.profile.template_size, template)
