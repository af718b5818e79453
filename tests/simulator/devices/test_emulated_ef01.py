"""The EF01 module against the packets of its manual: fingers, templates, settings."""

import struct

import pytest
from doorward_simulator.devices.ef01 import FingerprintModule, Light
from doorward_simulator.devices.ef01_packets import Packet
from doorward_simulator.devices.ef01_profiles import AS608, LIVE, R503
from doorward_simulator.fingers import make_finger
from ef01_host import ANNA, BERT, BROADCAST, Host, answer, command


class TestManual:
    """Packets as printed in the R503 manual."""

    @pytest.mark.parametrize(
        ("sent", "received"),
        [
            ("EF01 FFFFFFFF 01 0007 13 00000000 001B", "EF01 FFFFFFFF 07 0003 00 000A"),  # VfyPwd
            ("EF01 FFFFFFFF 01 0003 01 0005", "EF01 FFFFFFFF 07 0003 02 000C"),  # GenImg, no finger
            ("EF01 FFFFFFFF 01 0003 1D 0021", "EF01 FFFFFFFF 07 0005 00 0000 000C"),  # TempleteNum
            ("EF01 FFFFFFFF 01 0003 0D 0011", "EF01 FFFFFFFF 07 0003 00 000A"),  # Empty
            ("EF01 FFFFFFFF 01 0003 40 0044", "EF01 FFFFFFFF 07 0003 00 000A"),  # HandShake
            ("EF01 FFFFFFFF 01 0003 36 003A", "EF01 FFFFFFFF 07 0003 00 000A"),  # CheckSensor
            ("EF01 FFFFFFFF 01 0007 35 01 80 02 00 00C0", "EF01 FFFFFFFF 07 0003 00 000A"),  # AuraLedConfig
            (
                "EF01 FFFFFFFF 01 0003 0F 0013",  # ReadSysPara: status, system, 200 slots, level 3, …
                "EF01 FFFFFFFF 07 0013 00 0004 0000 00C8 0003 FFFFFFFF 0002 0006 04ED",
            ),
        ],
    )
    def test_exchange(self, host, sent, received):
        asked = host()
        assert asked.wire.ask(sent) == bytes.fromhex(received)
        assert asked.module.violations == []

    def test_ready_byte_comes_once_after_start_up(self, scheduler):
        module, sent = FingerprintModule(scheduler, "finger", R503), bytearray()
        module.send = sent.extend
        module.power(True)
        module.receive(command(0x40))  # too early: nobody listens yet
        scheduler.advance(1000)
        assert sent == b"\x55"

    def test_soft_reset_answers_and_is_ready_again(self, host):
        asked = host()
        assert asked.wire.ask(command(0x35, 3, 0, 1, 0)) == answer(0)
        assert asked.module.light == Light(3, 0, 1, 0)
        assert asked.wire.ask(command(0x3D)) == answer(0) + b"\x55"
        assert asked.module.light == Light()

    def test_product_information_names_the_model(self, host):
        for profile in (R503, LIVE):
            content = host(profile).ask(0x3C)
            model, _, serial, _, _, _, width, height, size, capacity = struct.unpack(
                ">x16s4s8sBB8sHHHH", content
            )
            assert model.rstrip(b"\0").decode() == profile.model
            assert (serial, size, capacity) == (b"00000001", profile.template_size, profile.capacity)
            assert (width, height) == (192, 192)

    def test_information_page_names_the_model_of_an_as608(self, host):
        packets = host(AS608).packets(command(0x16))
        page = b"".join(packet.content for packet in packets[1:])
        assert (packets[0].content, len(page), packets[-1].identifier) == (b"\0", 512, 8)
        assert page[26:34].rstrip(b"\0") == b"AS608"

    def test_capture_and_features_take_their_time(self, host, scheduler):
        asked = host()
        asked.module.press(ANNA.touch(asked.random))
        for content, least, most in (((0x01,), 100, 200), ((0x02, 1), 250, 500)):
            asked.wire.received.clear()
            asked.module.receive(command(*content))
            begin = scheduler.now()
            assert scheduler.run_until(lambda: len(asked.wire.received) == 12, 2000)
            assert least < scheduler.now() - begin < most


