"""The compiled size of the device's code, file by file, as a release has it."""

import tempfile
from pathlib import Path

BUDGET = 160_000  # bytes


def compiled_sizes() -> dict[str, int]:
    """Bytes of each device file, compiled as for a release. Raises CompilerMissingError."""
    from doorward_simulator.device_files import compile_file, compiler_version, device_files

    compiler_version()
    sizes = {}
    with tempfile.TemporaryDirectory(prefix="doorward-") as scratch:
        target = Path(scratch, "out.mpy")
        for name, source in device_files().items():
            compile_file(source, target, name, release=True)
            sizes[name] = target.stat().st_size
    return sizes


def by_folder(sizes: dict[str, int]) -> dict[str, int]:
    """The sums of the files that lie directly in each folder, the largest first."""
    folders: dict[str, int] = {}
    for name, size in sizes.items():
        folder = Path(name).parent.as_posix()
        folders[folder] = folders.get(folder, 0) + size
    return largest(folders)


def largest(sizes: dict[str, int], count: int | None = None) -> dict[str, int]:
    """The `count` largest, or all, the largest first."""
    return dict(sorted(sizes.items(), key=lambda entry: -entry[1])[:count])
