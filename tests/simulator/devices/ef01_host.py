"""A host at an EF01 module: asks with packets and takes the answers apart."""

from random import Random

from doorward_simulator.devices.ef01_packets import Packet, PacketReader
from doorward_simulator.fingers import make_finger

BROADCAST = 0xFFFFFFFF
ANNA, BERT = make_finger("anna", 2, 0.9), make_finger("bert", 2, 0.9)


def command(*content: int) -> bytes:
    return Packet(BROADCAST, 0x01, bytes(content)).to_bytes()


def answer(code: int, content: bytes = b"") -> bytes:
    return Packet(BROADCAST, 0x07, bytes([code]) + content).to_bytes()


class Host:
    """Asks a module and takes its answers apart."""

    def __init__(self, wire, module):
        self.wire, self.module = wire(module), module
        self.random = Random(11)

    def ask(self, *content: int) -> bytes:
        """Confirmation code and content of the answer."""
        return self.packets(command(*content))[0].content

    def packets(self, data: bytes, wait_ms: int = 4000) -> list[Packet]:
        items = PacketReader().feed(self.wire.ask(data, wait_ms))
        packets = [item for item in items if isinstance(item, Packet)]
        assert len(packets) == len(items)
        return packets

    def code(self, *content: int) -> int:
        return self.ask(*content)[0]

    def touch(self, finger, buffer: int, condition: str = "normal") -> tuple[int, int]:
        """Codes of capture and extraction of one touch."""
        self.module.press(finger.touch(self.random, condition))
        captured = self.code(0x01)
        self.module.lift()
        return captured, self.code(0x02, buffer)

    def enrol(self, finger, slot: int) -> None:
        assert self.touch(finger, 1) == self.touch(finger, 2) == (0, 0)
        assert self.code(0x05) == 0
        assert self.code(0x06, 1, *slot.to_bytes(2, "big")) == 0
