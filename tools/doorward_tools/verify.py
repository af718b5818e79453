"""`doorward verify`: checks an evidence pack on any computer, without the bank's server (F9)."""

import json
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from doorward_tools.server_settings import Language

EXAMPLE = "Example:  doorward verify handover-7.evidence.zip --journal 3f9c…"
_ZH = {
    "records": "单元记录",
    "pictures": "照片",
    "commands": "指令",
    "decisions": "银行的决定",
    "keys": "密钥指纹（请与银行公布的核对）",
    "whole": "全部有效。",
    "broken": "有 {count} 处问题：",
    "other_key": "与所给的指纹不符",
}
_EN = {
    "records": "records of the unit",
    "pictures": "pictures",
    "commands": "commands",
    "decisions": "decisions of the bank",
    "keys": "fingerprints of the keys (compare them with those that the bank has published)",
    "whole": "Everything holds.",
    "broken": "What does not hold ({count}):",
    "other_key": "is not the fingerprint given",
}
_KEYS = ("journal", "dispatch", "unit")
Fingerprint = Annotated[str, typer.Option(help="SHA-256 of this public key, as the bank has published it.")]


def command(
    file: Annotated[Path, typer.Argument(help="The evidence pack.")],
    journal: Fingerprint = "",
    dispatch: Fingerprint = "",
    unit: Fingerprint = "",
    language: Annotated[Language, typer.Option(help="Language of the words.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Verify an evidence pack: signatures, proofs, pictures, the order, and who decided.

    Needs no server and no network. Ends with status 1 when something does not hold, 2 when the file cannot be
    read.
    """
    from doorward_protocol.suite_openssl import OpenSSLSuite
    from doorward_server.evidence import verifier
    from doorward_server.evidence.pack import BadPackError, read

    try:
        pack = read(file.read_bytes())
    except OSError as error:
        _refuse(f"{file} cannot be read: {error.strerror}")
    except BadPackError as error:
        _refuse(f"{file} is no evidence pack: {error}")
    evidence = pack.evidence
    findings = verifier.check(pack, OpenSSLSuite())
    prints = {name: verifier.fingerprint(getattr(evidence, name)) for name in _KEYS}
    wanted = dict(zip(_KEYS, (journal, dispatch, unit), strict=True))
    strange = [name for name in _KEYS if wanted[name] and wanted[name].strip().lower() != prints[name]]
    counts = {
        "records": len(evidence.records),
        "pictures": len(pack.pictures),
        "commands": len(evidence.commands),
        "decisions": len(evidence.decisions),
    }
    if as_json:
        told = [{"what": one.what, "where": one.where} for one in findings]
        said = {"handover": evidence.handover, "keys": prints, "other_keys": strange, "findings": told}
        typer.echo(json.dumps(said | counts))
    else:
        words, column = (_ZH, 0) if language == "zh" else (_EN, 1)
        for name, count in counts.items():
            typer.echo(f"{words[name]}: {count}")
        typer.echo(f"{words['keys']}:")
        for name in _KEYS:
            note = f"  {words['other_key']}" if name in strange else ""
            typer.echo(f"  {name:8} {prints[name]}{note}")
        if findings:
            typer.echo(words["broken"].format(count=len(findings)))
        for one in findings:
            typer.echo(f"  {verifier.FINDINGS[one.what][column]}" + (f" ({one.where})" if one.where else ""))
        if not findings and not strange:
            typer.echo(words["whole"])
    if findings or strange:
        raise typer.Exit(1)


def _refuse(why: str) -> NoReturn:
    typer.echo(f"doorward verify: {why}", err=True)
    raise typer.Exit(2)
