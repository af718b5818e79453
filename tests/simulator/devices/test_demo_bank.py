"""The demo bank: deterministic, well-formed, with templates that its own people match."""

from io import BytesIO
from random import Random

import openpyxl
import pytest
from doorward_simulator import bank, bank_files, finger_templates
from doorward_simulator.devices.ef01_profiles import AS608, LIVE
from doorward_simulator.finger_matcher import Features, compare
from PIL import Image


@pytest.fixture(scope="module")
def demo():
    return bank.build("test")


@pytest.fixture(scope="module")
def folder(demo, tmp_path_factory):
    path = tmp_path_factory.mktemp("bank")
    bank_files.write(demo, path)
    return path


def sheets(path) -> dict[str, list[tuple]]:
    book = openpyxl.load_workbook(BytesIO((path / "bank.xlsx").read_bytes()))
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def test_who_and_what_there_is(demo):
    roles = [person.role for person in demo.people]
    assert [roles.count(role) for role in ("escort", "driver", "officer", "keeper")] == [6, 2, 4, 1]
    assert (len(demo.vehicles), len(demo.boxes), len(bank.SITES)) == (2, 12, 4)
    assert {user[2] for user in bank.USERS} == {
        "dispatcher", "duty", "auditor", "officer", "keeper", "administrator",
    }  # fmt: skip


def test_tags_are_unique_and_gs1(demo):
    items = [*demo.vehicles, *demo.boxes]
    assert len({item.epc for item in items}) == len({item.tid for item in items}) == len(items)
    assert {box.epc[0] for box in demo.boxes} == {0x33}  # GRAI-96
    assert {vehicle.epc[0] for vehicle in demo.vehicles} == {0x34}  # GIAI-96
    assert bank.grai96("6951234", 10421, 500100).hex() == "3315a845080a2d400007a184"


def test_a_fake_van_has_the_epc_and_another_tid(demo):
    true, fake = demo.vehicle(bank.PLATES[0]).tag(), demo.fake_van(bank.PLATES[0])
    assert true.epc == fake.epc
    assert true.tid != fake.tid
    assert fake == demo.fake_van(bank.PLATES[0])


def test_every_template_is_one_of_the_module_and_matches_its_finger_only(demo):
    random = Random(4)
    prepared = {
        (person.staff_number, number): Features(finger_templates.decode(LIVE.model, 1536, template))
        for person in demo.people
        for number, template in person.templates.items()
    }
    assert len(prepared) == 12 * 3
    for person in demo.people[:6]:
        number = bank.RIGHT_INDEX
        probe = Features(person.fingers[number].touch(random).capture(random, *LIVE.window))
        scores = {key: compare(probe, template) for key, template in prepared.items()}
        best = max(scores, key=lambda key: scores[key])
        assert best == (person.staff_number, number)
        assert sorted(scores.values())[-2] < 45 < scores[best]


def test_worn_prints_have_no_template_but_a_card(demo):
    worn = demo.person(bank.WORN)
    assert (worn.templates, worn.duress) == ({}, None)
    assert len(worn.card.uid) == 7
    assert all(person.duress == bank.DURESS for person in demo.people if person is not worn)


def test_equal_seeds_give_equal_files_and_other_seeds_others(demo, folder, tmp_path):
    bank_files.write(bank.build("test"), tmp_path)
    names = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file())
    assert all((folder / name).read_bytes() == (tmp_path / name).read_bytes() for name in names)
    other = bank.build("another")
    assert other.boxes[0].tid != demo.boxes[0].tid
    assert other.people[0].templates != demo.people[0].templates


def test_workbook_has_the_agreed_sheets_and_refers_to_files_that_exist(demo, folder):
    book = sheets(folder)
    assert {name: " ".join(rows[0]) for name, rows in book.items()} == bank_files.COLUMNS
    assert {row[-1] for row in book["people"][1:]} == {path.name for path in (folder / "photos").iterdir()}
    assert {row[-1] for row in book["fingers"][1:]} == {path.name for path in (folder / "fingers").iterdir()}
    assert {row[2] for row in book["fingers"][1:]} == {LIVE.model}
    assert sum(row[3] == "yes" for row in book["fingers"][1:]) == 12
    with Image.open(folder / "photos" / "E1001.jpg") as photo:
        assert (photo.format, photo.size) == ("JPEG", (360, 480))


def test_sites_print_into_folders_below_the_spool(demo, folder, tmp_path):
    assert {row[-1] for row in sheets(folder)["sites"][1:]} == {None}
    bank_files.write(demo, tmp_path, spool=tmp_path / "printed")
    assert sheets(tmp_path)["sites"][1][-1] == f"spool:{tmp_path / 'printed' / 'V01'}"


def test_another_module_makes_its_own_templates():
    small = bank.build("test", AS608)
    templates = [template for person in small.people for template in person.templates.values()]
    assert {len(template) for template in templates} == {512}
    with pytest.raises(finger_templates.TemplateError):
        finger_templates.decode(LIVE.model, LIVE.template_size, templates[0])


def test_unknown_names_say_what_is_known(demo):
    with pytest.raises(KeyError, match="E1001"):
        demo.person("E9999")
    with pytest.raises(KeyError, match="HX-0001"):
        demo.box("HX-9999")


def test_spoiled_workbook_has_each_mistake_where_it_says(demo, folder, tmp_path):
    mistakes = bank_files.write_spoiled(demo, tmp_path)
    good, bad = sheets(folder), sheets(tmp_path)
    assert {mistake.sheet for mistake in mistakes} == {
        "sites",
        "people",
        "fingers",
        "vehicles",
        "boxes",
        "users",
    }
    for mistake in mistakes:
        rows = bad[mistake.sheet]
        if mistake.row > len(good[mistake.sheet]):
            assert rows[mistake.row - 1] == rows[mistake.row - 2]
        else:
            column = rows[0].index(mistake.column)
            assert rows[mistake.row - 1][column] != good[mistake.sheet][mistake.row - 1][column]


def test_single_mistakes_can_be_chosen(demo, tmp_path):
    (mistake,) = bank_files.write_spoiled(demo, tmp_path, lambda mistake: mistake.column == "permit_until")
    assert (mistake.sheet, mistake.row) == ("people", 4)
    assert sheets(tmp_path)["people"][3][6] == "31.02.2026"
