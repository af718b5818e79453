"""`doorward verify`: checks what was taken away from a server, on any computer (F8, F9).

An evidence pack of one handover, or the whole journal of decisions, also against an earlier copy of it.
"""

import json
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NoReturn

import typer

from doorward_tools.server_settings import Language

EXAMPLE = "Example:  doorward verify handover-7.evidence.zip --journal 3f9c…"
_WORDS = {
    "records": ("单元记录", "records of the unit"),
    "pictures": ("照片", "pictures"),
    "commands": ("指令", "commands"),
    "decisions": ("银行的决定", "decisions of the bank"),
    "keys": ("密钥指纹（请与银行公布的核对）", "fingerprints of the keys (compare with those published)"),
    "whole": ("全部有效。", "Everything holds."),
    "broken": ("有 {count} 处问题：", "What does not hold ({count}):"),
    "other_key": ("与所给的指纹不符", "is not the fingerprint given"),
}
_ZIP = b"PK"
_KEYS = ("journal", "dispatch", "unit")


class Verdict(NamedTuple):
    """What a file holds, whose keys it bears, and what is wrong: a word, a place, both languages."""

    counts: dict[str, int]
    keys: dict[str, str]
    findings: list[tuple[str, str, tuple[str, str]]]


def command(
    file: Annotated[Path, typer.Argument(help="An evidence pack, or a journal of decisions.")],
    journal: Annotated[str, typer.Option(help="Published fingerprint (SHA-256) of the journal's key.")] = "",
    dispatch: Annotated[str, typer.Option(help="Published fingerprint of the dispatch key.")] = "",
    unit: Annotated[str, typer.Option(help="Published fingerprint of the unit's key.")] = "",
    earlier: Annotated[
        Path | None, typer.Option(help="An earlier copy of the journal, that this one has to go on from.")
    ] = None,
    language: Annotated[Language, typer.Option(help="Language of the words.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Verify an evidence pack or a journal of decisions: signatures, proofs, pictures, who decided.

    Needs no server and no network. Ends with status 1 when something does not hold, 2 when the file cannot be
    read.
    """
    try:
        with file.open("rb") as opened:
            is_pack = opened.read(len(_ZIP)) == _ZIP
        verdict = _of_pack(file) if is_pack else _of_journal(file, earlier)
    except OSError as error:
        _refuse(f"{error.filename or file} cannot be read: {error.strerror}")
    wanted: dict[str, str] = {"journal": journal, "dispatch": dispatch, "unit": unit}
    strange = [
        name for name, key in verdict.keys.items() if wanted[name] and wanted[name].strip().lower() != key
    ]
    if as_json:
        told = [{"what": what, "where": where} for what, where, _ in verdict.findings]
        said: dict[str, Any] = {"keys": verdict.keys, "other_keys": strange, "findings": told}
        typer.echo(json.dumps(verdict.counts | said))
    else:
        _show(verdict, strange, 0 if language == "zh" else 1)
    if verdict.findings or strange:
        raise typer.Exit(1)


def _of_pack(file: Path) -> Verdict:
    from doorward_protocol.suite_openssl import OpenSSLSuite
    from doorward_server.evidence import verifier
    from doorward_server.evidence.pack import BadPackError, read

    try:
        pack = read(file.read_bytes())
    except BadPackError as error:
        _refuse(f"{file} is no evidence pack: {error}")
    evidence = pack.evidence
    counts = {
        "handover": evidence.handover,
        "records": len(evidence.records),
        "pictures": len(pack.pictures),
        "commands": len(evidence.commands),
        "decisions": len(evidence.decisions),
    }
    findings = verifier.check(pack, OpenSSLSuite())
    return Verdict(
        counts,
        {name: verifier.fingerprint(getattr(evidence, name).public) for name in _KEYS},
        [(one.what, one.where, verifier.FINDINGS[one.what]) for one in findings],
    )


def _of_journal(file: Path, earlier: Path | None) -> Verdict:
    from doorward_protocol.suite_openssl import OpenSSLSuite
    from doorward_server.audit import verifier
    from doorward_server.audit.export import BadJournalError, read
    from doorward_server.evidence.verifier import fingerprint

    known, count = None, 0
    try:
        if earlier is not None:
            with earlier.open("rb") as opened:
                for leaf in read(opened)[1]:
                    known = leaf.head
        with file.open("rb") as opened:
            key, leaves = read(opened)

            def counted():
                nonlocal count
                for leaf in leaves:
                    count += 1
                    yield leaf

            findings = verifier.check(counted(), OpenSSLSuite(), key.kid, key.public, known)
    except BadJournalError as error:
        _refuse(f"{file} is neither an evidence pack nor a journal of decisions: {error}")
    return Verdict(
        {"decisions": count},
        {"journal": fingerprint(key.public)},
        [(one.what, f"#{one.position}", verifier.FINDINGS[one.what]) for one in findings],
    )


def _show(verdict: Verdict, strange: list[str], column: int) -> None:
    for name, count in verdict.counts.items():
        if name in _WORDS:
            typer.echo(f"{_WORDS[name][column]}: {count}")
    typer.echo(f"{_WORDS['keys'][column]}:")
    for name, key in verdict.keys.items():
        note = f"  {_WORDS['other_key'][column]}" if name in strange else ""
        typer.echo(f"  {name:8} {key}{note}")
    if verdict.findings:
        typer.echo(_WORDS["broken"][column].format(count=len(verdict.findings)))
    for _, where, words in verdict.findings:
        typer.echo(f"  {words[column]}" + (f" ({where})" if where else ""))
    if not verdict.findings and not strange:
        typer.echo(_WORDS["whole"][column])


def _refuse(why: str) -> NoReturn:
    typer.echo(f"doorward verify: {why}", err=True)
    raise typer.Exit(2)
