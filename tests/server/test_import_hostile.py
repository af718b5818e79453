"""Workbooks and archives that were made to do harm: bombs, entities, lies about sizes, broken packages."""

import io
import zipfile

import import_folder
import pytest
from doorward_server.importing import sources, workbook
from doorward_server.importing.sources import ArchiveSource, BadFile


@pytest.fixture
def sound(tmp_path) -> bytes:
    """The bytes of a workbook that is in order."""
    return (import_folder.write(tmp_path) / "bank.xlsx").read_bytes()


def repack(content: bytes, **parts: bytes) -> bytes:
    """The package with some of its parts replaced or added; names with a dot are given with `__` for `/`."""
    replaced = {name.replace("__", "/").replace("_xml", ".xml"): part for name, part in parts.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in replaced:
                new.writestr(name, old.read(name))
        for name, part in replaced.items():
            new.writestr(name, part)
    return out.getvalue()


def reasons(content: bytes) -> list[str]:
    return [found.reason for found in workbook.read(content).findings]


def test_the_sound_one_is_sound(sound):
    assert reasons(sound) == []


@pytest.mark.parametrize("length", [0, 1, 3, 100, -1, -100])
def test_a_cut_package_is_unreadable(sound, length):
    assert reasons(sound[:length]) == ["workbook_unreadable"]


def test_other_bytes_are_unreadable():
    assert reasons(b"PK\x03\x04" + bytes(1000)) == ["workbook_unreadable"]
    assert reasons(b"staff_number,name\n1,2\n") == ["workbook_unreadable"]


def test_a_package_for_a_later_program_is_unreadable(sound):
    assert reasons(of_the_future(sound)) == ["workbook_unreadable"]


def of_the_future(package: bytes) -> bytes:
    """The package with a table of contents that asks for a program that there is not yet."""
    place = package.index(b"PK\x01\x02") + 6
    return package[:place] + b"\x63\0" + package[place + 2 :]


def test_a_zip_that_is_no_workbook_is_unreadable(tmp_path):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert reasons(out.getvalue()) == ["workbook_unreadable"]


def test_a_bomb_is_refused_by_its_table_of_contents(sound, monkeypatch):
    monkeypatch.setattr(workbook, "UNPACKED_LIMIT", 1024 * 1024)
    bomb = repack(sound, xl__worksheets__sheet1_xml=b" " * (2 * 1024 * 1024))
    assert len(bomb) < 100_000
    assert reasons(bomb) == ["too_large"]


def test_a_package_of_countless_parts_is_refused(sound, monkeypatch):
    monkeypatch.setattr(workbook, "PARTS_LIMIT", 20)
    assert reasons(repack(sound, **{f"part{number}": b"" for number in range(20)})) == ["too_large"]


def test_entities_are_not_expanded(sound):
    laughs = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    laughs += b"<worksheet><sheetData><row><c><v>&b;</v></c></row></sheetData></worksheet>"
    assert reasons(repack(sound, xl__worksheets__sheet1_xml=laughs)) == ["workbook_unreadable"]


@pytest.mark.parametrize("part", ["xl__worksheets__sheet1_xml", "xl__workbook_xml", "xl__styles_xml"])
def test_a_file_of_the_machine_cannot_be_drawn_in(sound, part):
    thief = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>'
    assert reasons(repack(sound, **{part: thief})) == ["workbook_unreadable"]


SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">{}</worksheet>'


def cells(*rows: str) -> bytes:
    return SHEET.format("<sheetData>" + "".join(rows) + "</sheetData>").encode()


def test_a_row_at_the_end_of_the_world_costs_nothing(sound):
    """One cell at row 1,048,576: the rows between must not be made up."""
    sheet = cells('<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>x</t></is></c></row>')
    assert "column_missing" in reasons(repack(sound, xl__worksheets__sheet1_xml=sheet))


def test_a_claimed_size_is_not_believed(sound):
    sheet = SHEET.format('<dimension ref="A1:XFD1048576"/><sheetData/>').encode()
    assert "column_missing" in reasons(repack(sound, xl__worksheets__sheet1_xml=sheet))


def test_too_many_rows_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "MOST_ROWS", 2)

    def change(rows, _):
        rows["companies"] = [[f"c{number}", "公司", "Company"] for number in range(4)]

    folder = import_folder.write(tmp_path / "long", change)
    assert "too_large" in reasons((folder / "bank.xlsx").read_bytes())


