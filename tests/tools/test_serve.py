"""What `doorward serve` allows a peer that has proved nothing yet."""

import pytest
import uvicorn
from doorward_tools import serve
from doorward_tools.patient_http import PatientHTTP


def test_a_stranger_costs_little(monkeypatch, tmp_path):
    """Frames of the link are encrypted: to offer compression only makes a connection three times as large."""
    allowed = {}

    def config(_app, **settings):
        allowed.update(settings)
        raise KeyboardInterrupt

    monkeypatch.setattr(uvicorn, "Config", config)
    for change in ("freeze", "set_threshold"):  # of the collector that all tests share
        monkeypatch.setattr(serve.gc, change, lambda *_: None)
    with pytest.raises(KeyboardInterrupt):
        serve.command(data=tmp_path / "data")
    assert allowed["http"] is PatientHTTP
    assert allowed["ws_max_size"] == serve.LARGEST_FRAME
    assert allowed["ws_per_message_deflate"] is False
