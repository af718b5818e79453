"""The EF01 module fed with bytes split, merged, truncated, corrupted, and with noise."""

from random import Random

from doorward_simulator.devices.ef01_packets import Packet
from ef01_host import ANNA, BROADCAST, answer, command


class TestBytes:
    """Split, merged, truncated, corrupted."""

    def test_any_split_gives_the_same_answers(self, host):
        sent = command(0x13, 0, 0, 0, 0) + command(0x1D) + command(0x0F)
        whole = host().wire.ask(sent)
        for cut in range(1, len(sent)):
            asked = host()
            asked.module.receive(sent[:cut])
            asked.module.receive(sent[cut:])
            asked.wire.scheduler.advance(1000)
            assert bytes(asked.wire.received) == whole
            assert asked.module.violations == []

    def test_byte_by_byte(self, host):
        asked = host()
        for byte in command(0x1D):
            asked.module.receive(bytes([byte]))
            asked.wire.scheduler.advance(20)
        asked.wire.scheduler.advance(100)
        assert bytes(asked.wire.received) == answer(0, b"\0\0")

    def test_every_corrupted_byte_is_noticed_and_the_next_command_works(self, host):
        sent = command(0x13, 0, 0, 0, 0)
        for place in range(len(sent)):
            asked = host()
            damaged = bytearray(sent)
            damaged[place] ^= 0x41
            asked.wire.ask(bytes(damaged), 1500)
            assert asked.module.violations, place
            assert asked.wire.ask(command(0x1D), 1500)[-14:] == answer(0, b"\0\0")

    def test_wrong_sum_is_answered_as_receive_error(self, host):
        asked = host()
        assert asked.wire.ask("EF01 FFFFFFFF 01 0003 1D 0022") == answer(0x01)
        assert asked.module.violations[0].text == "sum is wrong"

    def test_truncated_packet_is_given_up_and_answered(self, host):
        asked = host()
        assert asked.wire.ask(command(0x1D)[:-3], 1500) == answer(0x01)
        assert "not finished" in asked.module.violations[0].text

    def test_oversize_length_is_refused_at_once(self, host):
        asked = host()
        assert asked.wire.ask("EF01 FFFFFFFF 01 FFFF 1D", 100) == answer(0x01)
        assert "out of range" in asked.module.violations[0].text

    def test_noise_before_a_packet_is_skipped_and_recorded(self, host):
        asked = host()
        assert asked.wire.ask(b"\x00\xef\xef\x02noise" + command(0x1D)) == answer(0, b"\0\0")
        assert {violation.text for violation in asked.module.violations} == {"bytes outside a packet"}

    def test_unknown_instruction_and_wrong_arguments(self, host):
        asked = host()
        assert asked.code(0x77) == 0xFC
        assert asked.code(0x02) == 0x01
        assert asked.code(0x13, 1) == 0x01
        assert len(asked.module.violations) == 3

    def test_data_without_an_instruction(self, host):
        asked = host()
        assert asked.wire.ask(Packet(BROADCAST, 0x02, bytes(128)).to_bytes()) == b""
        assert "announced" in asked.module.violations[0].text

    def test_what_comes_while_it_works_waits_its_turn(self, host):
        asked = host()
        asked.module.press(ANNA.touch(asked.random))
        answers = asked.wire.ask(command(0x01) + command(0x02, 1) + command(0x1D), 2000)
        assert answers == answer(0) + answer(0) + answer(0, b"\0\0")

    def test_seeded_noise_never_breaks_it(self, host):
        asked, random = host(), Random(3)
        for _ in range(200):
            asked.module.receive(random.randbytes(random.randint(1, 60)))
            asked.wire.scheduler.advance(random.randint(0, 40))
        asked.wire.scheduler.advance(2000)
        assert asked.wire.ask(command(0x40)) == answer(0)
