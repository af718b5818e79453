"""Reads the text of a PDF as fpdf2 writes it: fonts' ToUnicode tables and strings of 16-bit glyph numbers."""

import re
import zlib


def text_of(pdf: bytes) -> str:
    """All text in drawing order, one string per line."""
    objects = {int(m[1]): m[2] for m in re.finditer(rb"\n(\d+) 0 obj\n(.*?)\nendobj", pdf, re.S)}
    fonts = {
        name: _glyphs(_stream(objects[int(re.findall(rb"/ToUnicode (\d+) 0 R", objects[int(number)])[0])]))
        for content in objects.values()
        for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", content)
    }
    lines = []
    for content in objects.values():
        stream = _stream(content)
        font: dict[int, str] = {}
        for token in re.finditer(rb"/(F\d+) [\d.]+ Tf|\(((?:\\.|[^\\)])*)\) Tj", stream, re.S):
            if token[1]:
                font = fonts[token[1]]
            else:
                lines.append(_decode(token[2], font))
    return "\n".join(lines)


def _stream(content: bytes) -> bytes:
    found = re.search(rb"stream\r?\n(.*)\r?\nendstream", content, re.S)
    if found is None:
        return b""
    try:
        return zlib.decompress(found[1])
    except zlib.error:
        return found[1]


def _glyphs(table: bytes) -> dict[int, str]:
    pairs = re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]+)>", table)
    return {int(glyph, 16): bytes.fromhex(code.decode()).decode("utf-16-be") for glyph, code in pairs}


def _decode(string: bytes, font: dict[int, str]) -> str:
    escapes = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}
    plain = re.sub(rb"\\(.)", lambda found: escapes.get(found[1], found[1]), string, flags=re.S)
    return "".join(font[int.from_bytes(plain[at : at + 2], "big")] for at in range(0, len(plain), 2))
