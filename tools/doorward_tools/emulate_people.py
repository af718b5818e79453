"""What a person at an emulated part can do by typing: lay fingers on it, bring tags, pull its plug."""

from collections.abc import Callable
from random import Random

from doorward_simulator.devices.ef01 import FingerprintModule
from doorward_simulator.devices.m100 import UhfReader
from doorward_simulator.devices.tags import Tag
from doorward_simulator.fingers import CONDITIONS, make_finger


class Hands:
    """Words to deeds: `do` answers with lines to print, also when the words mean nothing."""

    def __init__(self, device: FingerprintModule | UhfReader):
        self._device = device
        self._deeds: dict[str, tuple[str, Callable[..., str]]] = {
            "power": ("power on|off", self._power),
            "help": ("help", self._help),
        }

    def do(self, words: list[str]) -> list[str]:
        """Carry out one typed line."""
        usage, deed = self._deeds.get(words[0], ("", None))
        if deed is None:
            return [f"? {words[0]}: {self._help()}"]
        try:
            return [deed(*words[1:])]
        except TypeError:
            return [f"? usage: {usage}"]
        except ValueError as error:
            return [f"? {error}"]

    def _power(self, state: str) -> str:
        if state not in ("on", "off"):
            raise ValueError("power on or power off")
        self._device.power(state == "on")
        return f"power is {state}"

    def _help(self) -> str:
        return "; ".join([*(usage for usage, _ in self._deeds.values()), "quit"])


class FingerHands(Hands):
    """Hands at a fingerprint module. Every name is a person; equal names have equal fingers."""

    def __init__(self, device: FingerprintModule):
        super().__init__(device)
        self._module = device
        self._random: Random = device.scheduler.random
        self._deeds = {
            "press": (f"press NAME [FINGER 1-10] [{'|'.join(CONDITIONS)}]", self._press),
            "lift": ("lift", self._lift),
            "state": ("state", self._state),
            **self._deeds,
        }

    def _press(self, name: str, number: str = "2", condition: str = "normal") -> str:
        if not number.isdecimal():
            raise ValueError(f"finger {number!r}: a number from 1 (right thumb) to 10")
        self._module.press(make_finger(name, int(number)).touch(self._random, condition))
        return f"finger {number} of {name} lies on the window ({condition})"

    def _lift(self) -> str:
        self._module.lift()
        return "the window is free"

    def _state(self) -> str:
        module = self._module
        slots = ", ".join(map(str, sorted(module.library.slots))) or "none"
        return f"slots in use: {slots}; security level {module.settings.security}; {module.light}"


class TagHands(Hands):
    """Hands that carry tags past a UHF reader. A tag's TID follows from its EPC unless it is given."""

    def __init__(self, device: UhfReader):
        super().__init__(device)
        self._reader = device
        self._deeds = {
            "enter": ("enter EPC [TID], in hexadecimal", self._enter),
            "leave": ("leave EPC", self._leave),
            "state": ("state", self._state),
            **self._deeds,
        }

    def _enter(self, epc: str, tid: str = "") -> str:
        code = _hexadecimal(epc)
        if self._inside(code) is not None:
            raise ValueError(f"{epc} is in the field already")
        own = bytes.fromhex("e2801130") + Random(f"tag/{code.hex()}").randbytes(8)  # noqa: S311 - reproducible
        self._reader.enter(Tag(code, _hexadecimal(tid) if tid else own))
        return f"{epc} is in the field"

    def _leave(self, epc: str) -> str:
        tag = self._inside(_hexadecimal(epc))
        if tag is None:
            raise ValueError(f"{epc} is not in the field")
        self._reader.leave(tag)
        return f"{epc} has left the field"

    def _state(self) -> str:
        return "in the field: " + (", ".join(tag.epc.hex() for tag in self._reader.field) or "nothing")

    def _inside(self, epc: bytes) -> Tag | None:
        return next((tag for tag in self._reader.field if tag.epc == epc), None)


def _hexadecimal(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"{text!r} is not hexadecimal") from None
