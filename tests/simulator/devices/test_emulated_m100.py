"""The UHF reader against the frames of its protocol document, with many tags and with bad bytes."""

from random import Random

import pytest
from doorward_simulator.devices.m100 import UhfReader
from doorward_simulator.devices.m100_frames import Frame, FrameReader
from doorward_simulator.devices.tags import Tag

EPC = bytes.fromhex("30751FEB705C5904E3D50D70")  # the document's example tag
TID = bytes.fromhex("E2801105200012B4C5D6E7F8")
POLL = bytes.fromhex("BB 00 22 0000 22 7E")
NO_TAG = bytes.fromhex("BB 01 FF 0001 15 16 7E")
STOP = bytes.fromhex("BB 00 28 0000 28 7E")
STOPPED = bytes.fromhex("BB 01 28 0001 00 2A 7E")


def sure(epc: bytes = EPC, tid: bytes = TID, **more) -> Tag:
    """A tag that every round hears."""
    return Tag(epc, tid, reads=1.0, **more)


def frames(data: bytes) -> list[Frame]:
    items = FrameReader().feed(data)
    whole = [item for item in items if isinstance(item, Frame)]
    assert len(whole) == len(items)
    return whole


@pytest.fixture
def reader(scheduler):
    return UhfReader(scheduler)


@pytest.fixture
def host(reader, wire):
    return wire(reader)


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        ("BB 00 03 0001 00 04 7E", "BB 01 03 0010 00 4D3130302032 3664426D2056312E30 92 7E"),
        ("BB 00 28 0000 28 7E", "BB 01 28 0001 00 2A 7E"),
        ("BB 00 07 0001 01 09 7E", "BB 01 07 0001 00 09 7E"),
        ("BB 00 08 0000 08 7E", "BB 01 08 0001 01 0B 7E"),
        ("BB 00 0D 0000 0D 7E", "BB 01 0D 0002 1020 40 7E"),
        ("BB 00 0E 0002 1020 40 7E", "BB 01 0E 0001 00 10 7E"),
        ("BB 00 12 0001 01 14 7E", "BB 01 12 0001 00 14 7E"),
        ("BB 00 B6 0002 07D0 8F 7E", "BB 01 B6 0001 00 B8 7E"),
        ("BB 00 B7 0000 B7 7E", "BB 01 B7 0002 0A28 EC 7E"),
        ("BB 00 F1 0000 F1 7E", "BB 01 F1 0004 030601B0 B0 7E"),
        (
            "BB 00 0C 0013 01 00000020 60 00 30751FEB705C5904E3D50D70 AD 7E",
            "BB 01 0C 0001 00 0E 7E",
        ),
    ],
)
def test_documented_exchange(host, reader, sent, received):
    assert host.ask(sent) == bytes.fromhex(received)
    assert reader.violations == []


def test_notice_is_the_documents_but_for_signal_strength(host, reader):
    reader.enter(sure(user=b"some"))
    (notice,) = frames(host.ask(POLL))
    assert (notice.type, notice.command, len(notice.parameters)) == (2, 0x22, 0x11)
    assert notice.parameters[1:] == bytes.fromhex("3400 30751FEB705C5904E3D50D70 3A76")
    assert -75 < notice.parameters[0] - 256 < -40


def test_without_a_tag_a_round_answers_0x15(host, reader):
    assert host.ask(POLL) == NO_TAG
    tag = sure()
    reader.enter(tag)
    reader.enter(tag)
    assert len(frames(host.ask(POLL))) == 1
    reader.leave(tag)
    assert host.ask(POLL) == NO_TAG


def test_many_tags_come_in_random_order_and_all_of_them_in_some_rounds(host, reader):
    epcs = [EPC[:-1] + bytes([i]) for i in range(14)]
    for epc in epcs:
        reader.enter(Tag(epc, TID))
    rounds = [[notice.parameters[3:15] for notice in frames(host.ask(POLL))] for _ in range(12)]
    assert any(len(heard) < len(epcs) for heard in rounds)
    assert rounds[0] != sorted(rounds[0])
    assert {epc for heard in rounds for epc in heard} == set(epcs)


def test_polling_goes_on_until_stopped(host, reader, scheduler):
    reader.enter(sure())
    several = frames(host.ask("BB 00 27 0003 22 2710 83 7E", 400))
    assert len(several) > 5
    assert {notice.command for notice in several} == {0x22}
    assert host.ask(STOP).endswith(STOPPED)
    assert host.ask(b"") == b""


def test_polling_stops_after_the_asked_rounds(host, reader):
    reader.enter(sure())
    assert len(frames(host.ask("BB 00 27 0003 22 0003 4F 7E", 2000))) == 3


def test_tag_going_away_while_polling_shows_as_errors(host, reader):
    tag = sure()
    reader.enter(tag)
    host.ask("BB 00 27 0003 22 2710 83 7E", 100)
    reader.leave(tag)
    host.received.clear()
    host.scheduler.advance(200)
    errors = frames(bytes(host.received))
    assert [error.parameters for error in errors[1:]] == [b"\x15"] * (len(errors) - 1)
    assert len(errors) > 3


