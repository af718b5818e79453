"""asyncio under the webassembly port in the world's time: the host runs one step of one task at a time.

The port's own loop lives on JavaScript's timers and runs everything that is due before it returns. Here the
host asks for each step, so that garbage can be collected in between, and `idle` says on the bus until when
nothing is due. Tasks, their queue and its order are MicroPython's own, as on the device.
"""
# pyright: reportAttributeAccessIssue=false, reportIncompatibleMethodOverride=false
# The names are those of MicroPython's webassembly port.

import asyncio
import sys
from asyncio import core
from time import ticks_diff, ticks_ms

import host  # pyright: ignore[reportMissingImports] - made by processor.mjs

_TICKS = (1 << 30) - 1


class ThreadSafeFlag(asyncio.Event):
    """The device's is a stream that its loop polls; this port's loop polls none."""

    async def wait(self):
        await super().wait()
        self.clear()


class WorldLoop:
    """Takes the place of the port's loop and of its `asyncio.run`."""

    def __init__(self, bus):
        self._bus = bus
        self._main = None
        self._now = bus.call("system", "now")
        core._task_queue = core.TaskQueue()  # without the callback to JavaScript's timers
        host.reach(self._now & _TICKS)

    def run(self, coroutine):
        """As asyncio.run, but returns at once: the host runs the task, and the process ends with it."""
        self._main = core.create_task(coroutine)

    def step(self):
        """Run the next task that is due up to its next await; False if none is."""
        task = core._task_queue.peek()
        if task is None or ticks_diff(task.ph_key, ticks_ms()) > 0:
            return False
        core._task_queue.pop()
        core.cur_task = task
        error = task.data
        try:
            if not error:
                task.coro.send(None)
            else:  # cancelled, or what a finished task raised and nobody awaited
                task.data = None
                task.coro.throw(error)
        except (core.CancelledError, Exception) as end_of_task:
            self._finish(task, error, end_of_task)
        return True

    def idle(self):
        """Tell the world until when nothing is due, and wait for its cause."""
        task = core._task_queue.peek()
        if task is None and self._main is None:
            host.exit(0)  # a program without tasks
        deadline = None if task is None else self._now + ticks_diff(task.ph_key, ticks_ms())
        self._now, action = self._bus.idle(deadline)
        host.reach(self._now & _TICKS)
        if action is not None:
            action()

    def _finish(self, task, error, end_of_task):
        if task is self._main:
            end(end_of_task)
        if task.state:
            awaited = False
            if task.state is True:
                task.state = None  # finished, not awaited so far
            elif callable(task.state):
                task.state(task, end_of_task)
                task.state = False
                awaited = True
            else:
                while task.state.peek():
                    core._task_queue.push(task.state.pop())
                    awaited = True
                task.state = False  # finished and awaited
            if not awaited and not isinstance(end_of_task, (core.CancelledError, StopIteration)):
                core._task_queue.push(task)  # whoever awaits it until then gets the error
            task.data = end_of_task
        elif task.state is None:
            task.data = error
            core._exc_context["exception"] = error
            core._exc_context["future"] = task
            core.Loop.call_exception_handler(core._exc_context)


def end(error):
    """The program has ended, by itself or by an error."""
    if isinstance(error, StopIteration):
        host.exit(0)
    sys.print_exception(error)
    host.exit(1)
