"""Photos and templates of an import: names reach nothing but the files beside the workbook."""

import import_folder
import pytest
from doorward_server.importing import service
from import_folder import cell


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "bank"


def found(services, folder):
    with services.database.writing() as session:
        return [one.reason for one in service.import_folder(session, folder).findings]


@pytest.mark.parametrize(
    "name",
    [
        "../secret.jpg",
        "/etc/passwd",
        "..",
        "photos/../../secret.jpg",
        "a/b.jpg",
        "a\\b.jpg",
        ".hidden",
        "C:x.jpg",
        "e001.jpg ",
        "x.jpg.",
    ],
)
def test_a_name_is_a_bare_name(services, folder, name):
    import_folder.write(folder, cell("people", 0, "photo", name))
    (folder.parent / "secret.jpg").write_bytes(import_folder.photo("JPEG"))
    reason = "" if name == "e001.jpg " else "file_name_bad"
    assert found(services, folder) == [reason] * bool(reason)


def test_a_link_that_leads_elsewhere_is_refused(services, folder):
    import_folder.write(folder)
    secret = folder.parent / "secret.jpg"
    secret.write_bytes(import_folder.photo("JPEG"))
    (folder / "photos" / "e001.jpg").unlink()
    (folder / "photos" / "e001.jpg").symlink_to(secret)
    assert found(services, folder) == ["file_name_bad"]


def test_a_missing_file_is_named(services, folder):
    import_folder.write(folder)
    (folder / "fingers" / "e001-1.fpt").unlink()
    assert found(services, folder) == ["file_missing"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xd8 no picture", "photo_bad"),
        (b"", "photo_bad"),
        (b"GIF89a" + bytes(100), "photo_bad"),
        (import_folder.photo("JPEG", (10, 10)), "photo_bad"),
        (import_folder.photo("PNG", (5000, 70)), "photo_bad"),
        (import_folder.photo("JPEG")[:-200], "photo_bad"),
        (bytes(2 * 1024 * 1024 + 1), "file_too_large"),
    ],
)
def test_a_photo_is_a_photo(services, folder, content, reason):
    import_folder.write(folder)
    (folder / "photos" / "e001.jpg").write_bytes(content)
    assert found(services, folder) == [reason]


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "template_bad"), (bytes(8 * 1024 + 1), "file_too_large")]
)
def test_a_template_has_a_sensible_size(services, folder, content, reason):
    import_folder.write(folder)
    (folder / "fingers" / "e001-1.fpt").write_bytes(content)
    assert found(services, folder) == [reason]