class TestAccess:
    def select(self, host, epc: bytes = EPC) -> None:
        mask = bytes.fromhex("01 00000020 60 00") + epc
        assert host.ask(Frame(0, 0x0C, mask).to_bytes()) == Frame(1, 0x0C, b"\0").to_bytes()

    def read(self, host, bank: int, start: int, words: int, password: int = 0) -> Frame:
        parameters = (
            password.to_bytes(4, "big") + bytes([bank]) + start.to_bytes(2, "big") + words.to_bytes(2, "big")
        )
        return frames(host.ask(Frame(0, 0x39, parameters).to_bytes()))[0]

    def test_tid_of_the_selected_tag_among_many(self, host, reader):
        reader.enter(sure(EPC[:-1] + b"\x01", bytes(12)))
        reader.enter(sure())
        reader.enter(sure(EPC[:-1] + b"\x02", bytes(12)))
        self.select(host)
        answer = self.read(host, 2, 0, 6)
        assert (answer.type, answer.command) == (1, 0x39)
        assert answer.parameters == bytes.fromhex("0E 3000") + EPC + TID

    def test_epc_bank_begins_with_crc_and_protocol_control(self, host, reader):
        reader.enter(sure())
        self.select(host)
        assert self.read(host, 1, 0, 8).parameters[15:] == reader.field[0].crc + b"\x30\x00" + EPC

    def test_nobody_answers(self, host, reader):
        reader.enter(sure(EPC[:-1] + b"\x01"))
        self.select(host)
        assert self.read(host, 2, 0, 6) == Frame(1, 0xFF, b"\x09")

    def test_beyond_the_end_of_memory(self, host, reader):
        reader.enter(sure())
        self.select(host)
        assert self.read(host, 2, 0, 7).parameters == bytes.fromhex("A3 0E 3000") + EPC

    def test_wrong_access_password(self, host, reader):
        reader.enter(sure())
        self.select(host)
        assert self.read(host, 2, 0, 6, 0xFFFF).parameters == bytes.fromhex("16 0E 3000") + EPC

    @pytest.mark.parametrize(
        ("command", "parameters", "code"),
        [
            (0x49, "00000000 01 0002 0002 12345678", 0xB4),
            (0x82, "00000000 020080", 0xC4),
            (0x65, "0000FFFF", 0xD4),
        ],
    )
    def test_writing_locking_and_killing_are_refused_by_the_tag(
        self, host, reader, command, parameters, code
    ):
        reader.enter(sure())
        self.select(host)
        (error,) = frames(host.ask(Frame(0, command, bytes.fromhex(parameters)).to_bytes()))
        assert (error.command, error.parameters) == (0xFF, bytes([code]) + bytes.fromhex("0E 3000") + EPC)
        assert reader.field[0].epc == EPC


class TestBytes:
    def test_head_and_tail_bytes_inside_a_frame(self, host, reader):
        reader.enter(sure(bytes.fromhex("BB7EBB7E 7E7EBBBB 00BB7E00"), bytes.fromhex("E2BB7E7EBBBB0001")))
        (notice,) = frames(host.ask(POLL))
        assert notice.parameters[3:15] == reader.field[0].epc
        select = bytes.fromhex("01 00000020 60 00") + reader.field[0].epc
        assert host.ask(Frame(0, 0x0C, select).to_bytes()) == Frame(1, 0x0C, b"\0").to_bytes()
        assert reader.violations == []

    def test_any_split_gives_the_same_answers(self, host, reader):
        sent = bytes.fromhex("BB 00 B7 0000 B7 7E") + bytes.fromhex("BB 00 08 0000 08 7E")
        whole = host.ask(sent)
        for cut in range(1, len(sent)):
            reader.receive(sent[:cut])
            assert host.ask(sent[cut:]).endswith(whole[-8:])
        assert reader.violations == []

    def test_every_corrupted_byte_is_noticed_and_the_next_command_works(self, host, reader):
        for place in range(7):
            damaged = bytearray(bytes.fromhex("BB 00 B7 0000 B7 7E"))
            damaged[place] ^= 0x11
            reader.violations.clear()
            host.ask(bytes(damaged), 600)
            assert reader.violations, place
            assert host.ask(STOP) == STOPPED

    def test_truncated_frame_is_given_up(self, host, reader):
        host.ask(POLL[:4])
        assert "not finished" in reader.violations[0].text
        assert host.ask(STOP) == STOPPED

    def test_absurd_length_does_not_swallow_what_follows(self, host, reader):
        assert host.ask(bytes.fromhex("BB 00 22 FFFF") + STOP) == STOPPED
        assert "out of range" in reader.violations[0].text

    def test_unknown_command_and_wrong_parameters_answer_0x17(self, host, reader):
        for frame in (
            Frame(0, 0x99),
            Frame(0, 0x39, b"\0"),
            Frame(0, 0x27, b"\x22\0\0"),
            Frame(0, 0x12, b"\3"),
        ):
            assert host.ask(frame.to_bytes()) == Frame(1, 0xFF, b"\x17").to_bytes()
        assert len(reader.violations) == 4

    def test_sleeping_module_wakes_by_a_byte_that_is_lost(self, host, reader):
        assert host.ask(Frame(0, 0x17).to_bytes()) == Frame(1, 0x17, b"\0").to_bytes()
        assert host.ask(STOP) == b""
        assert host.ask(STOP) == STOPPED

    def test_baud_change_has_no_answer_and_lasts_until_power_goes(self, host, reader):
        assert host.ask("BB 00 11 0002 00C0 D3 7E") == b""
        assert reader.baud == 19_200
        reader.power(False)
        assert reader.baud == 115_200

    def test_seeded_noise_never_breaks_it(self, host, reader):
        random = Random(5)
        for _ in range(200):
            reader.receive(b"\xbb" * random.randint(0, 2) + random.randbytes(random.randint(1, 40)))
            host.scheduler.advance(random.randint(0, 20))
        host.scheduler.advance(2000)
        host.ask(STOP)
        assert host.ask(STOP) == STOPPED


@pytest.mark.parametrize(
    ("epc", "tid"), [(b"", TID), (b"odd", TID), (bytes(64), TID), (EPC, b"\0\0"), (EPC, bytes(5))]
)
def test_impossible_tags(epc, tid):
    with pytest.raises(ValueError, match="even number"):
        Tag(epc, tid)
