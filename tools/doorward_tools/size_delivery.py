"""What one delivery takes of a unit's heap and flash: the scenario `delivery` under the real MicroPython.

The heap is measured after a forced collection at every idle and within long turns. Idle is the most at any
idle while nothing is in hand: for QUIET before the van and for as long after it has left. The peak is the
most at any moment from the van to its leaving. Of both, the code is taken off: node loads it onto the heap,
on the device it is frozen into flash (`loaded_code`), and so are the classes and functions of the board's
stand-ins, which no device has. What else only the simulation has (pins, buses and buffers that the stand-ins
make, the processor's own module) stays in, so the figures are rather too large.
"""

import dataclasses
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

SCENARIO, UNIT = "delivery", "B01"
FIRST, LAST = "van_arrives", "van_leaves"
QUIET = "30s"
PROCESSOR = "processor.py"  # the stand-in that runs when it is imported and so cannot be measured alone
IDLE_BUDGET, PEAK_BUDGET = 100_000, 180_000  # bytes


@dataclass
class Delivery:
    """Bytes of heap without what no device has there, what that was; erased sectors by partition."""

    idle_bytes: int
    peak_bytes: int
    code_bytes: int
    stand_in_code_bytes: int
    stand_in_object_bytes: int
    erases: dict[str, int]


class DeliveryFailedError(Exception):
    """The scenario did not come to its end; the text says where."""


def measure(tell: Callable[[str], None]) -> Delivery:
    """Play the delivery (minutes). `tell` hears of each step. Raises RuntimeMissingError and
    DeliveryFailedError."""
    from doorward_simulator import scenario
    from doorward_simulator.process import HEAP_FIGURES, Runtime
    from doorward_simulator.stage import Stage

    from doorward_tools.prepare import prepare
    from doorward_tools.scenario import QUICK, load_scenario, server_command

    chosen = _with_quiet(load_scenario(SCENARIO))
    arrival = next(place for place, step in enumerate(chosen.steps) if step.name == FIRST)
    erases: list[dict[str, int]] = []

    with tempfile.TemporaryDirectory(prefix="doorward-") as scratch:
        folder = Path(scratch)
        preparation = prepare(
            folder / "day",
            chosen.seed,
            chosen.begins,
            chosen.units,
            chosen.plan,
            {**QUICK, **chosen.settings},
        )
        runtime = Runtime("micropython", heap_figures=True, release=True)
        with Stage(
            chosen, preparation, server_command(preparation.data), folder / "world", runtime=runtime
        ) as stage:

            def after_step(report) -> None:
                tell(f"{len(report.rows)} of {len(chosen.steps)} steps")
                if len(report.rows) in (arrival, len(chosen.steps) - 1):
                    erases.append({label: flash.erases for label, flash in stage.unit(UNIT).flash.items()})

            report = scenario.Runner(chosen, after_step).play(stage)
        if not report.passed:
            failed = [
                f"line {row.line}: {row.text}: {row.detail}" for row in report.rows if row.result == "failed"
            ]
            raise DeliveryFailedError("; ".join(failed + report.problems))
        lines = (folder / "world" / UNIT / HEAP_FIGURES).read_text(encoding="utf-8").splitlines()
    moments = [report.rows[place].time for place in (arrival - 2, arrival - 1, -2, -1)]
    before, after = erases[0], erases[1]
    return _delivery(
        [json.loads(line) for line in lines],
        moments,
        {label: after[label] - before[label] for label in before},
    )


def _with_quiet(chosen):
    """The scenario with time before the van and after it, in which nothing is in hand."""
    from doorward_simulator.scenario_loader import Step

    quiet = Step(0, "wait", QUIET, {})
    arrival = next(place for place, step in enumerate(chosen.steps) if step.name == FIRST)
    return dataclasses.replace(chosen, steps=[*chosen.steps[:arrival], quiet, *chosen.steps[arrival:], quiet])


def _delivery(heap: list[dict], moments: list[int], erases: dict[str, int]) -> Delivery:
    """`moments`: when quiet began and the van came, when all was over and the quiet after it ended."""
    from doorward_simulator.device_files import device_files
    from doorward_simulator.runtimes.loaded_code import loaded_code, stand_in_objects
    from doorward_simulator.runtimes.micropython import stub_files

    modules = {name for line in heap for name in line["modules"]}
    files = {name: path for name, path in device_files().items() if module_name(name) in modules}
    stubs = {name: path for name, path in stub_files().items() if module_name(name) in modules}
    shares = loaded_code(files | stubs, release=True)
    code, stand_ins = ({name: shares[name] for name in part} for part in (files, stubs))
    objects = stand_in_objects([module_name(name) for name in stubs if name != PROCESSOR])
    begins, arrives, leaves, ends = moments
    quiet = [line["bytes"] for line in heap if begins < line["at"] <= arrives or leaves < line["at"] <= ends]
    busy = [line["peak"] for line in heap if arrives < line["at"] <= leaves]
    loaded = sum(shares.values()) + objects
    return Delivery(
        idle_bytes=max(quiet) - loaded,
        peak_bytes=max(busy) - loaded,
        code_bytes=sum(code.values()),
        stand_in_code_bytes=sum(stand_ins.values()),
        stand_in_object_bytes=objects,
        erases=erases,
    )


def module_name(file: str) -> str:
    """`doorward_protocol/__init__.py` is the module doorward_protocol."""
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
