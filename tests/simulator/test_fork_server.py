"""Forked processes are as good as started ones: their own surroundings, their own end."""

import select
import sys

import pytest
from doorward_simulator import fork_server
from doorward_simulator.process import spawn

PROGRAM = """
import argparse, os, signal, sys

LOADED = os.getpid()

def warm_up():
    print("warm")

def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bus", type=int)
    parser.add_argument("word")
    arguments = parser.parse_args()
    print(arguments.word, os.environ.get("OWN"), os.getcwd(), os.getpid() != LOADED, end="")
    if arguments.word == "fails":
        raise RuntimeError("no way on")
    if arguments.word == "stays":
        os.write(arguments.bus, b"here")
        signal.pause()
"""


@pytest.fixture
def start(tmp_path, monkeypatch):
    """start(word, **environment) -> (process, endpoint, what it prints)."""
    (tmp_path / "forked_program.py").write_text(PROGRAM)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(fork_server, "_servers", {})
    monkeypatch.chdir(tmp_path)

    def begin(word, **environment):
        console = tmp_path / f"{word}.txt"
        command = [sys.executable, "-m", "forked_program", word]
        return *spawn(command, console, environment), console

    return begin


def test_each_has_its_own_arguments_environment_and_console(start, tmp_path):
    for word, own in (("one", "1"), ("two", "2")):
        process, _, console = start(word, OWN=own)
        process.wait()
        assert console.read_text() == f"{word} {own} {tmp_path} True"


def test_its_bus_ends_with_it(start):
    process, endpoint, _ = start("one")
    process.wait()
    assert endpoint.socket.recv(1) == b""


def test_one_that_is_killed_has_printed_all_it_said(start):
    process, endpoint, console = start("stays")
    assert endpoint.socket.recv(4) == b"here"
    process.kill()
    process.wait()
    assert console.read_text().startswith("stays")
    process.kill()  # again: nothing happens


def test_its_last_words_are_on_its_console(start):
    process, _, console = start("fails")
    process.wait()
    assert "RuntimeError: no way on" in console.read_text()


def test_the_fork_server_ends_with_its_owner(start):
    start("one")[0].wait()
    server = fork_server.of("forked_program")
    server._socket.close()
    assert server._process.wait(10) == 0


def test_an_ended_fork_server_is_reported(start):
    server = fork_server.of("forked_program")
    server._process.kill()
    server._process.wait()
    with pytest.raises(fork_server.ForkServerError):
        start("one")


def test_waiting_is_for_the_end(start):
    process, endpoint, _ = start("stays")
    endpoint.socket.recv(4)
    assert select.select([process._descriptor], [], [], 0)[0] == []
    process.kill()
    process.wait()
