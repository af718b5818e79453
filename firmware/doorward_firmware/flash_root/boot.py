"""Runs first after every reset: which slot's code is to be started.

There is one slot so far. Nothing here may fail, so nothing here does anything clever.
"""

import sys

SLOT = "/slot_a"

# Frozen modules come before anything on flash: a stale copy in /lib must not shadow them.
sys.path[:] = [".frozen", SLOT]
