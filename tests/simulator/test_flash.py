"""NOR semantics: bits only clear, sectors erase, pieces tear, and the esp32.Partition view of it."""

import pytest
from doorward_simulator.flash import PAGE, SECTOR, NorFlash, Partition, PowerCut


def test_programming_clears_bits_only_and_erasing_sets_them():
    flash = NorFlash(2 * SECTOR)
    flash.program(10, b"\xf0")
    flash.program(10, b"\x0f")
    assert flash.read(10, 1) == b"\x00"
    flash.erase(0)
    assert flash.read(10, 1) == b"\xff"
    assert flash.wear == [1, 0]


def test_a_program_is_split_at_page_borders():
    flash = NorFlash(SECTOR)
    flash.program(PAGE - 3, bytes(PAGE + 6))
    assert [(name, length) for name, _, length in flash.log] == [
        ("program", 3),
        ("program", PAGE),
        ("program", 3),
    ]
    assert flash.programmed_bytes == PAGE + 6


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (SECTOR, 1), (SECTOR - 1, 2)])
def test_outside_is_refused(offset, length):
    flash = NorFlash(SECTOR)
    with pytest.raises(OSError, match="outside"):
        flash.read(offset, length)
    with pytest.raises(OSError, match="outside"):
        flash.program(offset, bytes(length))


def test_size_must_be_whole_sectors():
    with pytest.raises(ValueError, match="multiple"):
        NorFlash(SECTOR + 1)


@pytest.mark.parametrize("seed", range(20))
def test_a_torn_program_leaves_a_prefix_and_never_sets_bits(seed):
    flash = NorFlash(SECTOR, seed=seed)
    before = bytes(range(256)) * 2
    flash.program(0, before)
    told = []
    flash.on_cut = lambda: told.append(True)
    flash.cut_after(1)
    with pytest.raises(PowerCut):
        flash.program(0, bytes(512))
    assert told == [True]
    with pytest.raises(PowerCut):
        flash.read(0, 1)
    flash.power_on()
    after = flash.read(0, 512)
    assert after[:PAGE] == bytes(PAGE), "the first piece was whole"
    assert all(new & ~old == 0 for new, old in zip(after, before, strict=True))
    untouched = next((i for i in range(PAGE, 512) if after[i] != 0), 512)
    assert after[untouched + 1 :] == before[untouched + 1 :]


def test_torn_erases_leave_a_mixture_and_never_clear_bits():
    seen = set()
    for seed in range(20):
        flash = NorFlash(SECTOR, seed=seed)
        flash.program(0, bytes(SECTOR))
        flash.cut_after(0)
        with pytest.raises(PowerCut):
            flash.erase(0)
        flash.power_on()
        content = flash.read(0, SECTOR)
        seen.add("nothing" if content == bytes(SECTOR) else "all" if content == b"\xff" * SECTOR else "half")
        flash.erase(0)
        assert flash.read(0, SECTOR) == b"\xff" * SECTOR
    assert {"nothing", "half"} <= seen


def test_same_seed_tears_alike():
    images = []
    for _ in range(2):
        flash = NorFlash(SECTOR, "journal", seed=7)
        flash.cut_after(0)
        with pytest.raises(PowerCut):
            flash.program(0, bytes(200))
        images.append(bytes(flash.image))
    assert images[0] == images[1]


def test_an_image_survives_a_file(tmp_path):
    flash = NorFlash(2 * SECTOR, "state")
    flash.program(5000, b"kept")
    flash.to_file(tmp_path / "state.bin")
    assert NorFlash.from_file(tmp_path / "state.bin", "state").read(5000, 4) == b"kept"


def test_partition_speaks_the_esp32_interface():
    partition = Partition(NorFlash(3 * SECTOR, "blobs"))
    assert (partition.ioctl(4, 0), partition.ioctl(5, 0)) == (3, SECTOR)
    assert partition.info()[3:5] == (3 * SECTOR, "blobs")
    partition.writeblocks(1, b"abc", 100)
    buffer = bytearray(5)
    partition.readblocks(1, buffer, 99)
    assert buffer == b"\xffabc\xff"
    partition.writeblocks(1, b"x" * SECTOR)  # without an offset: erase first
    partition.readblocks(1, buffer)
    assert buffer == b"xxxxx"
    partition.ioctl(6, 1)
    partition.readblocks(1, buffer, 99)
    assert buffer == b"\xff" * 5
