"""The real server killed under load, and behind lines that fail: what it acknowledged is there, once."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from doorward_simulator.bad_line import TRICKS, BadLine
from doorward_simulator.witness import Disorder
from doorward_tools import kept
from doorward_tools.fire import Stage

KILLS = 3
SEED = 4
MESS = Disorder(twice=0.3, shuffled=0.4, head_first=0.4, stale=0.3)


@pytest.fixture(scope="module")
def shot(tmp_path_factory, cache):
    """A stage after its kills, settled and stopped; and the figures of its check."""
    stage = Stage(tmp_path_factory.mktemp("kills"), SEED, cache=cache)
    stage.server.start()
    try:
        asyncio.run(stage.shoot(KILLS))
        yield stage, stage.check()
    finally:
        stage.server.kill()


@pytest.mark.shows("F1")
def test_a_killed_server_loses_and_doubles_nothing_it_acknowledged(shot):
    stage, figures = shot
    assert stage.kills >= KILLS
    assert figures.connections > len(stage.witnesses)
    assert min(figures.records, figures.receipts, figures.pictures, figures.drafts, figures.handovers) > 0


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ('DELETE FROM leaf WHERE "index" = 3', "lost"),
        ("UPDATE leaf SET entry = x'00' WHERE \"index\" = 5", "something else"),
        ("DELETE FROM head WHERE id = 1", "receipt"),
        ('DELETE FROM handoverevent WHERE "index" = 2', "projected"),
        ("DELETE FROM run WHERE note LIKE 'under fire %'", "draft"),
    ],
)
def test_the_check_finds_what_is_lost(shot, tmp_path, change, complaint):
    stage, _ = shot
    with (
        closing(sqlite3.connect(stage.data / kept.DATABASE)) as source,
        closing(sqlite3.connect(tmp_path / kept.DATABASE)) as copy,
    ):
        source.backup(copy)
        copy.execute(change)
        copy.commit()
    with pytest.raises(kept.LostError, match=complaint):
        kept.check_now(tmp_path, stage.witnesses, stage.desk.confirmed)


@pytest.mark.shows("F1", "S11")
def test_bad_lines_and_disorder_lose_nothing_and_alarm_nobody_falsely(tmp_path, cache):
    """Partition, slow, duplicate and re-ordered delivery; two connections of one unit at once."""
    stage = Stage(tmp_path / "stage", SEED, MESS, cache)
    stage.server.start()

    async def play():
        line = BadLine(stage.server.port, SEED, seconds=0.8)
        await line.open()
        work = stage.begin(line.port)
        stage.desk.finish()
        try:
            await asyncio.sleep(6)
            async with asyncio.timeout(120):  # on a busy machine fewer connections meet fewer tricks
                while set(line.tricks) != set(TRICKS):  # noqa: ASYNC110 - each connection draws its own
                    await asyncio.sleep(0.1)
            line.is_mended = True
            await line.close()  # what is silent now would stay so
            await line.open()
            for witness in stage.witnesses:
                witness.move(line.port)
            await stage.settle(work)
        finally:
            for task in work:
                task.cancel()
            await line.close()
        return line.tricks

    try:
        tricks = asyncio.run(play())
        figures = stage.check()
    finally:
        stage.server.kill()
    assert set(tricks) == set(TRICKS)
    assert figures.sent > figures.records


def test_a_bench_that_is_told_to_end_takes_its_server_with_it(tmp_path):
    """SIGTERM, as `timeout` and service managers send it."""
    command = [sys.executable, "-m", "doorward_tools.main", "bench", "kills", "--kills", "1000", "--json"]
    with subprocess.Popen(command, env=os.environ | {"TMPDIR": str(tmp_path)}) as bench:
        try:
            folder = _until(lambda: next(tmp_path.glob("doorward-kills-*"), None))
            server = _until(lambda: _processes_about(folder) - {bench.pid})
            bench.send_signal(signal.SIGTERM)
            assert bench.wait(60) != 0
            assert _processes_about(folder) == set(), f"left: {server}"
            assert not folder.exists()
        finally:
            bench.kill()


def _until(found, seconds=120):
    end = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return result


def _processes_about(folder):
    """Pids of processes whose command line names the folder."""
    lines = {int(one.parent.name): _read(one) for one in Path("/proc").glob("[0-9]*/cmdline")}
    return {pid for pid, line in lines.items() if str(folder).encode() in line}


def _read(file):
    try:
        return file.read_bytes()
    except OSError:  # it has ended meanwhile
        return b""
