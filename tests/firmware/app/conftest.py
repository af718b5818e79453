"""MicroPython's names for the application's files under CPython."""

from doorward_simulator.runtimes import compat

compat.install()
