"""The bytes between a driver and an emulated part, told in words: one line per packet."""

from typing import ClassVar

from doorward_simulator.devices import ef01_instructions, ef01_packets, m100_frames

ASKED, ANSWERED = "→", "←"
SHOWN = 40  # bytes of content in a line


class Ef01Story:
    """Packets of a fingerprint module; data packets are summed up into one line."""

    def __init__(self) -> None:
        self._readers = {True: ef01_packets.PacketReader(), False: ef01_packets.PacketReader()}
        self._data = {True: 0, False: 0}

    def tell(self, asked: bool, data: bytes) -> list[str]:
        """Lines about what these bytes completed; `asked`: they are the driver's."""
        if not asked and data == b"\x55":
            return [f"{ANSWERED} 55 ready"]
        arrow = ASKED if asked else ANSWERED
        lines = [self._line(asked, item) for item in self._readers[asked].feed(data)]
        return [f"{arrow} {line}" for line in lines if line]

    def _line(self, asked: bool, item: ef01_packets.Packet | ef01_packets.Broken) -> str:
        if isinstance(item, ef01_packets.Broken):
            return f"{item.reason}: {_shown(item.data)}"
        if item.identifier == ef01_packets.DATA:
            self._data[asked] += len(item.content)
            return ""
        if item.identifier == ef01_packets.LAST_DATA:
            total, self._data[asked] = self._data[asked] + len(item.content), 0
            return f"{total} bytes of data"
        if item.identifier == ef01_packets.COMMAND and item.content:
            known = ef01_instructions.TABLE.get(item.content[0])
            return f"{known.name if known else 'unknown'} {_shown(item.content)}"
        return _shown(item.content)


class M100Story:
    """Frames of a UHF reader."""

    KINDS: ClassVar = {
        m100_frames.COMMAND: "command",
        m100_frames.RESPONSE: "response",
        m100_frames.NOTICE: "notice",
    }

    def __init__(self) -> None:
        self._readers = {True: m100_frames.FrameReader(), False: m100_frames.FrameReader()}

    def tell(self, asked: bool, data: bytes) -> list[str]:
        """Lines about what these bytes completed; `asked`: they are the driver's."""
        arrow = ASKED if asked else ANSWERED
        return [f"{arrow} {self._line(item)}" for item in self._readers[asked].feed(data)]

    def _line(self, item: m100_frames.Frame | m100_frames.Broken) -> str:
        if isinstance(item, m100_frames.Broken):
            return f"{item.reason}: {_shown(item.data)}"
        kind = self.KINDS.get(item.type, "?")
        return f"{kind} {item.command:02x} {_shown(item.parameters)}"


def _shown(data: bytes) -> str:
    return data[:SHOWN].hex(" ") + (" …" if len(data) > SHOWN else "")
