"""Which files go onto the device, and so must be plain MicroPython."""

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

HOST_ONLY = {
    "protocol/doorward_protocol/advice.py",  # sentences for people at a PC
    "protocol/doorward_protocol/suite_openssl.py",  # the hosts' suite, on OpenSSL
}

DEVICE_FILES = [
    path
    for package in ("protocol", "firmware")
    for path in sorted((ROOT / package).rglob("*.py"))
    if str(path.relative_to(ROOT)) not in HOST_ONLY
]
