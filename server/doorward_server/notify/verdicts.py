"""What came of sending a message, and in words: delivered, to be tried again later, or never."""

from enum import Enum, auto
from typing import NamedTuple


class Outcome(Enum):
    """What the outbox does with the message."""

    DELIVERED = auto()
    LATER = auto()
    NEVER = auto()  # this message would be refused however often it came


class Verdict(NamedTuple):
    """The outcome and why: `trouble` is a key of TROUBLES. `pause`: seconds the receiver asks us to wait."""

    outcome: Outcome
    trouble: str = ""
    number: int = 0
    pause: int = 0
    # What the receiver said; may hold anything, so it is for the one who tries the target out alone.
    said: str = ""


class Trouble(NamedTuple):
    """Why a message did not arrive, in Chinese and English, and what to do."""

    zh: str
    en: str
    what_to_do: str


TROUBLES = {
    "unreachable": Trouble(
        "无法连接", "it cannot be reached",
        "check the address, the network and HTTPS_PROXY",
    ),
    "timed_out": Trouble(
        "没有及时应答", "it did not answer in time",
        "check the receiver and the network",
    ),
    "certificate": Trouble(
        "证书不受信任", "its certificate is not trusted",
        "have the receiver's certificate mended, or name the file of your own authority by SSL_CERT_FILE",
    ),
    "garbage": Trouble(
        "应答无法识别", "its answer makes no sense",
        "check that the address is the receiver's own",
    ),
    "redirect": Trouble(
        "HTTP {number}，要求转到别处", "HTTP {number}, it wants us to go elsewhere",
        "set the address to which it leads, if you trust that",
    ),
    "status": Trouble(
        "HTTP {number}", "HTTP {number}",
        "look into the receiver's log; check address and secret",
    ),
    "errcode": Trouble(
        "企业微信 errcode {number}", "WeCom errcode {number}",
        "93000: the robot was removed or its key is wrong; others: WeCom's table of global error codes",
    ),
}  # fmt: skip


def trouble_in_words(trouble: str, number: int, language: str) -> str:
    """What went wrong, in "zh" or "en"."""
    found = TROUBLES[trouble]
    return (found.zh if language == "zh" else found.en).format(number=number)
