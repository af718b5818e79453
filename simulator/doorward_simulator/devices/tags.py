"""Tags in a reader's field: what an EPC Class-1 Generation-2 tag answers.

Memory banks: 0 passwords, 1 EPC (CRC-16, PC, EPC), 2 TID, 3 user. TID and passwords are fixed here: a tag's
TID is burnt in by its maker, which is why it tells a copied EPC from the true one.
"""

from binascii import crc_hqx
from dataclasses import dataclass

RESERVED, EPC, TID, USER = 0, 1, 2, 3
MEMORY_OVERRUN, MEMORY_LOCKED = 0x03, 0x04  # tag error codes, EPC Gen2 annex I


@dataclass
class Tag:
    """One tag: mean signal strength at the antenna (dBm), and how often (0..1) a round hears it."""

    epc: bytes
    tid: bytes
    signal: int = -58
    reads: float = 0.85
    user: bytes = b""
    access_password: int = 0

    def __post_init__(self) -> None:
        if len(self.epc) % 2 or not 2 <= len(self.epc) <= 62:
            raise ValueError(f"EPC of {len(self.epc)} bytes: an even number from 2 to 62 is needed")
        if len(self.tid) % 2 or len(self.tid) < 4:
            raise ValueError(f"TID of {len(self.tid)} bytes: an even number of at least 4 is needed")

    @property
    def protocol_control(self) -> bytes:
        """PC word: words of EPC in the upper five bits, then whether there is user memory."""
        return (len(self.epc) // 2 << 11 | bool(self.user) << 10).to_bytes(2, "big")

    @property
    def crc(self) -> bytes:
        """CRC-16 over PC and EPC (EPC Gen2 6.3.2.1.2.2: preset FFFF, complemented)."""
        return (crc_hqx(self.protocol_control + self.epc, 0xFFFF) ^ 0xFFFF).to_bytes(2, "big")

    def bank(self, number: int) -> bytes:
        """All bytes of a memory bank."""
        if number == RESERVED:
            return bytes(4) + self.access_password.to_bytes(4, "big")
        if number == EPC:
            return self.crc + self.protocol_control + self.epc
        return self.tid if number == TID else self.user

    def matches(self, bank: int, pointer: int, length: int, mask: bytes) -> bool:
        """Whether `length` bits of a bank from bit `pointer` equal the mask's first bits."""
        memory = self.bank(bank)
        if pointer + length > len(memory) * 8:
            return False
        bits = int.from_bytes(memory, "big") >> (len(memory) * 8 - pointer - length)
        wanted = int.from_bytes(mask, "big") >> (len(mask) * 8 - length)
        return bits & ((1 << length) - 1) == wanted
