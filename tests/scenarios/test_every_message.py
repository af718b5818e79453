"""Every message of a day, and all that is in it, fits docs/protocol.cddl; pycddl judges.

The days are played with a tap on the server's end of the channel. What they do not bring is made from the
tables, so that no message, object, record or blob is left out; the lists of both are held to the tables.
"""

import sys
from functools import cache
from pathlib import Path
from random import Random

import pycddl
import pytest
from doorward_protocol import cbor, messages, objects, records
from doorward_protocol.suite import run
from doorward_protocol.suite_openssl import OpenSSLSuite
from doorward_simulator import scenario
from doorward_tools import scenario as command
from doorward_tools.fuzzing import samples
from doorward_tools.prepare import prepare

CDDL = (Path(__file__).parent.parent.parent / "docs" / "protocol.cddl").read_text()
SERVER = Path(__file__).with_name("tapped_server.py")
# A good day, and one of a unit that holds nothing yet and has to fetch it all.
DAYS = ("delivery", "first-connection")
WAYS = {"sent": messages.TO_UNIT, "received": messages.TO_SERVER}


@cache
def schema(rule):
    return pycddl.Schema(f"start = {rule}\n{CDDL}")


def misfit(rule, data):
    """What pycddl says against data, or nothing. Rules are asked one by one: in a choice between ten arrays
    pycddl 0.6 adds up the complaints of those that were not meant."""
    try:
        schema(rule).validate_cbor(data)
    except pycddl.ValidationError as error:
        return f"{rule}: {error}: {data[:80].hex()}"
    return None


class Judge:
    """Holds messages and what is in them against the CDDL; `seen` are the names that occurred."""

    def __init__(self):
        self.problems, self.seen = [], set()

    def _hold(self, rule, data):
        self.seen.add(rule)
        if (problem := misfit(rule, data)) is not None:
            self.problems.append(problem)

    def message(self, plaintext, direction):
        name, fields = messages.decode(plaintext, direction)
        self._hold(f"message-{name}", plaintext)
        if name == "record":
            self.record(fields["entry"])
        elif name == "head":
            self.signed(fields["object"], "head")
        elif name == "stored":
            self.signed(fields["object"], "receipt")
        elif name == "object" and fields["kind"] != "trust":
            self.signed(fields["object"], fields["kind"])

    def record(self, entry):
        self._hold(f"record-{records.decode(entry).name}", entry)

    def signed(self, data, kind):
        protected, _, payload, _ = cbor.decode(data)
        self._hold("signed", data)
        self._hold(f"header-{kind}", protected)
        self._hold(f"object-{kind}", payload)

    def blob(self, name, content):
        self._hold(f"blob-{name}", content)


def whole_blobs(taken):
    """{hash: content} of the blobs that went to the unit in full."""
    parts, total = {}, {}
    for fields in taken:
        total[fields["hash"]] = fields["total"]
        parts.setdefault(fields["hash"], {})[fields["offset"]] = fields["data"]
    contents = {name: b"".join(pieces[at] for at in sorted(pieces)) for name, pieces in parts.items()}
    return {name: content for name, content in contents.items() if len(content) == total[name]}


def judge_day(name, folder, common):
    """Play a day with a tap and judge all that went both ways, and the unit's whole journal."""
    chosen = command.load_scenario(name)
    settings = {**command.QUICK, **chosen.settings}
    day = (chosen.seed, chosen.begins, chosen.units, chosen.plan)
    preparation = prepare(folder, *day, settings, commissioned=chosen.commissioned, cache=common)
    tape = folder / "tape.txt"
    server = [sys.executable, str(SERVER), "--tape", str(tape), "--data", str(preparation.data)]
    with scenario.Stage(chosen, preparation, server, folder / "world") as stage:
        report = scenario.Runner(chosen).play(stage)
        journal = [entry.content for code in chosen.units for entry in stage.entries(code)]
    assert report.passed, report.problems
    judge, listed, blobs = Judge(), {}, []
    for line in tape.read_text().splitlines():
        way, text = line.split()
        plaintext = bytes.fromhex(text)
        judge.message(plaintext, WAYS[way])
        kind, fields = messages.decode(plaintext)
        if (way, kind) == ("sent", "blob"):
            blobs.append(fields)
        elif kind == "object" and fields["kind"] == "manifest":
            manifest = objects.payload_fields("manifest", cbor.decode(fields["object"])[2])
            listed.update({entry[3]: entry[0] for entry in manifest["entries"]})
    for entry in journal:
        judge.record(entry)
    names = {
        objects.ROSTER: "roster",
        objects.ORDER: "order",
        objects.CONFIGURATION: "configuration",
        objects.PROMPTS: "prompts",
    }
    for hash_, content in whole_blobs(blobs).items():
        if hash_ in listed:
            judge.blob(names[listed[hash_]], content)
    return judge


