"""Connections from a simulated processor to a real server process in world time, and what cables do."""

import sys
import textwrap

import pytest
from doorward_simulator.faults import Fault
from doorward_simulator.http_client import HttpClient, HttpError
from doorward_simulator.network import Cable
from doorward_simulator.server_process import ServerProcess

SERVER = """
    import asyncio, argparse, threading, time
    from doorward_simulator.runtimes.server_loop import open_loop

    parser = argparse.ArgumentParser()
    parser.add_argument("--bus"), parser.add_argument("--socket")
    arguments = parser.parse_args()
    loop, bus = open_loop(arguments.bus)

    async def serve(reader, writer):
        while data := await reader.read(100):
            if data.startswith(b"GET"):
                await asyncio.sleep(0.25)
                body = b"at %d" % round(loop.time() * 1000)
                writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n" % len(body))
                writer.write(b"Set-Cookie: a=b; Path=/\\r\\n\\r\\n" + body)
            elif data == b"work":
                await loop.run_in_executor(None, time.sleep, 0.05)  # a busy worker: no world time passes
                writer.write(b"done at %d" % round(loop.time() * 1000))
            elif data == b"flood":
                writer.write(bytes(1 << 20))
                await writer.drain()
            else:
                writer.write(data.upper())
        writer.close()

    async def main():
        server = await asyncio.start_unix_server(serve, arguments.socket)
        await server.serve_forever()

    loop.run_until_complete(main())
    """


@pytest.fixture
def server(bench):
    script = bench.folder / "server.py"
    script.write_text(textwrap.dedent(SERVER))
    return ServerProcess(
        bench.world, bench.network, [sys.executable, str(script)], bench.folder, "centre", 8000
    )


CLIENT = """
    import asyncio, time

    async def main():
        reader, writer = await asyncio.open_connection("centre", 8000)
        print("open", time.ticks_ms(), flush=True)
        for message in {messages}:
            writer.write(message)
            await writer.drain()
            print(await reader.read(100), time.ticks_ms(), flush=True)
        writer.close()
        await writer.wait_closed()
        await asyncio.sleep_ms(100_000)

    asyncio.run(main())
    """


def test_bytes_take_the_latency_there_and_back(bench, server):
    bench.start(CLIENT.format(messages=[b"one", b"two"]))
    bench.world.run_for(1000)
    assert bench.said == ["open 40", "b'ONE' 80", "b'TWO' 120"]


def test_a_busy_worker_costs_no_world_time(bench, server):
    bench.start(CLIENT.format(messages=[b"work"]))
    bench.world.run_for(1000)
    assert bench.said[1] == "b'done at 60' 80"


def test_a_server_that_sends_more_than_a_socket_holds_is_drained(bench, server):
    bench.start(
        """
        import asyncio, time

        async def main():
            reader, writer = await asyncio.open_connection("centre", 8000)
            writer.write(b"flood")
            count = 0
            while count < 1 << 20:
                count += len(await reader.read(65536))
            print(count, time.ticks_ms(), flush=True)
            await asyncio.sleep_ms(100_000)

        asyncio.run(main())
        """
    )
    bench.world.run_for(1000)
    assert bench.said == ["1048576 80"]


def test_an_unplugged_cable_holds_bytes_and_a_plugged_one_lets_them_follow(bench, server):
    bench.start(CLIENT.format(messages=[b"one", b"two"]))
    bench.world.call_later(90, lambda: bench.cable.plug(False))
    bench.world.call_later(5000, lambda: bench.cable.plug(True))
    bench.world.run_for(6000)
    assert bench.said == ["open 40", "b'ONE' 80", "b'TWO' 5020"]


def test_a_cut_holds_bytes_too(bench, server):
    bench.start(CLIENT.format(messages=[b"one", b"two"]))
    bench.world.call_later(90, lambda: bench.cable.up.set(Fault("cut")))
    bench.world.call_later(5000, bench.cable.clear)
    bench.world.run_for(6000)
    assert bench.said[-1] == "b'TWO' 5020"


CONNECT = """
    import asyncio, network, time

    async def main():
        lan = network.LAN()
        lan.active(True)
        print(lan.isconnected(), flush=True)
        try:
            await asyncio.wait_for_ms(asyncio.open_connection("centre", {port}), 3000)
        except OSError as error:
            print("failed", error.args[:1], time.ticks_ms(), flush=True)
        await asyncio.sleep_ms(100_000)

    asyncio.run(main())
    """


def test_without_a_cable_connecting_fails_at_once(bench, server):
    bench.cable.plug(False)
    bench.start(CONNECT.format(port=8000))
    bench.world.run_for(1000)
    assert bench.said == ["False", "failed (113,) 0"]


def test_a_port_nobody_serves_refuses(bench, server):
    bench.start(CONNECT.format(port=81))
    bench.world.run_for(1000)
    assert bench.said == ["True", "failed (111,) 40"]


def test_a_dead_router_answers_nothing(bench, server):
    bench.cable.up.set(Fault("cut"))
    bench.start(CONNECT.format(port=8000))
    bench.world.run_for(5000)
    assert bench.said == ["True", "failed () 3000"]


def test_a_reset_ends_the_stream(bench, server):
    bench.start(CLIENT.format(messages=[b"one", b"two"]))
    bench.world.call_later(90, bench.cable.reset)
    bench.world.run_for(1000)
    assert bench.said == ["open 40", "b'ONE' 80", "b'' 90"]


def test_a_desk_asks_over_http(bench, server):
    desk = HttpClient(bench.network, Cable(bench.world, "desk", latency=1), "centre", 8000)
    answer = desk.request("GET", "/")
    assert (answer.status, answer.body, bench.world.now()) == (200, b"at 253", 254)
    assert desk.cookies == {"a": "b"}
    with pytest.raises(HttpError, match="cannot connect"):
        HttpClient(bench.network, Cable(bench.world, "lost", latency=1), "elsewhere", 1).request("GET", "/")
