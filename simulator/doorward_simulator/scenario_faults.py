"""What goes wrong in a scenario: the functions behind `fault: NAME`."""

from .devices.camera import MODES
from .faults import Fault, Tap
from .scenario_loader import ScenarioError, StepTable, duration
from .stage import Stage

FAULT = StepTable("fault")


def _taps(stage: Stage, wire: str, unit: str | None) -> tuple[Tap, ...]:
    found = stage.unit(unit)
    if wire == "network":
        stage.disturbed.add(found.name)
        return found.cable.up, found.cable.down
    taps = found.parts.taps.get(wire)
    if taps is None:
        raise ScenarioError(f"there is no wire {wire!r}: use network, {', '.join(found.parts.taps)}")
    return taps


def _set(stage: Stage, wire: str, unit: str | None, **settings) -> None:
    try:
        for tap in _taps(stage, wire, unit):
            tap.set(Fault(**settings))
    except ValueError as error:
        raise ScenarioError(str(error)) from error


@FAULT
def cut(stage: Stage, wire: str, unit: str | None = None) -> None:
    """Nothing passes a wire any more: network, or a part's name."""
    _set(stage, wire, unit, kind="cut")


@FAULT
def corrupt(stage: Stage, wire: str, chance: str = "1%", unit: str | None = None) -> None:
    """Bits flip on a wire; the chance is per byte."""
    _set(stage, wire, unit, kind="corrupt", chance=share_of(chance))


@FAULT
def drop(
    stage: Stage, wire: str, chance: str = "100%", count: int | None = None, unit: str | None = None
) -> None:
    """Chunks vanish on a wire."""
    _set(stage, wire, unit, kind="drop", chance=share_of(chance), count=count)


@FAULT
def garbage(
    stage: Stage, wire: str, chance: str = "100%", count: int | None = None, unit: str | None = None
) -> None:
    """Random bytes arrive in place of the true ones."""
    _set(stage, wire, unit, kind="garbage", chance=share_of(chance), count=count)


@FAULT
def delay(stage: Stage, wire: str, by: str, unit: str | None = None) -> None:
    """Everything on a wire comes late."""
    _set(stage, wire, unit, kind="delay", delay_ms=duration(by))


@FAULT
def clear(stage: Stage, wire: str, unit: str | None = None) -> None:
    """The wire is whole again."""
    if wire == "network":
        stage.unit(unit).cable.clear()
        return
    for tap in _taps(stage, wire, unit):
        tap.clear()


@FAULT
def reset_connections(stage: Stage, unit: str | None = None) -> None:
    """The router restarts: open connections end at once."""
    stage.disturbed.add(stage.unit(unit).name)
    stage.unit(unit).cable.reset()


@FAULT
def cut_power(stage: Stage, during_flash: int | None = None, unit: str | None = None) -> None:
    """The supply fails: now, or in the middle of a flash operation after `during_flash` whole ones."""
    stage.disturbed.add(stage.unit(unit).name)
    if during_flash is None:
        stage.unit(unit).power_off()
    else:
        stage.unit(unit).cut_during_flash(during_flash)


@FAULT
def clock_jump(stage: Stage, by: str, unit: str | None = None) -> None:
    """The unit's clock jumps."""
    stage.unit(unit).rtc.jump(duration(by))


@FAULT
def clock_lost(stage: Stage, unit: str | None = None) -> None:
    """The clock's battery is gone: it shows the year 2000."""
    stage.unit(unit).rtc.lose()


@FAULT
def camera(stage: Stage, mode: str, unit: str | None = None) -> None:
    """working, blinded, frozen or failing."""
    if mode not in MODES:
        raise ScenarioError(f"a camera is {', '.join(MODES)}, not {mode!r}")
    stage.unit(unit).parts.camera.mode = mode


def share_of(text: str) -> float:
    """A share written as 5%, from 0 to 1; ScenarioError if it is none."""
    if not str(text).endswith("%"):
        raise ScenarioError(f"{text!r}: write a share as 5%")
    return float(str(text)[:-1]) / 100