@pytest.fixture(scope="module")
def days(tmp_path_factory, cache):
    """What the judge saw of each day."""
    return {name: judge_day(name, tmp_path_factory.mktemp(name), cache) for name in DAYS}


@pytest.mark.parametrize("name", DAYS)
def test_all_of_a_day_fits(name, days):
    assert days[name].problems == []


def all_rules():
    """Every rule that a message or its content must fit, from the tables."""
    rules = {f"message-{name}" for name in messages.MESSAGES} | {f"record-{name}" for name in records.RECORDS}
    rules |= {f"object-{name}" for name in objects.OBJECTS} | {f"blob-{name}" for name in objects.BLOBS}
    return rules


# What two days bring at least; the rest is only made. A message that no day sends any more is missed here.
OF_A_DAY = {f"message-{name}" for name in messages.MESSAGES} - {"message-refused"}
OF_A_DAY |= {"object-manifest", "object-command", "object-head", "object-receipt"}
OF_A_DAY |= {f"record-{name}" for name in ("boot", "vehicle", "finger", "crew", "approval", "door")}
OF_A_DAY |= {f"record-{name}" for name in ("boxes", "closed", "left")}
OF_A_DAY |= {"blob-roster", "blob-order", "blob-configuration", "blob-prompts"}


def test_days_bring_what_they_should(days):
    seen = set().union(*(judge.seen for judge in days.values()))
    assert seen >= OF_A_DAY


@pytest.mark.parametrize("seed", range(3))
def test_nothing_is_left_out(seed, days):
    """What the days did not bring, and what they did, made from the tables with any values that may occur."""
    judge, rng = Judge(), Random(seed)
    suite = OpenSSLSuite(random=rng.randbytes)
    private, _ = run(suite.new_key())
    for name, (_, direction, _) in messages.MESSAGES.items():
        if name in ("record", "head", "stored", "object"):  # with true content below
            continue
        judge.message(messages.encode(name, **samples.row(messages.TABLE, name, rng)), direction)
    for name in records.RECORDS:
        fields = samples.row(records.TABLE, name, rng)
        entry = records.encode(name, samples.uint(rng), rng.randrange(2), 1, rng.randbytes(16), **fields)
        judge.message(messages.encode("record", epoch=1, index=0, entry=entry), messages.TO_SERVER)
    for name in objects.OBJECTS:
        fields = samples.row(objects.OBJECT_TABLE, name, rng)
        data = run(objects.sign(suite, private, b"12345678", name, **fields))
        judge.signed(data, name)
        carrier = {"head": "head", "receipt": "stored"}.get(name, "object")
        kind = {"kind": name} if carrier == "object" else {}
        judge.message(messages.encode(carrier, object=data, **kind), messages.BOTH)
    for name in objects.BLOBS:
        fields = samples.row(objects.BLOB_TABLE, name, rng)
        judge.blob(name, objects.encode_blob(name, **fields))
    assert judge.problems == []
    assert judge.seen >= all_rules()


def test_the_judge_says_no():
    """A message with a wrong member, in the place of one that fits, is a problem."""
    judge = Judge()
    judge._hold("message-time", cbor.encode([8, None, 1]))
    assert judge.problems == []
    judge._hold("message-time", cbor.encode([8, b"short", 1]))
    judge._hold("record-left", cbor.encode([19, 1, 2, 3, bytes(16), [1, bytes(8)]]))
    assert len(judge.problems) == 2
