"""`doorward serve` as an operator types it: variables count, mistakes are named, it says where it runs."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest

SERVE = [sys.executable, "-m", "doorward_tools.main", "serve"]
SECONDS = 60


def refused(*options, **variables):
    """What `doorward serve` says when it does not start; no traceback among it."""
    answer = subprocess.run(
        [*SERVE, *options], env=os.environ | variables, capture_output=True, text=True, timeout=SECONDS
    )
    assert answer.returncode == 2
    assert "Traceback" not in answer.stderr
    return " ".join(answer.stderr.split())


@contextmanager
def serving(*options, **variables):
    """What a running server prints, line by line."""
    process = subprocess.Popen(
        [*SERVE, *options],
        env=os.environ | {"PYTHONUNBUFFERED": "1"} | variables,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0
    finally:
        process.kill()
        process.wait()


def test_variables_count_where_no_option_is_given(tmp_path):
    variables = {"DOORWARD_DATA": str(tmp_path / "bank"), "DOORWARD_PORT": "0", "DOORWARD_HOST": "127.0.0.2"}
    with serving(**variables) as lines:
        first = next(lines)
        assert first.startswith("Doorward runs at http://127.0.0.2:")
        assert "doorward import" in next(lines)
        port = int(first.split(":")[2].split()[0])
        with socket.socket() as visitor:
            visitor.connect(("127.0.0.2", port))
    assert (tmp_path / "bank" / "doorward.sqlite").exists()


def test_it_listens_on_a_unix_socket(tmp_path):
    place = tmp_path / "doorward.sock"
    with (
        serving("--data", str(tmp_path / "bank"), DOORWARD_UDS=str(place)) as lines,
        socket.socket(socket.AF_UNIX) as visitor,
    ):
        assert str(place) in next(lines)
        visitor.connect(str(place))


def test_a_taken_port_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"port {port}" in refused("--data", str(tmp_path / "bank"), "--port", str(port))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DOORWARD_PORT", "eighty", "DOORWARD_PORT"),
        ("DOORWARD_LANGUAGE", "fr", "DOORWARD_LANGUAGE"),
        ("DOORWARD_TIMEZONE", "Mars/Olympus", "DOORWARD_TIMEZONE: timezone is a name of the IANA database"),
    ],
)
def test_a_variable_that_makes_no_sense_is_named(tmp_path, name, value, said):
    assert said in refused("--data", str(tmp_path / "bank"), **{name: value})


def test_a_folder_that_cannot_be_is_named(tmp_path):
    (tmp_path / "file").touch()
    assert "name another one by --data" in refused("--data", str(tmp_path / "file"), "--port", "0")


def test_keys_that_others_can_read_are_refused_in_words(tmp_path):
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "master").write_bytes(bytes(32))
    (tmp_path / "keys" / "master").chmod(0o644)
    assert "set its mode to 0600" in refused("--data", str(tmp_path), "--port", "0")
