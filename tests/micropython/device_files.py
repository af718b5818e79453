"""The files that go onto the device, and so must be plain MicroPython, as the tests ask for them."""

from pathlib import Path

from doorward_simulator.device_files import device_files

ROOT = Path(__file__).parent.parent.parent
DEVICE_FILES = sorted(path.resolve() for path in device_files().values())
