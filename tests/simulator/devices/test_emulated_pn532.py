"""The card reader against the frames of the PN532 user manual."""

import pytest
from doorward_simulator.devices.pn532 import ACK, NACK, Card, CardReader, frame

FIRMWARE = bytes.fromhex("00 00 FF 02 FE D4 02 2A 00")
SAM = bytes.fromhex("00 00 FF 05 FB D4 14 01 14 01 02 00")
LIST = bytes.fromhex("00 00 FF 04 FC D4 4A 01 00 E1 00")
UID = bytes.fromhex("04A1B2C3D4E5F6")
CARD = Card(UID, b"\x00\x44", 0x00)


class Host:
    """Reads when the interrupt line says so."""

    def __init__(self, scheduler, reader):
        self.scheduler, self.reader = scheduler, reader

    def collect(self, limit_ms: int = 300) -> bytes | None:
        if not self.scheduler.run_until(lambda: self.reader.interrupt_active, limit_ms):
            return None
        return self.reader.read(64)

    def ask(self, data: bytes) -> bytes | None:
        assert self.reader.write(data)
        assert (self.collect() or b"")[:7] == b"\x01" + ACK
        return self.collect()


@pytest.fixture
def reader(scheduler):
    device = CardReader(scheduler)
    device.power(True)
    return device


@pytest.fixture
def host(scheduler, reader):
    return Host(scheduler, reader)


def test_firmware_version_as_in_the_manual(host, reader):
    answer = host.ask(FIRMWARE)
    assert answer[:14] == b"\x01" + bytes.fromhex("00 00 FF 06 FA D5 03 32 01 06 07 E8 00")
    assert not reader.interrupt_active
    assert reader.violations == []


def test_sam_configuration(host):
    assert host.ask(SAM)[:10] == b"\x01" + bytes.fromhex("00 00 FF 02 FE D5 15 16 00")


def test_a_card_in_the_field_is_listed(host, reader):
    reader.place(CARD)
    listed = host.ask(LIST)
    assert (
        listed[1:]
        .rstrip(b"\0")
        .startswith(frame(bytes.fromhex("D5 4B 01 01 0044 00 07") + UID).rstrip(b"\0"))
    )


def test_listing_waits_for_a_card(host, reader, scheduler):
    assert host.ask(LIST) is None
    scheduler.advance(60_000)
    reader.place(CARD)
    assert UID in host.collect()
    assert host.collect() is None  # once


def test_a_card_taken_away_at_once_is_not_seen(host, reader):
    assert host.ask(LIST) is None
    reader.place(CARD)
    reader.remove(CARD)
    assert host.collect() is None
    reader.place(CARD)
    assert UID in host.collect()


def test_retries_limit_the_waiting(host):
    assert host.ask(frame(bytes.fromhex("D4 32 05 FF 01 02")))[7:8] == b"\x33"
    assert bytes.fromhex("D5 4B 00") in host.ask(LIST)


def test_ack_from_the_host_ends_the_waiting(host, reader):
    assert host.ask(LIST) is None
    assert reader.write(ACK)
    reader.place(CARD)
    assert host.collect() is None


def test_nack_repeats_the_last_answer(host, reader):
    answer = host.ask(FIRMWARE)
    assert reader.write(NACK)
    assert host.collect() == answer


def test_not_ready_reads_as_zero_and_status_takes_nothing_away(host, reader, scheduler):
    assert reader.read(8) == bytes(8)
    reader.write(FIRMWARE)
    assert reader.read(1) == b"\x01"
    assert reader.read(7) == b"\x01" + ACK
    assert reader.read(1) == b"\x00"
    scheduler.advance(20)
    assert reader.read(1) == b"\x01"


def test_second_card_only_when_two_are_wanted(host, reader):
    other = Card(bytes.fromhex("11223344"))
    reader.place(CARD)
    reader.place(other)
    assert other.uid not in host.ask(LIST)
    assert other.uid in host.ask(frame(bytes.fromhex("D4 4A 02 00")))


@pytest.mark.parametrize("place", range(2, 8))
def test_corrupted_frames_are_not_acknowledged(host, reader, place):
    damaged = bytearray(FIRMWARE)
    damaged[place] ^= 0x08
    reader.write(bytes(damaged))
    assert reader.violations
    first = host.collect()
    assert first is None or first[:7] != b"\x01" + ACK


@pytest.mark.parametrize("payload", ["D4 99", "D4 4A 03 00", "D4 4A", "D4 14 09", "D4 32 05 01"])
def test_unknown_commands_and_arguments_answer_a_syntax_error(host, reader, payload):
    assert host.ask(frame(bytes.fromhex(payload)))[:9] == b"\x01" + bytes.fromhex("00 00 FF 01 FF 7F 81 00")
    assert len(reader.violations) == 1


def test_truncated_frame(host, reader):
    reader.write(FIRMWARE[:-3])
    assert "length" in reader.violations[0].text


def test_without_power_the_address_is_not_acknowledged(reader):
    reader.power(False)
    assert not reader.write(FIRMWARE)
    assert reader.read(8) == b""


def test_uid_lengths():
    with pytest.raises(ValueError, match="4, 7 or 10"):
        Card(b"\x01\x02\x03")