class TestFingers:
    def test_enrolled_finger_is_found_and_another_is_not(self, host):
        for profile in (R503, AS608, LIVE):
            asked = host(profile)
            asked.enrol(ANNA, 4)
            asked.enrol(BERT, 9)
            assert asked.ask(0x1F, 0) == b"\0" + bytes([0x10, 0x02]) + bytes(30)
            assert asked.touch(ANNA, 1) == (0, 0)
            code, slot, score = struct.unpack(">BHH", asked.ask(0x04, 1, 0, 0, 0, 200))
            assert (code, slot) == (0, 4)
            assert score > 60
            assert asked.ask(0x1B, 1, 0, 0, 0, 200)[:3] == b"\0\0\4"
            assert asked.ask(0x04, 1, 0, 5, 0, 100) == b"\x09\0\0\0\0"  # not in this range
            assert asked.touch(make_finger("carl", 2, 0.9), 1) == (0, 0)
            assert asked.ask(0x04, 1, 0, 0, 0, 200) == b"\x09\0\0\0\0"
            assert asked.module.violations == []

    def test_two_different_fingers_make_no_template(self, host):
        asked = host()
        assert asked.touch(ANNA, 1) == asked.touch(BERT, 2) == (0, 0)
        assert asked.code(0x05) == 0x0A
        assert asked.ask(0x03) == b"\x08\0\0"

    def test_match_of_two_touches(self, host):
        asked = host()
        assert asked.touch(ANNA, 1) == asked.touch(ANNA, 2) == (0, 0)
        code, score = struct.unpack(">BH", asked.ask(0x03))
        assert code == 0
        assert score > 48

    def test_worn_prints_cannot_be_enrolled(self, host):
        asked = host()
        captured, extracted = asked.touch(make_finger("dora", 2, 0.14), 1)
        assert (captured, extracted) == (0, 0x06)
        assert asked.code(0x05) == 0x0A

    def test_live_detection_refuses_a_spoof_and_others_cannot(self, host):
        assert host(LIVE).touch(ANNA, 1, "spoof") == (0x34, 0x15)
        assert host(R503).touch(ANNA, 1, "spoof") == (0, 0)

    def test_very_dry_and_very_wet_fingers_are_named_by_the_live_module(self, host):
        asked = host(LIVE)
        faint = make_finger("anna", 2, 0.4)
        codes = {
            condition: {asked.touch(faint, 1, condition)[1] for _ in range(12)}
            for condition in ("dry", "wet")
        }
        assert 0x04 in codes["dry"]
        assert 0x05 in codes["wet"]

    def test_without_an_image_there_are_no_features(self, host):
        asked = host()
        assert asked.code(0x02, 1) == 0x15
        assert asked.code(0x0A) == 0x0F
        assert asked.code(0x08, 1) == 0x0D

    def test_broken_sensor(self, host):
        asked = host()
        asked.module.sensor_works = False
        asked.module.press(ANNA.touch(asked.random))
        assert asked.code(0x01) == 0x03
        assert asked.code(0x36) == 0x29

    def test_touch_output_has_the_models_polarity(self, host):
        for profile, idle in ((R503, 1), (AS608, 0)):
            asked, levels = host(profile), []
            asked.module.on_touch = levels.append
            asked.module.press(ANNA.touch(asked.random))
            asked.module.lift()
            assert levels == [1 - idle, idle]

    def test_image_is_uploaded_in_packets_of_the_set_size(self, host):
        asked = host()
        assert asked.code(0x0E, 6, 3) == 0  # 256 bytes
        asked.module.press(ANNA.touch(asked.random))
        assert asked.code(0x01) == 0
        packets = asked.packets(command(0x0A), 10_000)
        assert {len(packet.content) for packet in packets[1:]} == {256}
        assert sum(len(packet.content) for packet in packets[1:]) == 192 * 192 // 2
        assert [packet.identifier for packet in packets[1:]] == [2] * 71 + [8]


