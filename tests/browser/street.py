"""The world before the branches' doors: a scenario's stage that runs in real time, in a thread of its own.

A test says what people and vans do with `do`, and waits for the world with `wait`; both are carried out in
the world's thread, between two of its steps. What the centre and the officers do is left to the browser.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from doorward_simulator.scenario import TABLES
from doorward_simulator.stage import Stage

SLICE_MS = 20  # of world time between two looks at what the test wants
PATIENCE = 60  # s for anything that a test asks of the world


class Street:
    """A context manager. `do` and `wait` take names and arguments of a scenario's `do` and `expect` steps."""

    def __init__(self, stage: Stage):
        self._stage = stage
        self._wanted: queue.SimpleQueue[tuple[Callable[[Stage], Any], Future]] = queue.SimpleQueue()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._run, name="street", daemon=True)

    def __enter__(self) -> "Street":
        """Power the units on and let the world go."""
        self._stage.begin()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the world; the units' processes end with the stage."""
        self._ends.set()
        self._thread.join(PATIENCE)

    def ask(self, function: Callable[[Stage], Any]) -> Any:
        """What a function of the stage gives, called in the world's thread."""
        return self._begin(function).result(PATIENCE)

    def do(self, name: str, **arguments: Any) -> None:
        """Let somebody do something; AssertionError if it could not be done."""
        failed = self.ask(lambda stage: TABLES["do"][name](stage, **arguments))
        assert not failed, f"{name}: {failed}"

    def wait(self, name: str, **arguments: Any) -> None:
        """Wait until the world is so; AssertionError if that does not come true in time."""

        def wait(stage: Stage) -> str:
            check = TABLES["expect"][name](stage, **arguments)
            return "" if stage.world.run_until(check.holds, check.within) else check.missing()

        missing = self.ask(wait)
        assert not missing, f"{name} {arguments}: {missing}"

    def _begin(self, function: Callable[[Stage], Any]) -> Future:
        future: Future = Future()
        self._wanted.put((function, future))
        if not self._thread.is_alive():
            raise RuntimeError("the world has ended")
        return future

    def _run(self) -> None:
        while not self._ends.is_set():
            try:
                function, future = self._wanted.get_nowait()
            except queue.Empty:
                self._stage.world.run_for(SLICE_MS)
                continue
            try:
                future.set_result(function(self._stage))
            except Exception as error:
                future.set_exception(error)
