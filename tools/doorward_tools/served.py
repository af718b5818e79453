"""The real server in a process of its own, on a loopback port: `doorward serve`, ended by its pid."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

START_SECONDS = 180  # a busy machine starts slowly; a server that ends is noticed at once
STOP_SECONDS = 10


class Server:
    """`doorward serve` over a prepared data folder. `settings` are its DOORWARD_… variables."""

    def __init__(self, data: Path, log: Path, settings: dict[str, str]):
        self._data, self._log = data, log
        self._environment = os.environ | {f"DOORWARD_{name.upper()}": text for name, text in settings.items()}
        self._process: subprocess.Popen | None = None
        self.started_in = 0.0  # s that its newest start took until it answered
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        began = time.monotonic()
        self.begin()
        while not self._answers():
            if not self.runs() or time.monotonic() - began > START_SECONDS:
                raise RuntimeError(f"the server did not start: {self._log.read_text()[-2000:]}")
            time.sleep(0.05)
        self.started_in = time.monotonic() - began

    def runs(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    def begin(self) -> None:
        """Start without waiting."""
        command = [sys.executable, "-m", "doorward_tools.main", "serve"]
        command += ["--data", str(self._data), "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                command, stdout=subprocess.DEVNULL, stderr=log, env=self._environment
            )

    def stop(self) -> None:
        """End it as an operator does, and wait for the end."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End it with SIGKILL: no handler runs, nothing is flushed; what it gave the kernel stays."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def complaints(self) -> str:
        """What it wrote to its error output; a server without trouble writes nothing."""
        return self._log.read_text()

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
