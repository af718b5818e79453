"""The file of an evidence pack, from a stranger: read or refused; what `doorward verify` says of it (F9)."""

import hashlib
import io
import json
import random
import zipfile
from contextlib import suppress

import pytest
from doorward_protocol.suite_openssl import OpenSSLSuite
from doorward_server.evidence import verifier
from doorward_server.evidence.pack import BadPackError, read, write
from doorward_server.units import authority
from doorward_tools.main import app
from evidence_case import changed, with_record
from typer.testing import CliRunner


def zipped(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no zip",
        zipped(),
        zipped(**{"evidence.json": b"{"}),
        zipped(**{"evidence.json": b"[]"}),
        zipped(**{"evidence.json": json.dumps({"format": "doorward-evidence-1", "made": -1}).encode()}),
        zipped(**{"evidence.json": bytes(65 * 1024 * 1024)}),
        zipped(**{f"pictures/{number}.jpg": b"" for number in range(1001)}),
    ],
)
def test_what_is_no_pack_is_refused(content):
    with pytest.raises(BadPackError):
        read(content)


def test_a_pack_of_a_later_format_or_cut_short_is_refused(made, content):
    with pytest.raises(BadPackError, match="its format is"):
        read(write(changed(made, format="doorward-evidence-9")))
    for size in (10, len(content) // 2, len(content) - 1):
        with pytest.raises(BadPackError):
            read(content[:size])


def test_a_damaged_file_is_refused_or_found_out_whatever_bits_differ(content):
    chance = random.Random(1)
    for _ in range(400):
        damaged = bytearray(content)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        with suppress(BadPackError):
            verifier.check(read(bytes(damaged)), OpenSSLSuite())


@pytest.mark.shows("F9")
def test_the_command_says_what_holds_and_whose_keys_they_are(content, made, tmp_path, services):
    file = tmp_path / "pack.zip"
    file.write_bytes(content)
    key = hashlib.sha256(authority.dispatch_key(services).public).hexdigest()

    def run_it(*arguments: str):
        return CliRunner().invoke(app, ["verify", str(file), *arguments])

    said = run_it("--dispatch", key.upper())
    assert (said.exit_code, "Everything holds." in said.output, key in said.output) == (0, True, True)
    assert "全部有效" in run_it("--language", "zh").output
    other = run_it("--journal", key)
    assert (other.exit_code, "is not the fingerprint given" in other.output) == (1, True)
    file.write_bytes(write(with_record(made, 1, entry=b"")))
    wrong = run_it()
    assert wrong.exit_code == 1
    assert "a record is not what its hash says (1)" in wrong.output
    told = json.loads(run_it("--json").output)
    assert told["findings"] == [{"what": "record_changed", "where": "1"}]
    assert told["records"] == len(made.evidence.records)
    file.write_bytes(b"no zip")
    assert run_it().exit_code == 2
    file.unlink()
    assert run_it().exit_code == 2
