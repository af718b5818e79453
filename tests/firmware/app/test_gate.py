"""What stands at a gate besides the van: its boxes, strangers by the dozen, tags whose chips never answer."""

import pytest
from doorward_protocol import errors
from doorward_simulator.devices.tags import Tag
from provisioned import VAN, Day

BOXES = [Tag(bytes([0x33] * 11 + [n]), bytes(11) + bytes([n])) for n in range(40)]
STRANGERS = [Tag(bytes([0x34] * 11 + [n]), bytes(11) + bytes([n])) for n in range(40)]


def test_without_room_for_pictures_no_task_begins(tmp_path):
    """A crew that cannot be pictured could not be let in: the van is told at once, and not the crew later."""
    day = Day(tmp_path)
    day.unit.flash["blobs"].power_on()
    blobs, number = day.dispatch.blobs, 0
    while blobs.room() >= 160 * 1024:
        number += 1
        blobs.put(number.to_bytes(4, "big") * 16_000)
    day.boot()
    day.arrive()
    assert day.until("vehicle_refused")["reason"] == errors.FLASH_FULL
    assert day.heard("out_of_order")
    day.world.close()


@pytest.fixture
def day(tmp_path):
    day = Day(tmp_path)
    day.boot()
    yield day
    violations = day.unit.violations()
    day.world.close()
    assert not violations


def faults(day, name):
    return [fields["reason"] for fields in day.fields("sensor") if fields["name"] == name]


def test_a_van_full_of_boxes_is_one_vehicle(day):
    for box in BOXES:
        day.arrive(box)
    day.world.run_for(5000)
    day.arrive()
    day.until("vehicle")
    day.world.run_for(30_000)
    assert not day.fields("vehicle_refused")


def test_a_heap_of_strangers_is_told_once_and_the_van_is_served_beside_it(day):
    for stranger in STRANGERS:
        day.arrive(stranger)
    day.world.run_for(30_000)
    day.arrive()
    day.until("vehicle", limit=10_000)
    day.world.run_for(30_000)
    refused = [fields["epc"] for fields in day.fields("vehicle_refused")]
    assert len(refused) == len(set(refused)) == 16, "as many as have places"


@pytest.mark.parametrize("epc", [b"\x34" * 12, b"\x34" * 62])
def test_a_stranger_whose_chip_does_not_answer_is_a_stranger(day, epc):
    """A chip with too little memory, an EPC too long to be asked for: neither is a fault of the reader."""
    day.arrive(Tag(epc, bytes(4)))
    refused = day.until("vehicle_refused")
    assert (refused["epc"], refused["tid"], refused["reason"]) == (epc, None, errors.UNKNOWN_TAG)
    assert not day.fields("sensor")


def test_an_expected_van_whose_chip_does_not_answer_is_told_until_it_leaves(day):
    """A copy of the EPC without a number, or a worn tag: nothing begins, and the reader is not to blame."""
    mute = Tag(VAN.epc, bytes(4))
    day.arrive(mute)
    day.until("sensor")
    assert not day.fields("vehicle")
    assert faults(day, "gate_reader") == []
    day.leave(mute)
    day.until("sensor", 2)
    assert faults(day, "gate_tag") == [errors.READER_SILENT, 0]
    day.arrive()
    day.until("vehicle")


def test_departures_are_noticed_beside_a_chip_that_does_not_answer(day):
    mute = Tag(b"\x34" * 62, bytes(12))
    day.arrive(mute)
    day.until("vehicle_refused")
    day.leave(mute)
    day.world.run_for(20_000)
    day.arrive(mute)
    assert day.until("vehicle_refused", 2)["reason"] == errors.UNKNOWN_TAG, "a second visit"
