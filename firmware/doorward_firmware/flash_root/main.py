"""Runs after boot.py: start the unit, and start it again if it ever ends.

A unit without identity waits for its provisioning on the console; any other end is an error, and a reset
drops the relays and begins from the records. On a board with secure boot nobody interrupts a running unit: at
the console all its keys would lie open.
"""

import sys

import machine
import micropython
from doorward_firmware import main
from doorward_firmware.board import FUSES
from doorward_firmware.drivers.fuses import burnt
from doorward_protocol.errors import BAD_KEY, ProtocolError

if dict(burnt(FUSES))["secure_boot"]:
    micropython.kbd_intr(-1)
try:
    main.run()
except KeyboardInterrupt:  # somebody at the console of a board without secure boot
    pass
except ProtocolError as error:
    print(error)
    if error.reason != BAD_KEY:
        machine.reset()
except Exception as error:
    sys.print_exception(error)
    machine.reset()
