"""device_files and device_rules are importable by name, whatever import mode pytest is in."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
