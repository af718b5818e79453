"""Runs after boot.py: start the unit, and start it again if it ever ends.

A unit without identity waits for its provisioning on the console; any other end is an error, and a reset
drops the relays and begins from the records.
"""

import sys

import machine
from doorward_firmware import main
from doorward_protocol.errors import BAD_KEY, ProtocolError

try:
    main.run()
except KeyboardInterrupt:  # somebody at the console
    pass
except ProtocolError as error:
    print(error)
    if error.reason != BAD_KEY:
        machine.reset()
except Exception as error:
    sys.print_exception(error)
    machine.reset()
