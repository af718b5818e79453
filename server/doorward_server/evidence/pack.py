"""The file of an evidence pack: a zip with `evidence.json`, pictures by their hash, report, and a note.

Reading one is bounded: whoever verifies it has it from a stranger.
"""

import io
import zipfile
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, PlainSerializer, ValidationError

from doorward_server import zips

FORMAT = "doorward-evidence-1"
CONTENT, REPORT, NOTE, PICTURES = "evidence.json", "report.pdf", "README.txt", "pictures/"
MOST_MEMBERS = 1000
MOST_BYTES = 64 * 1024 * 1024  # of all members together, unpacked
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)  # the same content gives the same file

Hex = Annotated[
    bytes,
    BeforeValidator(lambda value: bytes.fromhex(value) if isinstance(value, str) else value),
    PlainSerializer(lambda value: value.hex(), return_type=str),
]
Number = Annotated[int, Field(ge=0, le=2**63 - 1)]

_NOTE = """\
Doorward: evidence of one handover / 一次交接的证据包

evidence.json   the unit's signed records with their proofs, the order that two people released, commands,
                and the decisions of the bank that belong to it; bytes in hexadecimal
                单元签名的记录及其证明、两人发布的任务单、指令，以及银行的相关决定（十六进制）
pictures/       taken at the door, named by their SHA-256 / 现场照片，以 SHA-256 命名
report.pdf      the report for people to read; what is proved stands in evidence.json
                供阅读的交接报告；以 evidence.json 为准

Verify it on any computer, without the bank's server / 无需银行服务器即可校验:

    doorward verify FILE

It prints the fingerprints of the keys: compare them with those that the bank has published.
请将其显示的密钥指纹与银行公布的指纹核对。
"""


class BadPackError(Exception):
    """The file is no evidence pack; the text says why."""


class Key(BaseModel):
    """A P-256 public key, x||y, under its 8-byte name."""

    kid: Hex
    public: Hex


class RecordLeaf(BaseModel):
    """A leaf of the unit's journal: its place, its proof (RFC 6962 §2.1.1) and what it says.

    `entry` is None where that was deleted, or belongs to another handover and is nobody's business here.
    """

    index: Number
    leaf_hash: Hex
    entry: Hex | None
    path: list[Hex]


class DecisionLeaf(RecordLeaf):
    """A decision in the server's journal, proved to be the last leaf under the head signed with it."""

    head: Hex


class Evidence(BaseModel):
    """All of a pack but pictures and report. Times in ms since 1970 UTC.

    `names` is for people to read, by kind and number; nothing proves it but the decisions.
    """

    format: str = FORMAT
    made: Number
    handover: Number
    unit: Key
    dispatch: Key
    journal: Key
    head: Hex
    receipt: Hex
    records: list[RecordLeaf]
    manifest: Hex | None
    order: Hex | None
    commands: list[Hex]
    decisions: list[DecisionLeaf]
    names: dict[str, dict[str, str]]


class Pack(BaseModel):
    """A whole pack; `pictures` by their SHA-256 in hexadecimal."""

    evidence: Evidence
    pictures: dict[str, bytes]
    report: bytes


def write(pack: Pack) -> bytes:
    """The file of a pack."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, NOTE, _NOTE.encode())
        _add(archive, CONTENT, pack.evidence.model_dump_json(indent=1).encode())
        _add(archive, REPORT, pack.report)
        for name, content in sorted(pack.pictures.items()):
            _add(archive, f"{PICTURES}{name}.jpg", content)
    return file.getvalue()


def read(content: bytes) -> Pack:
    """The pack in a file. Raises BadPackError."""
    try:
        with zips.opened(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS or sum(one.file_size for one in members) > MOST_BYTES:
                raise BadPackError("it is too large for an evidence pack")
            found = {one.filename: _content(archive, one) for one in members}
    except zips.DamagedZipError as error:
        raise BadPackError(f"it cannot be unpacked ({error})") from error
    if CONTENT not in found:
        raise BadPackError(f"{CONTENT} is missing")
    try:
        evidence = Evidence.model_validate_json(found[CONTENT])
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        raise BadPackError(f"{CONTENT} is not as it should be, at {where or 'its beginning'}") from error
    if evidence.format != FORMAT:
        raise BadPackError(f"its format is {evidence.format[:40]!r}; this program knows {FORMAT}")
    pictures = {
        name.removeprefix(PICTURES).removesuffix(".jpg"): data
        for name, data in found.items()
        if name.startswith(PICTURES)
    }
    return Pack(evidence=evidence, pictures=pictures, report=found.get(REPORT, b""))


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    member = zipfile.ZipInfo(name, _FIRST_DAY)
    member.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(member, content)


def _content(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """A member's content; no more of it than its entry says."""
    with archive.open(member) as opened:
        return opened.read(member.file_size)
