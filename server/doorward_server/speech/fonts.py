"""Finds the one CJK font family that labels, prompt pictures and reports are drawn with."""

from functools import cache
from pathlib import Path

from PIL import ImageFont

_FOLDERS = (
    "/usr/share/fonts/opentype/noto",
    "/usr/share/fonts/noto-cjk",
    "/usr/share/fonts/google-noto-cjk",
    "/usr/local/share/fonts",
)
_NAMES = {False: "NotoSansCJK-Regular.ttc", True: "NotoSansCJK-Bold.ttc"}
# The collection's faces in order: JP, KR, SC, TC, HK, then the monospaced ones.
SIMPLIFIED_CHINESE = 2


class FontMissingError(Exception):
    """No CJK font on this machine. The text names the package to install."""


@cache
def font_path(bold: bool = False) -> Path:
    """Path of the font collection; its face `SIMPLIFIED_CHINESE` is the one to use."""
    for folder in _FOLDERS:
        path = Path(folder) / _NAMES[bold]
        if path.is_file():
            return path
    raise FontMissingError(f"{_NAMES[bold]} was not found: install the package fonts-noto-cjk.")


@cache
def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The font at `size` pixels for Pillow."""
    return ImageFont.truetype(str(font_path(bold)), size, index=SIMPLIFIED_CHINESE)
