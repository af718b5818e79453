"""Time and turns: order, ties, limits, and real time that waits."""

import pytest
from doorward_simulator.clock import Clock, RealClock
from doorward_simulator.faults import Fault, Tap
from doorward_simulator.world import World

EPOCH = 1_772_415_000_000


@pytest.fixture
def world():
    world = World(Clock(EPOCH), seed=3)
    yield world
    world.close()


def test_equal_times_run_in_the_order_they_were_planned(world):
    told = []
    for name, delay in (("b", 5), ("a", 5), ("c", 1), ("d", 0)):
        world.call_later(delay, lambda name=name: told.append((name, world.now())))
    world.call_later(5, lambda: told.append("never")).cancel()
    world.run_for(10)
    assert told == [("d", 0), ("c", 1), ("b", 5), ("a", 5)]
    assert (world.now(), world.clock.wall()) == (10, EPOCH + 10)


def test_run_until_stops_at_the_condition_or_the_limit(world):
    done = []
    world.call_later(700, lambda: done.append(1))
    assert not world.run_until(lambda: done, 500)
    assert world.now() == 500
    assert world.run_until(lambda: done, 500)
    assert world.now() == 700
    assert not world.step()


def test_a_leap_passes_over_what_is_due_and_gives_it_afterwards(world):
    told = []
    for delay in (900, 100):
        world.call_later(delay, lambda: told.append(world.now()))
    world.leap(500)
    assert (told, world.now(), world.clock.wall()) == ([], 500, EPOCH + 500)
    world.run_for(500)
    assert told == [500, 900]


def test_each_name_has_its_own_randomness(world):
    first = world.randomness("a").random()
    assert world.randomness("a").random() == first
    assert world.randomness("b").random() != first
    assert World(Clock(0), seed=4).randomness("a").random() != first


def test_real_time_waits_for_the_moment():
    passed = [0.0]
    clock = RealClock(EPOCH, speed=2.0, monotonic=lambda: passed[0])
    assert clock.wait(1000) == pytest.approx(0.5)
    assert clock.wait(None) is None
    passed[0] = 0.75
    assert clock.elapsed() == 1500
    assert clock.wait(1000) == 0


def test_a_world_in_real_time_takes_real_time():
    world = World(RealClock(EPOCH, speed=10.0), seed=1)
    told = []
    world.call_later(200, lambda: told.append(world.now()))
    world.run_for(300)
    assert told == [200]
    assert world.clock.elapsed() >= 300
    world.close()


def taken(world, *faults, chunks=20):
    """What arrives of `chunks` numbered chunks sent 10 ms apart."""
    tap, arrived = Tap(world.corner("tap"), "tap"), []
    for fault in faults:
        tap.set(fault)
    for number in range(chunks):
        world.call_later(
            number * 10,
            lambda number=number: tap.carry(
                bytes([number] * 4), lambda data: arrived.append((world.now(), data))
            ),
        )
    world.run_for(10_000)
    return arrived


def test_a_tap_without_faults_is_a_wire(world):
    assert taken(world) == [(number * 10, bytes([number] * 4)) for number in range(20)]


def test_faults_cut_drop_corrupt_duplicate_and_delay(world):
    sent = [bytes([number] * 4) for number in range(20)]
    assert taken(world, Fault("cut")) == []
    assert 0 < len(taken(world, Fault("drop", chance=0.5))) < 20
    assert [data for _, data in taken(world, Fault("drop", count=3))] == sent[3:]
    corrupted = [data for _, data in taken(world, Fault("corrupt", chance=0.1))]
    assert len(corrupted) == 20
    assert corrupted != sent
    assert all(data not in sent for _, data in taken(world, Fault("garbage")))
    assert len(taken(world, Fault("duplicate"))) == 40
    world_start = world.now()
    late = taken(world, Fault("delay", delay_ms=35, count=1))
    assert [data for _, data in late] == sent, "never out of order"
    assert [moment - world_start for moment, _ in late[:5]] == [35, 35, 35, 35, 40]


@pytest.mark.parametrize(
    "settings", [{"kind": "melt"}, {"kind": "drop", "chance": 0}, {"kind": "drop", "chance": 2}]
)
def test_impossible_faults_are_refused(settings):
    with pytest.raises(ValueError, match="use"):
        Fault(**settings)
