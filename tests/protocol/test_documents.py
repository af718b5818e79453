"""docs/protocol.md and docs/protocol.cddl say what the tables of the code say; encoded samples fit them."""

import random
import re
from pathlib import Path

import pycddl
import pytest
import table_checks  # pyright: ignore[reportMissingImports] - conftest.py puts it on the path
from doorward_protocol import cbor, channel, edhoc, errors, messages, objects, prompts, records, schema, trust
from doorward_protocol.advice import ADVICE
from doorward_protocol.suite import run
from doorward_protocol.suite_openssl import OpenSSLSuite

DOCS = Path(__file__).parent.parent.parent / "docs"
CDDL = (DOCS / "protocol.cddl").read_text()
TEXT = (DOCS / "protocol.md").read_text()

DIRECTIONS = {messages.TO_SERVER: "unit → server", messages.TO_UNIT: "server → unit", messages.BOTH: "both"}
PARTS = {**objects.OBJECT_PARTS, **objects.BLOB_PARTS, **records.TABLE.parts}
CDDL_NAMES = {"hash": "sha256", "key": "key64", "nonce": "nonce8", "time": "milliseconds", "unit": "kid8"}
JOURNALLED = "time: milliseconds, clock: clock-state, boot: uint, salt: id16, "


def cddl_type(kind):
    optional = kind.endswith("?")
    kind = kind.removesuffix("?")
    if kind.startswith("["):
        return f"[* {cddl_type(kind[1:-1])}]"
    name = CDDL_NAMES.get(kind, kind if kind in schema.TYPES else f"part-{kind}")
    return f"{name}-or-null" if optional else name


def cddl_fields(specification):
    pairs = (field.split(":") for field in specification.split())
    return ", ".join(f"{name}: {cddl_type(kind)}" for name, kind in pairs)


def expected_rules():
    """The rule of each row, as {rule name: text}, made from the tables."""
    rules = {}
    for name, (code, _, specification) in messages.MESSAGES.items():
        rules[f"message-{name}"] = f"[{code}, {cddl_fields(specification)}]"
    for kind, table in (("object", objects.OBJECTS), ("blob", objects.BLOBS)):
        for name, (code, specification) in table.items():
            rules[f"{kind}-{name}"] = f"[{code}, {cddl_fields(specification)}]"
    for name, (code, specification) in records.RECORDS.items():
        rules[f"record-{name}"] = f"[{code}, {JOURNALLED}fields: [{cddl_fields(specification)}]]"
    for name, specification in PARTS.items():
        rules[f"part-{name}"] = f"[{cddl_fields(specification)}]"
    rules["message"] = " / ".join(f"message-{name}" for name in messages.MESSAGES)
    rules["entry-of-journal"] = " / ".join(f"record-{name}" for name in records.RECORDS)
    for name in objects.OBJECTS:
        rules[f"header-{name}"] = f'{{1: -7, 4: kid8, 16: "doorward/{name}"}}'
    return rules


def written_rules():
    """The rules of docs/protocol.cddl, as {rule name: text}, without comments and line breaks."""
    text = re.sub(r";.*", "", CDDL)
    rules = re.findall(r"^([\w-]+) = (.*?)(?=^[\w-]+ = |\Z)", text, re.MULTILINE | re.DOTALL)
    return {name: " ".join(rule.split()) for name, rule in rules}


@pytest.mark.parametrize("name", expected_rules())
def test_cddl_has_each_row(name):
    assert written_rules().get(name) == expected_rules()[name]


def test_cddl_has_nothing_else():
    basic = {"sha256", "kid8", "nonce8", "id16", "key64", "milliseconds", "clock-state"}
    basic |= {f"{name}-or-null" for name in ("uint", "bytes", "text", "sha256", "nonce8", "id16")}
    framing = {"frame", "frame-header", "signed", "signed-trust", "credential", "cose-key", "bundle-envelope"}
    assert set(written_rules()) == set(expected_rules()) | basic | framing


def fits(rule, data):
    """True if data is valid for the rule."""
    try:
        pycddl.Schema(f"start = {rule}\n{CDDL}").validate_cbor(data)
    except pycddl.ValidationError:
        return False
    return True


