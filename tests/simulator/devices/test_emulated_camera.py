"""The camera and the faces it sees: the same person again, never the same picture, faults included."""

from io import BytesIO
from itertools import combinations

import pytest
from doorward_simulator import portraits
from doorward_simulator.devices.camera import Camera, CameraError
from PIL import Image, ImageChops, ImageStat

PEOPLE = [("a", "escort", False), ("b", "escort", True), ("c", "officer", False), ("d", "driver", False)]


@pytest.fixture(scope="module")
def looks():
    return portraits.looks("test", PEOPLE)


@pytest.fixture
def camera(scheduler):
    made = Camera(scheduler)
    made.power(True)
    return made


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data)).convert("RGB")


def difference(first: Image.Image, second: Image.Image) -> float:
    """Mean difference of two pictures, 0..255."""
    return sum(ImageStat.Stat(ImageChops.difference(first, second)).mean) / 3


def test_looks_are_the_same_for_a_seed_and_strikingly_different_among_people(looks):
    assert portraits.looks("test", PEOPLE) == looks
    striking = [(look.style, look.glasses, look.beard, look.shape) for look in looks.values()]
    assert len(set(striking)) == len(PEOPLE)


def test_photos_are_jpegs_of_the_agreed_size_and_differ(looks):
    photos = [opened(portraits.photo(look)) for look in looks.values()]
    assert {photo.size for photo in photos} == {(360, 480)}
    assert all(difference(one, other) > 8 for one, other in combinations(photos, 2))


def test_people_come_and_go(camera, looks):
    empty = opened(camera.jpeg())
    camera.stand(looks["a"])
    alone = opened(camera.jpeg())
    camera.stand(looks["b"], helmet=True)
    both = opened(camera.jpeg())
    assert difference(empty, alone) > 8
    assert difference(alone, both) > 8
    assert [look.seed for look in camera.people] == ["test/b", "test/a"]
    camera.leave(looks["a"])
    camera.leave(looks["b"])
    camera.leave(looks["b"])
    assert difference(empty, opened(camera.jpeg())) < difference(empty, alone) / 2


def test_two_pictures_of_one_person_are_never_equal(camera, looks):
    camera.stand(looks["c"])
    assert camera.jpeg() != camera.jpeg()


def test_sizes_and_formats(camera, looks):
    camera.stand(looks["d"])
    assert opened(camera.jpeg(640, 480)).size == (640, 480)
    assert len(camera.jpeg()) < 20_000
    raw = camera.rgb565(160, 120)
    assert len(raw) == 2 * 160 * 120
    assert camera.violations == []
    camera.jpeg(100, 100)
    assert "100 × 100" in camera.violations[0].text


def test_faults(camera, looks):
    camera.stand(looks["a"])
    camera.jpeg()
    camera.mode = "frozen"
    first = camera.jpeg()
    camera.leave(looks["a"])
    assert camera.jpeg() == first
    camera.mode = "blinded"
    assert max(ImageStat.Stat(opened(camera.jpeg())).mean) < 60
    camera.mode = "failing"
    with pytest.raises(CameraError):
        camera.jpeg()
    camera.mode = "working"
    camera.power(False)
    with pytest.raises(CameraError):
        camera.rgb565()


def test_night_is_darker_than_day(camera, looks):
    camera.stand(looks["a"])
    brightness = {}
    for camera.light in ("day", "overcast", "dusk", "night"):
        brightness[camera.light] = sum(ImageStat.Stat(opened(camera.jpeg())).mean)
    assert sorted(brightness, key=lambda light: brightness[light]) == ["night", "dusk", "overcast", "day"]
