"""What an EF01 module can be told to be: registers in its flash, and its light."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Light:
    """State of the ring (or of the one light, as mode 3 or 4): the four bytes of AuraLedConfig 0x35."""

    mode: int = 4  # 1 breathing, 2 flashing, 3 on, 4 off, 5 gradually on, 6 gradually off
    speed: int = 0
    colour: int = 0  # 1 red, 2 blue, 3 purple, 4 green, 5 yellow, 6 cyan, 7 white
    count: int = 0  # 0: for ever


@dataclass
class Settings:
    """Registers and password in the module's flash; they survive power."""

    password: int = 0
    address: int = 0xFFFFFFFF
    baud_factor: int = 6  # times 9,600
    security: int = 3
    packet_code: int = 2  # 32 << code bytes of data per packet

    @property
    def packet_size(self) -> int:
        return 32 << self.packet_code
