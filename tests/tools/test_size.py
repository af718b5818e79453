"""The device's code fits its budget, and the figures of `doorward size` are what they are said to be."""

import pytest
from doorward_simulator.device_files import HOST_ONLY, compile_file, device_files
from doorward_simulator.runtimes.loaded_code import loaded_code, stand_in_objects
from doorward_tools import size, size_code, size_delivery
from doorward_tools.main import app
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def sizes():
    return size_code.compiled_sizes()


def test_the_compiled_code_is_within_its_budget(sizes):
    assert size_code.BUDGET * 0.5 < sum(sizes.values()) <= size_code.BUDGET


def test_every_file_of_the_device_is_counted(sizes):
    assert set(sizes) == set(device_files())
    assert not HOST_ONLY & set(sizes)
    assert {"doorward_protocol/edhoc.py", "doorward_firmware/app.py"} <= set(sizes)
    assert sum(size_code.by_folder(sizes).values()) == sum(sizes.values())
    assert all(size > 0 for size in sizes.values())


def test_computing_does_not_hold_up_the_loop():
    assert 0 < size.multiplications_between_yields(runs=3) <= size.MOST_BETWEEN_YIELDS


def test_a_release_has_folded_its_constants(tmp_path):
    source = tmp_path / "part.py"
    found = []
    for names in ("const", "const, text_from_utf8"):
        source.write_text(f"from doorward_protocol.compat import {names}\nSIZE = const(7)\n")
        for release in (False, True):
            compile_file(source, tmp_path / "part.mpy", "/slot_a/part.py", release)
            content = (tmp_path / "part.mpy").read_bytes()
            found.append([word in content for word in (b"compat", b"text_from_utf8", b"/slot_a", b"part.py")])
    one, one_released, two, two_released = found
    assert one == [True, False, True, True]
    assert one_released == [False, False, False, True]
    assert two == [True, True, True, True]
    assert two_released == [True, True, False, True]


def test_code_on_the_heap_is_what_loading_takes_and_not_what_running_takes(tmp_path):
    texts = {
        "empty": "",
        "data": f"DATA = {bytes(range(256)) * 40!r}\n",
        "runs": "LIST = [0] * 100_000\n",
        "raises": "raise RuntimeError('nothing of this runs')\n",
    }
    files = {}
    for name, text in texts.items():
        files[name] = tmp_path / f"{name}.py"
        files[name].write_text(text)
    found = loaded_code(files, release=True)
    assert found["data"] - found["empty"] == pytest.approx(256 * 40, abs=400)
    assert found["runs"] < 500
    assert found["raises"] < 500


def test_idle_and_peak_are_of_their_times_and_without_code(monkeypatch):
    monkeypatch.setattr("doorward_simulator.runtimes.loaded_code.loaded_code", _hundred_each)
    monkeypatch.setattr("doorward_simulator.runtimes.loaded_code.stand_in_objects", len)
    heap = [
        {"at": 1, "bytes": 9000, "peak": 9900, "modules": ["doorward_protocol.cbor", "machine", "asyncio"]},
        {"at": 11, "bytes": 5000, "peak": 8000, "modules": ["doorward_protocol"]},
        {"at": 25, "bytes": 7000, "peak": 7500, "modules": []},
        {"at": 35, "bytes": 6000, "peak": 6100, "modules": []},
    ]
    found = size_delivery._delivery(heap, [10, 20, 30, 40], {"journal": 1})
    assert (found.code_bytes, found.stand_in_code_bytes) == (200, 100)
    assert (found.idle_bytes, found.peak_bytes) == (6000 - 301, 7500 - 301)


def test_stand_ins_leave_classes_and_functions_behind():
    assert 0 < stand_in_objects(["simulated_bus", "machine", "camera"]) < 6000


def _hundred_each(files, release):
    return dict.fromkeys(files, 100)


def test_help_says_how_the_heap_is_derived():
    result = CliRunner().invoke(app, ["size", "--help"])
    assert result.exit_code == 0
    assert "doorward size --json" in result.output
    assert "first statement" in " ".join(result.output.replace("│", " ").split())