def test_numbers_beyond_all_bounds_are_refused(sound):
    huge = "9" * 5000
    header = "".join(
        f'<c t="inlineStr"><is><t>{name}</t></is></c>'
        for name in ("code", "name_zh", "name_en", "kind", "area", "host_printer")
    )
    sheet = cells(f"<row>{header}</row>", f"<row><c><v>{huge}</v></c></row>")
    assert set(reasons(repack(sound, xl__worksheets__sheet1_xml=sheet))) & {
        "code_bad",
        "text_expected",
        "workbook_unreadable",
    }


class TestArchive:
    def test_what_is_no_archive_is_refused(self):
        with pytest.raises(BadFile, match="archive_unreadable"):
            ArchiveSource(b"no zip at all")

    def test_names_that_climb_reach_nothing(self, tmp_path):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("../evil.jpg", b"x")
            archive.writestr("photos/../evil.jpg", b"x")
        source = ArchiveSource(out.getvalue())
        for name in ("../evil.jpg", "photos/../evil.jpg", "/etc/passwd"):
            with pytest.raises(BadFile, match="file_name_bad"):
                source.file("photos", name, 1000)
        with pytest.raises(BadFile, match="file_missing"):
            source.file("photos", "evil.jpg", 1000)
        with pytest.raises(BadFile, match="workbook_missing"):
            source.workbook()

    def test_a_file_that_swells_is_cut_off(self):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("photos/big.jpg", bytes(10_000_000))
        with pytest.raises(BadFile, match="file_too_large"):
            ArchiveSource(out.getvalue()).file("photos", "big.jpg", 1000)

    def test_one_file_that_is_named_again_and_again_does_not_fill_the_memory(self, monkeypatch):
        monkeypatch.setattr(sources, "ARCHIVE_ROOM", 100_000)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("photos/big.jpg", bytes(40_000))
        source = ArchiveSource(out.getvalue())
        for _ in range(3):
            assert len(source.file("photos", "big.jpg", 50_000)) == 40_000
        with pytest.raises(BadFile, match="archive_swells"):
            source.file("photos", "big.jpg", 50_000)

    def test_a_damaged_file_is_unreadable(self):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("photos/x.jpg", b"content")
        damaged = out.getvalue().replace(b"content", b"kontent", 1)
        with pytest.raises(BadFile, match="archive_unreadable"):
            ArchiveSource(damaged).file("photos", "x.jpg", 1000)

    @pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_a_file_whose_packing_is_damaged_is_unreadable(self, method):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            archive.writestr("photos/x.jpg", bytes(range(256)) * 4)
        begin = 30 + len("photos/x.jpg")  # behind its local header
        damaged = bytearray(out.getvalue())
        damaged[begin : begin + 40] = b"\xff" * 40
        with pytest.raises(BadFile, match="archive_unreadable"):
            ArchiveSource(bytes(damaged)).file("photos", "x.jpg", 10_000)

    def test_an_archive_for_a_later_program_is_refused(self, sound):
        with pytest.raises(BadFile, match="archive_unreadable"):
            ArchiveSource(of_the_future(sound))

    def test_an_archive_of_countless_files_is_refused(self, monkeypatch):
        monkeypatch.setattr(sources, "ARCHIVE_ENTRIES", 3)
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for number in range(4):
                archive.writestr(f"photos/{number}.jpg", b"")
        with pytest.raises(BadFile, match="too_large"):
            ArchiveSource(out.getvalue())
