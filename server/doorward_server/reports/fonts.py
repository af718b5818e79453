"""The part of the CJK fonts that one report needs, cut out by HarfBuzz.

A whole face has 65,000 glyphs: reading it and choosing among them took fpdf two seconds of processor time for
every report, in which units and pages had to wait. HarfBuzz takes some milliseconds.
"""
# HarfBuzz is compiled and comes without types:
# pyright: reportAttributeAccessIssue=false

from pathlib import Path

import uharfbuzz as harfbuzz

from doorward_server.speech.fonts import SIMPLIFIED_CHINESE, font_path


def cut_out(characters: str, bold: bool, folder: Path) -> Path:
    """Write the font with only these characters into `folder`; returns the file."""
    face = harfbuzz.Face(harfbuzz.Blob.from_file_path(str(font_path(bold))), SIMPLIFIED_CHINESE)
    wanted = harfbuzz.SubsetInput()
    wanted.unicode_set.update(map(ord, characters))
    file = folder / ("bold.otf" if bold else "regular.otf")
    file.write_bytes(harfbuzz.subset(face, wanted).blob.data)
    return file
