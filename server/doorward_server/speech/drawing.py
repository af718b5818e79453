"""Pictures for units, which have no fonts: prompts, labels with names and plates, photos; as RGB565."""

import io
import struct

from PIL import Image, ImageDraw, ImageOps

from doorward_server.speech import icons
from doorward_server.speech.fonts import font
from doorward_server.speech.texts import Prompt

PROMPT_SIZE = (240, 240)
LABEL_SIZE = (240, 32)
# Raised when labels are drawn differently.
LABEL_EDITION = 2
PHOTO_SIZE = (120, 160)

TONES = {"go": (18, 140, 82), "wait": (196, 120, 10), "stop": (200, 38, 46), "info": (28, 100, 210)}
_BAND = 148
_GROUND = (14, 20, 32)
_LABEL_GROUND = (24, 34, 54)
_WHITE = (255, 255, 255)
_PALE = (190, 200, 216)


def bitmap(picture: Image.Image) -> bytes:
    """A bitmap blob: width and height as big-endian 16 bits, then RGB565 rows, big-endian."""
    red, green, blue = (channel.tobytes() for channel in picture.convert("RGB").split())
    out = bytearray(2 * len(red))
    out[0::2] = bytes((r & 0xF8) | (g >> 5) for r, g in zip(red, green, strict=True))
    out[1::2] = bytes(((g << 3) & 0xE0) | (b >> 3) for g, b in zip(green, blue, strict=True))
    return struct.pack(">HH", *picture.size) + bytes(out)


def picture_of(blob: bytes) -> Image.Image:
    """The picture in a bitmap blob, for people to look at."""
    width, height = struct.unpack_from(">HH", blob)
    pixels = bytearray()
    for (value,) in struct.iter_unpack(">H", blob[4:]):
        pixels += bytes((value >> 8 & 0xF8, value >> 3 & 0xFC, value << 3 & 0xF8))
    return Image.frombytes("RGB", (width, height), bytes(pixels))


def prompt_picture(prompt: Prompt, language: str) -> Image.Image:
    """One prompt: icon in its tone above, the title large in `language`, the other language small below."""
    width = PROMPT_SIZE[0]
    image = Image.new("RGB", PROMPT_SIZE, _GROUND)
    draw = ImageDraw.Draw(image)
    tone = TONES[prompt.tone]
    draw.rectangle((0, 0, width, _BAND), fill=tone)
    icon = icons.draw(prompt.icon, 116)
    image.paste(icon, ((width - icon.width) // 2, 16), icon)
    large, small = prompt.title_zh, prompt.title_en
    if language == "en":
        large, small = small, large
    lines = _lines(draw, large, width - 16)
    for number, line in enumerate(lines):
        middle = 182 if len(lines) == 1 else 167 + 31 * number
        _centred(draw, line, middle, 40 if len(lines) == 1 else 28, width - 16, _WHITE, bold=True)
    _centred(draw, small, 225, 18, width - 16, _PALE)
    return image


def label(text: str) -> Image.Image:
    """A name or a plate, 240 by 32, drawn as large as it fits."""
    image = Image.new("RGB", LABEL_SIZE, _LABEL_GROUND)
    _centred(ImageDraw.Draw(image), text, LABEL_SIZE[1] // 2 - 1, 22, LABEL_SIZE[0] - 12, _WHITE, bold=True)
    return image


def photo(data: bytes) -> Image.Image:
    """An enrolled photo, cut to the unit's 120 by 160 round its upper centre, where the face is."""
    with Image.open(io.BytesIO(data)) as picture:
        upright = ImageOps.exif_transpose(picture).convert("RGB")
    return ImageOps.fit(upright, PHOTO_SIZE, Image.Resampling.LANCZOS, centering=(0.5, 0.35))


def _lines(draw, text, room):
    """A title in one line, or in two where one would be hard to read from two steps away."""
    if " " not in text or draw.textlength(text, font(30, True)) <= room:
        return [text]
    middle = min(
        (at for at, letter in enumerate(text) if letter == " "), key=lambda at: abs(at - len(text) / 2)
    )
    return [text[:middle], text[middle + 1 :]]


def _centred(draw, text, middle, size, room, fill, bold=False):
    """Write one line centred on height `middle`; too long, it gets smaller, and then is cut."""
    while size > 11 and draw.textlength(text, font(size, bold)) > room:
        size -= 1
    while draw.textlength(text, font(size, bold)) > room:
        text = text[:-2] + "…"
    draw.text((120, middle), text, fill=fill, font=font(size, bold), anchor="mm")