def spoiled(data):
    """The same array without its last member, and with another type in the place of each other."""
    array = cbor.decode(data)
    yield cbor.encode(array[:-1])
    for at in range(1, len(array)):
        if array[at] == table_checks.sample("[any]", {}):
            continue  # anything is an array of any for pycddl 0.6
        wrong = "text" if isinstance(array[at], bytes) else -1
        yield cbor.encode([*array[:at], wrong, *array[at + 1 :]])


def samples():
    """(rule, encoded sample) for every message, blob and record."""
    for name in messages.MESSAGES:
        fields = table_checks.sample_row(messages.TABLE, name)
        yield pytest.param(f"message-{name}", messages.encode(name, **fields), id=f"message-{name}")
    for name in objects.BLOBS:
        fields = table_checks.sample_row(objects.BLOB_TABLE, name)
        yield pytest.param(f"blob-{name}", objects.encode_blob(name, **fields), id=f"blob-{name}")
    for name in records.RECORDS:
        fields = table_checks.sample_row(records.TABLE, name)
        entry = records.encode(name, 1700000000000, 1, 3, bytes(16), **fields)
        yield pytest.param(f"record-{name}", entry, id=f"record-{name}")


@pytest.mark.parametrize(("rule", "data"), list(samples()))
def test_samples_fit(rule, data):
    assert fits(rule, data)
    for wrong in spoiled(data):
        assert not fits(rule, wrong), cbor.decode(wrong)


@pytest.fixture(scope="module")
def suite():
    return OpenSSLSuite(random=random.Random(1).randbytes)


@pytest.mark.parametrize("name", objects.OBJECTS)
def test_signed_objects_fit(name, suite):
    private, _ = run(suite.new_key())
    fields = table_checks.sample_row(objects.OBJECT_TABLE, name)
    data = run(objects.sign(suite, private, b"12345678", name, **fields))
    protected, _, payload, _ = cbor.decode(data)
    assert fits("signed", data)
    assert fits(f"header-{name}", protected)
    assert fits(f"object-{name}", payload)
    for other in objects.OBJECTS:
        if other != name:
            assert not fits(f"header-{other}", protected)
            assert not fits(f"object-{other}", payload)
    for wrong in spoiled(payload):
        assert not fits(f"object-{name}", wrong)


def test_trust_frame_and_credential_fit(suite):
    private, public = run(suite.new_key())
    fields = table_checks.sample_row(objects.OBJECT_TABLE, "trust")
    signed = run(trust.sign_trust(suite, [(private, b"12345678")], **fields))
    assert fits("signed-trust", signed)
    assert fits("signed", cbor.decode(signed)[0])
    frame = channel.Channel(suite, bytes(16), bytes(8), "initiator").seal(b"text")
    assert fits("frame", frame)
    assert fits("frame-header", cbor.decode(frame)[0])
    assert not fits("frame", cbor.encode([b"", {5: b"\0"}, b""]))
    assert fits("credential", edhoc.credential(b"12345678", public))
    assert not fits("credential", edhoc.credential(b"1234567", public))


def rows():
    """How the row of each entry must begin in docs/protocol.md."""
    for name, (code, direction, specification) in messages.MESSAGES.items():
        yield f"| {code} | `{name}` | {DIRECTIONS[direction]} | `{specification}` | "
    for name, (code, specification) in {**objects.BLOBS, **records.RECORDS}.items():
        yield f"| {code} | `{name}` | `{specification}` | "
    for name, specification in PARTS.items():
        yield f"| `{name}` | `{specification}` | "
    for code, name in errors.NAMES.items():
        yield f"| {code} | `{name}` | {ADVICE[name]} |"
    for number, name in prompts.PROMPTS.items():
        yield f"| {number} | `{name}` |"


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: row.split("`")[1])
def test_every_row_is_documented(row):
    line = next((line for line in TEXT.splitlines() if line.startswith(row)), None)
    assert line is not None, f"docs/protocol.md lacks: {row}"
    assert line.rstrip(" |").split("| ")[-1], "a row without a meaning"


@pytest.mark.parametrize("name", objects.OBJECTS)
def test_every_object_is_documented(name):
    code, fields = objects.OBJECTS[name]
    assert re.search(
        rf"^\| {code} \| `{name}` \| [^|]+ \| `{re.escape(fields)}` \| [^|]+ \|$", TEXT, re.MULTILINE
    )