class TestTemplates:
    def test_download_and_upload_return_the_same_bytes(self, host):
        asked = host()
        asked.enrol(ANNA, 0)
        template = self.upload(asked)
        assert len(template) == 1536
        other = host()
        self.download(other, template)
        assert other.code(0x06, 2, 0, 77) == 0
        assert other.touch(ANNA, 1) == (0, 0)
        assert other.ask(0x04, 1, 0, 0, 0, 200)[:3] == b"\0\0\x4d"
        assert other.module.violations == []

    @pytest.mark.parametrize("spoil", ["other model", "damaged", "short"])
    def test_foreign_or_damaged_templates_are_not_stored(self, host, spoil):
        maker = host(LIVE if spoil == "other model" else R503)
        maker.enrol(ANNA, 0)
        template = self.upload(maker)
        template = {"damaged": b"\xff" + template[1:], "short": template[:-128]}.get(spoil, template)
        asked = host()
        self.download(asked, template)
        assert asked.code(0x06, 2, 0, 1) == 0x0C
        assert asked.code(0x08, 2) == 0x0D
        assert asked.module.library.slots == {}

    def test_slots_beyond_the_library(self, host):
        asked = host()
        asked.enrol(ANNA, 199)
        assert asked.code(0x06, 1, 0, 200) == 0x0B
        assert asked.code(0x07, 1, 0, 200) == 0x0B
        assert asked.code(0x07, 1, 0, 198) == 0x0C
        assert asked.code(0x0C, 0, 199, 0, 2) == 0x10
        assert asked.code(0x0C, 0, 199, 0, 1) == 0
        assert asked.ask(0x1D) == b"\0\0\0"

    def test_too_many_bytes_end_the_download(self, host):
        asked = host()
        assert asked.code(0x09, 1) == 0
        data = b"".join(Packet(BROADCAST, 0x02, bytes(128)).to_bytes() for _ in range(13))
        asked.wire.ask(data)
        assert "more than 1536 bytes" in asked.module.violations[0].text

    @staticmethod
    def upload(asked: Host) -> bytes:
        packets = asked.packets(command(0x08, 1))
        assert packets[0].content == b"\0"
        return b"".join(packet.content for packet in packets[1:])

    @staticmethod
    def download(asked: Host, template: bytes) -> None:
        assert asked.code(0x09, 2) == 0
        cuts = range(0, len(template), 128)
        data = [Packet(BROADCAST, 8 if c == cuts[-1] else 2, template[c : c + 128]).to_bytes() for c in cuts]
        assert asked.wire.ask(b"".join(data)) == b""


class TestSettings:
    def test_password_guards_everything_after_power_up(self, host, scheduler):
        asked = host()
        assert asked.code(0x12, 1, 2, 3, 4) == 0
        assert asked.code(0x01) == 2  # still verified until power goes
        asked.module.power(False)
        asked.module.power(True)
        scheduler.advance(500)
        assert asked.code(0x01) == 0x21
        assert asked.code(0x13, 0, 0, 0, 0) == 0x13
        assert asked.code(0x1D) == 0x21
        assert asked.code(0x13, 1, 2, 3, 4) == 0
        assert asked.code(0x1D) == 0
        assert asked.ask(0x0F)[1:3] == b"\0\4"

    def test_wrong_password_takes_the_verification_back(self, host):
        asked = host()
        assert asked.code(0x12, 9, 9, 9, 9) == 0
        assert asked.code(0x13, 9, 9, 9, 8) == 0x13
        assert asked.code(0x1D) == 0x21

    def test_library_and_settings_survive_power_image_and_buffers_do_not(self, host, scheduler):
        asked = host()
        asked.enrol(ANNA, 3)
        assert asked.code(0x0E, 5, 4) == 0
        asked.module.power(False)
        asked.module.power(True)
        scheduler.advance(500)
        assert asked.ask(0x1D) == b"\0\0\1"
        assert asked.ask(0x0F)[7:9] == b"\0\4"
        assert asked.code(0x08, 1) == 0x0D

    def test_baud_changes_after_the_answer(self, host):
        asked = host()
        assert asked.code(0x0E, 4, 12) == 0
        assert asked.module.baud == 115_200
        asked.module.receive(command(0x40), 57_600)
        assert "framing" in asked.module.violations[0].text

    @pytest.mark.parametrize(
        ("register", "value", "code"), [(3, 1, 0x1A), (7, 1, 0x1A), (5, 6, 0x1B), (6, 4, 0x1B)]
    )
    def test_registers_and_values_that_do_not_exist(self, host, register, value, code):
        assert host().code(0x0E, register, value) == code

    def test_address_change_is_answered_from_the_new_address(self, host):
        asked = host()
        packet = asked.packets(command(0x15, 0, 0, 0, 5))[0]
        assert (packet.address, packet.content) == (5, b"\0")
        assert asked.wire.ask(command(0x40)) == b""
        assert "address ffffffff" in asked.module.violations[0].text

    def test_additions_of_grow_are_unknown_to_an_as608(self, host):
        asked = host(AS608)
        assert [asked.code(code) for code in (0x3C, 0x36, 0x40)] == [1, 1, 1]
        assert asked.code(0x50) == 0
        assert asked.module.light.mode == 3
        assert host(R503).code(0x50) == 0xFC

    def test_notepad_and_random(self, host):
        asked = host()
        assert asked.code(0x18, 2, *range(32)) == 0
        assert asked.ask(0x19, 2) == b"\0" + bytes(range(32))
        assert asked.code(0x19, 16) == 0x1C
        assert len(asked.ask(0x14)) == 5
        assert asked.ask(0x14) != asked.ask(0x14)
