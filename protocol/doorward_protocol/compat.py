"""What differs between the interpreters that run this package, in one place.

The same files run on CPython and on MicroPython (ESP32-S3, webassembly). Everything else in the package
imports from here and never asks which interpreter it is on.
"""

try:
    from micropython import const
except ImportError:  # CPython without the simulator's stubs

    def _as_it_is(value):
        """Return value; MicroPython's compiler folds the constant into the code instead."""
        return value

    const = _as_it_is


def _strict_text(data):
    """Decode UTF-8 exactly as RFC 3629 §3 has it: no overlong form, no surrogate, nothing above U+10FFFF."""
    at = 0
    while at < len(data):
        first = data[at]
        if first < 0x80:
            at += 1
            continue
        if 0xC2 <= first <= 0xDF:
            low, high, more = 0x80, 0xBF, 1
        elif 0xE0 <= first <= 0xEF:
            low, high, more = (0xA0 if first == 0xE0 else 0x80), (0x9F if first == 0xED else 0xBF), 2
        elif 0xF0 <= first <= 0xF4:
            low, high, more = (0x90 if first == 0xF0 else 0x80), (0x8F if first == 0xF4 else 0xBF), 3
        else:
            raise UnicodeError
        if at + more >= len(data) or not low <= data[at + 1] <= high:
            raise UnicodeError
        for follow in data[at + 2 : at + more + 1]:
            if follow & 0xC0 != 0x80:
                raise UnicodeError
        at += more + 1
    return data.decode()


def _plain_text(data):
    return data.decode()


def _decoder():
    try:
        b"\xed\xa0\x80".decode()  # a surrogate: MicroPython's own decoder lets it through
    except UnicodeError:
        return _plain_text
    return _strict_text


text_from_utf8 = _decoder()  # bytes -> str, or UnicodeError; both interpreters refuse the same bytes
