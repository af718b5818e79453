"""The chip's modules for a simulated board, in plain MicroPython: the same files serve CPython and node.

The runtime puts this folder at the front of the module path, so that `import machine` in the firmware finds
them. Each speaks with the world through `simulated_bus`; none decides anything by itself.
"""
