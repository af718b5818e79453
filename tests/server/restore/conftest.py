"""A bank's data with a backup that is a day old."""

import shutil
from pathlib import Path

import pytest
from doorward_server.backup import making
from doorward_server.settings import Settings
from restored_bank import opened


@pytest.fixture
def settings(staffed_data, tmp_path):
    folder = shutil.copytree(staffed_data[0], tmp_path / "data")
    return Settings(data=folder, argon2_time_cost=1, argon2_memory_kib=8)


@pytest.fixture
def bank(staffed_data):
    return staffed_data[1]


@pytest.fixture
def backup(settings, clock) -> Path:
    """A backup of a bank's data, a day old by now."""
    with opened(settings, clock) as services:
        path, _ = making.make(services, settings.backups)
    clock.pass_time(days=1)
    return path
