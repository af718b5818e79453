"""Drivers run on CPython with the device's names added; time moves only when nothing is due."""

from doorward_simulator.runtimes import compat

compat.install()
