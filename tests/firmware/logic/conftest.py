"""The portable helpers, which also run under the real MicroPython, are importable here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "portable"))
