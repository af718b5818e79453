"""What `doorward serve` allows a peer that has proved nothing yet."""

import asyncio
import socket

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


def test_small_answers_do_not_wait_for_others():
    """Nagle's algorithm is off for those who connect: it held back each order and receipt."""

    async def connected() -> int:
        arrived = asyncio.get_running_loop().create_future()
        listener = serve._listener("127.0.0.1", 0)
        server = await asyncio.start_server(lambda _, writer: arrived.set_result(writer), sock=listener)
        async with server:
            _, own = await asyncio.open_connection(*listener.getsockname())
            writer = await arrived
            for one in (own, writer):
                one.close()
            return writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    assert asyncio.run(connected())
