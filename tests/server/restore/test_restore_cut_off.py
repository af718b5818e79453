"""Restores that are cut off: no interruption loses anything."""

from pathlib import Path

import pytest
from doorward_server.backup import archive, restorations, restore, swap
from restored_bank import areas, opened, put_area, tree

pytestmark = pytest.mark.shows("S23")


def test_what_fails_before_the_last_step_changes_nothing(settings, clock, backup, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    before = tree(settings.data)
    for module, name in ((archive, "unpack"), (restore, "settle"), (swap, "swap")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, interrupted)
            with pytest.raises(KeyboardInterrupt):
                restore.restore(settings, backup, clock)
        assert tree(settings.data) == before
        assert not (settings.data / swap.STAGING).exists()


def test_what_a_killed_restore_left_behind_is_cleared(settings, clock, backup):
    left = settings.data / swap.STAGING
    left.mkdir()
    (left / "doorward.sqlite").write_bytes(b"half")
    put_area(settings, clock, "later")
    restore.restore(settings, backup, clock)
    assert "later" not in areas(settings.data)


class Cut(BaseException):
    """The power is gone."""


@pytest.mark.parametrize("names", [("doorward.sqlite", "doorward.sqlite-wal", "doorward.sqlite-shm"), ()])
def test_the_last_step_can_be_cut_off_anywhere(tmp_path, monkeypatch, names):
    """Before it begins everything is as it was; afterwards whoever opens the data next finishes it."""
    rename, unlink = Path.rename, Path.unlink
    cuts = finished = 0
    for count in range(20):
        data = tmp_path / f"data{count}"
        (data / "keys").mkdir(parents=True)
        (data / "keys" / "master").write_text("old")
        for name in names:
            (data / name).write_text("old")
        staging = data / swap.STAGING
        (staging / "keys").mkdir(parents=True)
        (staging / "keys" / "master").write_text("new")
        (staging / "doorward.sqlite").write_text("new")
        left = count

        def step(action, *arguments, **options):
            nonlocal left
            if left == 0:
                raise Cut
            left -= 1
            return action(*arguments, **options)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", lambda *a: step(rename, *a))
            patch.setattr(Path, "unlink", lambda *a, **o: step(unlink, *a, **o))
            try:
                swap.swap(data, staging, "aside")
                finished += 1
            except Cut:
                cuts += 1
        was_old = staging.exists()
        swap.finish(data)
        if was_old:
            assert (data / "keys" / "master").read_text() == "old"
            continue
        kept = {
            str(path.relative_to(data / "aside")) for path in (data / "aside").rglob("*") if path.is_file()
        }
        assert kept == {"keys/master", *names}
        assert {path.read_text() for path in (data / "aside").rglob("*") if path.is_file()} == {"old"}
        here = [data / "keys" / "master", data / "doorward.sqlite"]
        assert [path.read_text() for path in here] == ["new", "new"]
        assert not (data / "doorward.sqlite-wal").exists()
        assert not (data / swap.READY).exists()
    assert cuts >= 5
    assert finished > 5


def test_a_server_finishes_what_was_interrupted_when_it_starts(settings, clock, backup, monkeypatch):
    put_area(settings, clock, "later")

    def cut(_data):
        raise Cut

    with monkeypatch.context() as patch, pytest.raises(Cut):  # noqa: PT012
        patch.setattr(swap, "_finish", cut)
        restore.restore(settings, backup, clock)
    with opened(settings, clock) as services, services.database.reading() as session:
        assert restorations.waiting(session) is not None
    assert "later" not in areas(settings.data)
    (aside,) = settings.data.glob("before-restore-*")
    assert "later" in areas(aside)


def test_the_next_restore_finishes_what_was_interrupted_too(settings, clock, backup, monkeypatch):
    put_area(settings, clock, "later")

    def cut(_data):
        raise Cut

    monkeypatch.setattr(swap, "_finish", cut)
    with pytest.raises(Cut):
        restore.restore(settings, backup, clock)
    monkeypatch.undo()
    clock.pass_time(seconds=1)
    restore.restore(settings, backup, clock)
    first, second = sorted(settings.data.glob("before-restore-*"))
    assert "later" in areas(first)
    assert areas(second) == areas(settings.data)
