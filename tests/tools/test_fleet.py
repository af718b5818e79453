"""A small fleet against the real server: everybody comes through, and every record is stored exactly once."""

import json
import socket

import pytest
from doorward_tools.main import app
from typer.testing import CliRunner


@pytest.mark.shows("F12")
def test_a_fleet_delivers_and_every_record_is_stored_once(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["simulate", "--fleet", "5", "--json", "--port", str(port), "--data", str(tmp_path / "fleet")]
    result = CliRunner().invoke(app, command)
    found = json.loads(result.stdout.splitlines()[-1])
    assert (result.exit_code, found["failures"]) == (0, [])
    assert (found["records"], found["heads"]) == (250, 50)
    assert found["server_rss_bytes"] > 0
