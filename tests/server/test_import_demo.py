"""The demo bank of the simulator: comes in whole; and spoiled, every one of its mistakes is named."""

import pytest
from doorward_server.importing import service
from doorward_simulator import bank, bank_files


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The folder of the spoiled bank with its mistakes, and the sound workbook's bytes."""
    folder = tmp_path_factory.mktemp("demo")
    made = bank.build()
    mistakes = bank_files.write_spoiled(made, folder)
    return folder, mistakes, bank_files.workbook(bank_files.rows(made))


def imported(services, folder):
    with services.database.writing() as session:
        return service.import_folder(session, folder)


def test_every_mistake_is_named_where_it_is(services, folders):
    folder, mistakes, _ = folders
    report = imported(services, folder)
    found = {(one.sheet, one.row, one.column) for one in report.findings}
    assert found >= {(mistake.sheet, mistake.row, mistake.column) for mistake in mistakes}
    assert not report.applied


def test_the_demo_bank_comes_in_whole(services, folders):
    folder, _, sound = folders
    (folder / "bank.xlsx").write_bytes(sound)
    report = imported(services, folder)
    assert report.findings == []
    assert report.counts["people"] == {"new": 13}
    assert len(report.without_password) == report.counts["users"]["new"]
