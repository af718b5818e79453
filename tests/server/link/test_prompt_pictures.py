"""What units show: prompt pictures, labels and photos as RGB565 bitmaps, with everything inside the frame."""

import io

import pytest
from doorward_server.speech import drawing, icons
from doorward_server.speech.texts import PROMPTS
from PIL import Image, ImageChops


def ink(picture: Image.Image, ground: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """The box round everything that is not the ground."""
    box = ImageChops.difference(picture, Image.new("RGB", picture.size, ground)).getbbox()
    assert box is not None, "there is nothing but the ground"
    return box


@pytest.mark.shows("S14")
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", PROMPTS)
def test_a_prompt_shows_its_icon_and_both_titles(name, language):
    prompt = PROMPTS[name]
    picture = drawing.prompt_picture(prompt, language)
    tone = drawing.TONES[prompt.tone]
    left, top, right, bottom = ink(picture.crop((0, 0, 240, 140)), tone)
    assert right - left > 40
    assert bottom - top > 25
    large = ink(picture.crop((0, 150, 240, 214)), (14, 20, 32))
    small = ink(picture.crop((0, 214, 240, 240)), (14, 20, 32))
    for left, top, right, bottom in (large, small):
        assert left >= 4
        assert right <= 236
        assert bottom - top > 10
    assert large[3] - large[1] >= 25


def test_every_icon_is_used_and_different():
    assert {prompt.icon for prompt in PROMPTS.values()} == set(icons.ICONS)
    assert len({icons.draw(name, 64).tobytes() for name in icons.ICONS}) == len(icons.ICONS)


def test_pictures_tell_apart_what_differs():
    pictures = {drawing.bitmap(drawing.prompt_picture(prompt, "zh")) for prompt in PROMPTS.values()}
    assert len(pictures) == len(PROMPTS)


def test_a_bitmap_is_rgb565_big_endian():
    picture = Image.new("RGB", (2, 1))
    picture.putpixel((0, 0), (255, 0, 0))
    picture.putpixel((1, 0), (8, 252, 248))
    blob = drawing.bitmap(picture)
    assert blob == bytes((0, 2, 0, 1)) + bytes((0xF8, 0x00)) + bytes((0b00001_111, 0b111_11111))
    assert drawing.picture_of(blob).getpixel((1, 0)) == (8, 252, 248)


@pytest.mark.parametrize(
    "text", ["王芳", "Li Qiang", "京A·12345", "阿卜杜热合曼·买买提江·阿不都热依木", "M" * 40]
)
def test_a_label_fits(text):
    picture = drawing.label(text)
    assert picture.size == (240, 32)
    left, top, right, bottom = ink(picture, (24, 34, 54))
    assert (left > 0, top > 0, right < 240, bottom < 32) == (True,) * 4


def test_a_photo_is_cut_to_the_units_size_round_the_face():
    source = Image.new("RGB", (400, 400), (0, 0, 0))
    source.paste((250, 250, 250), (160, 60, 240, 160))  # where a face is
    data = io.BytesIO()
    source.save(data, "JPEG")
    photo = drawing.photo(data.getvalue())
    assert photo.size == (120, 160)
    left, top, right, bottom = ink(photo.point([255 * (value > 128) for value in range(256)] * 3), (0, 0, 0))
    assert abs((left + right) / 2 - 60) < 3
    assert bottom - top > 30


@pytest.mark.parametrize("data", [b"", b"\xff\xd8 no photo", b"GIF89a"])
def test_what_is_no_photo_is_an_error_of_the_file(data):
    with pytest.raises(OSError, match="cannot identify"):
        drawing.photo(data)
