"""The real server in a simulated day, tapped: every plaintext of its channels is written down.

`python tapped_server.py --tape FILE --data D --bus FD --socket S`, as `doorward_tools.simulated_server`. Each
line is a role's view, "sent" or "received" by the server, and the message in hexadecimal.
"""

import sys
from pathlib import Path

from doorward_protocol.channel import Channel
from doorward_tools import simulated_server


def tap(tape: Path) -> None:
    """Write down what `Channel` seals and opens from now on."""
    seal, opened, out = Channel.seal, Channel.open, tape.open("a", buffering=1)

    def tapped_seal(self: Channel, plaintext: bytes) -> bytes:
        out.write(f"sent {bytes(plaintext).hex()}\n")
        return seal(self, plaintext)

    def tapped_open(self: Channel, frame: bytes) -> bytes:
        plaintext = opened(self, frame)
        out.write(f"received {plaintext.hex()}\n")
        return plaintext

    Channel.seal, Channel.open = tapped_seal, tapped_open


if __name__ == "__main__":
    at = sys.argv.index("--tape")
    tap(Path(sys.argv[at + 1]))
    del sys.argv[at : at + 2]
    simulated_server.main()
