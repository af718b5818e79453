"""`doorward emulate` judged by two drivers of others, unmodified, on a pseudo-terminal with pyserial."""

import importlib
import signal
import subprocess
import sys
import types
from queue import Queue
from threading import Thread

import pytest
import serial
from pyfingerprint.pyfingerprint import PyFingerprint

PATIENCE_S = 60


class Emulator:
    """The command as a process: what it prints, and a person's hands by its input."""

    def __init__(self, *arguments: str):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "doorward_tools.main", "emulate", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        self.said: list[str] = []
        self._lines: Queue[str] = Queue()
        Thread(target=self._read, daemon=True).start()
        self.address = self.wait("open ").removeprefix("open ")
        if "fingerprint" in arguments:
            self.wait("← 55 ready")

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line.rstrip())

    def wait(self, begin: str) -> str:
        """The next line that begins so."""
        while True:
            line = self._lines.get(timeout=PATIENCE_S)
            self.said.append(line)
            if line.startswith(begin):
                return line

    def do(self, words: str, answer: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(words + "\n")
        self.wait(answer)

    def press(self, name: str) -> None:
        self.do(f"press {name}", f"finger 2 of {name}")

    def lift(self) -> None:
        self.do("lift", "the window is free")

    def violations(self) -> list[str]:
        self.do("state", "slots in use")
        return [line for line in self.said if line.startswith("!")]

    def close(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()
        assert self.process.wait(PATIENCE_S) == 0


@pytest.fixture
def emulate():
    running = []

    def start(*arguments: str) -> Emulator:
        running.append(Emulator(*arguments))
        return running[-1]

    yield start
    for emulator in running:
        emulator.close()


@pytest.fixture
def adafruit(monkeypatch):
    """Adafruit's module, with stand-ins for the two of CircuitPython's of which it needs one name each."""
    micropython, busio = types.ModuleType("micropython"), types.ModuleType("busio")
    vars(micropython)["const"] = lambda value: value
    vars(busio)["UART"] = object
    monkeypatch.setitem(sys.modules, "micropython", micropython)
    monkeypatch.setitem(sys.modules, "busio", busio)
    monkeypatch.delitem(sys.modules, "adafruit_fingerprint", raising=False)
    yield importlib.import_module("adafruit_fingerprint")
    sys.modules.pop("adafruit_fingerprint", None)


@pytest.mark.shows("F12")
def test_adafruits_driver_enrols_and_finds_a_finger(emulate, adafruit):
    emulator = emulate("fingerprint", "--model", "r503")
    with serial.Serial(emulator.address, 57_600, timeout=20) as line:
        sensor = adafruit.Adafruit_Fingerprint(line)
        assert (sensor.library_size, sensor.security_level, sensor.data_packet_size) == (200, 3, 2)
        assert sensor.get_image() == adafruit.NOFINGER

        def touch(name: str, buffer: int) -> None:
            emulator.press(name)
            assert sensor.get_image() == adafruit.OK
            assert sensor.image_2_tz(buffer) == adafruit.OK
            emulator.lift()

        touch("anna", 1)
        touch("anna", 2)
        assert sensor.create_model() == adafruit.OK
        assert sensor.store_model(7) == adafruit.OK
        template = sensor.get_fpdata("char", 1)
        assert len(template) == 1536
        assert (sensor.read_templates(), sensor.templates) == (adafruit.OK, [7])
        assert (sensor.count_templates(), sensor.template_count) == (adafruit.OK, 1)
        touch("anna", 1)
        assert (sensor.finger_search(), sensor.finger_id) == (adafruit.OK, 7)
        assert sensor.confidence > 48
        assert (sensor.finger_fast_search(), sensor.finger_id) == (adafruit.OK, 7)
        touch("bert", 1)
        assert sensor.finger_search() == adafruit.NOTFOUND
        assert sensor.delete_model(7) == adafruit.OK
        touch("anna", 1)
        assert sensor.finger_search() == adafruit.NOTFOUND
        assert sensor.send_fpdata(template, "char", 2)
        assert sensor.store_model(9, 2) == adafruit.OK
        assert (sensor.finger_search(), sensor.finger_id) == (adafruit.OK, 9)
        assert sensor.set_led(color=1, mode=3) == adafruit.OK
        assert sensor.empty_library() == adafruit.OK
        assert (sensor.count_templates(), sensor.template_count) == (adafruit.OK, 0)
        sensor.soft_reset()
        with pytest.raises(RuntimeError, match="Failed to find sensor"):
            adafruit.Adafruit_Fingerprint(line, (0, 0, 0, 1))
    assert emulator.violations() == []


@pytest.mark.shows("F12")
def test_pyfingerprint_enrols_and_finds_a_finger(emulate):
    emulator = emulate("fingerprint", "--model", "as608")
    sensor = PyFingerprint(emulator.address, 57_600)
    assert sensor.verifyPassword() is True
    assert (sensor.getStorageCapacity(), sensor.getSecurityLevel()) == (162, 3)
    assert (sensor.getMaxPacketSize(), sensor.getBaudRate()) == (128, 57_600)
    assert sensor.readImage() is False

    def touch(name: str, buffer: int) -> None:
        emulator.press(name)
        assert sensor.readImage() is True
        assert sensor.convertImage(buffer) is True
        emulator.lift()

    touch("anna", 1)
    assert sensor.searchTemplate() == (-1, -1)
    touch("anna", 2)
    assert sensor.compareCharacteristics() >= 48
    assert sensor.createTemplate() is True
    assert sensor.storeTemplate() == 0
    template = sensor.downloadCharacteristics(1)
    assert len(template) == 512
    assert sensor.getTemplateCount() == 1
    assert sensor.getTemplateIndex(0)[:2] == [True, False]
    touch("anna", 1)
    slot, score = sensor.searchTemplate()
    assert slot == 0
    assert score >= 48
    touch("bert", 1)
    assert sensor.searchTemplate() == (-1, -1)
    assert sensor.deleteTemplate(0) is True
    touch("anna", 1)
    assert sensor.searchTemplate() == (-1, -1)
    assert sensor.uploadCharacteristics(2, template) is True
    assert sensor.storeTemplate(5, 2) == 5
    assert sensor.searchTemplate()[0] == 5
    assert sensor.loadTemplate(5, 1) is True
    assert sensor.clearDatabase() is True
    assert sensor.getTemplateCount() == 0
    assert 0 <= sensor.generateRandomNumber() < 1 << 32
    assert sensor.setPassword(0x01020304) is True
    assert sensor.verifyPassword() is True
    stranger = PyFingerprint(emulator.address, 57_600, password=0x01020305)
    assert stranger.verifyPassword() is False
    assert emulator.violations() == []


def test_a_wrong_baud_rate_is_only_noise(emulate):
    emulator = emulate("fingerprint")
    with serial.Serial(emulator.address, 9600, timeout=1) as line:
        line.write(bytes.fromhex("EF01FFFFFFFF010003400044"))
        assert line.read(12) == b""
    assert any("framing errors: sent at 9600 baud" in line for line in emulator.violations())


def test_a_uhf_reader_answers_on_a_tcp_port(emulate):
    emulator = emulate("uhf", "--tcp", "0")
    emulator.do("enter 30395DFA8184A0C0000F4240", "30395DFA8184A0C0000F4240 is in the field")
    emulator.do("enter xyz", "? 'xyz' is not hexadecimal")
    with serial.serial_for_url(emulator.address, timeout=20) as line:
        line.write(bytes.fromhex("BB00030001000 47E".replace(" ", "")))
        assert line.read(5) == bytes.fromhex("BB01030010")


def test_without_hands_it_runs_until_it_is_interrupted():
    command = [sys.executable, "-m", "doorward_tools.main", "emulate", "fingerprint"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        while process.stdout.readline() != "← 55 ready\n":
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0
        assert process.stdout.read() == "stopped\n"
