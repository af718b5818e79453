"""The process that times crypto_operations under CPython for `doorward bench crypto`.

A process of its own, because CPython gets a `cryptolib` there: material on stdin, milliseconds on stdout.
"""

import json
import statistics
import sys
import time

from doorward_firmware.crypto.suite import DeviceSuite
from doorward_protocol.suite import run

from doorward_tools import bench_crypto, crypto_operations


async def _never_waits() -> None:
    """Nobody else wants to run."""


def main() -> None:
    material = {name: bytes.fromhex(value) for name, value in json.load(sys.stdin).items()}
    medians = {}
    for name in crypto_operations.OPERATIONS:
        times = []
        for _ in range(bench_crypto.RUNS):
            suite = DeviceSuite(pause=_never_waits)
            began = time.perf_counter()
            run(getattr(crypto_operations, name)(suite, material))
            times.append((time.perf_counter() - began) * 1000)
        medians[name] = statistics.median(times)
    json.dump(medians, sys.stdout)


if __name__ == "__main__":
    main()
