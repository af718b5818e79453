"""What must come true at the centre: on its wall, in records, pictures and print-outs (`expect: NAME`)."""

import hashlib

from .desk import DeskError
from .scenario_checks import EXPECT, SOON, Asked, Check, in_words, matches, value_of
from .scenario_loader import duration
from .stage import CLOCKS_DIFFER, HEARD_WITHIN, WATCHER, Stage


@EXPECT
def ready(stage: Stage, unit: str | None = None, within: str = "5min") -> Check:
    """The unit is connected and holds everything that its manifest lists."""
    asked = Asked(stage, lambda: stage.unit_row(unit))

    def holds() -> bool:
        row = asked.answer()
        if not row["online"] or row["difference"]:
            return False
        stage.ready_at.setdefault(stage.unit(unit).name, stage.world.now())
        return True

    return Check(holds, lambda: f"the server says {asked.last}", duration(within))


@EXPECT
def heard(
    stage: Stage,
    kind: str,
    spoken: bool | None = None,
    unit: str | None = None,
    within: str = f"{HEARD_WITHIN}ms",
) -> Check:
    """The centre's live view told the newest record of this kind at most `within` after the unit wrote it;
    `spoken`: with or without a sentence for the loudspeaker."""
    code, limit = stage.unit(unit).name, duration(within)
    wrote = [entry.record.time for entry in stage.entries(code) if entry.record.name == kind]
    earliest = -CLOCKS_DIFFER if stage.world.clock.realtime else 0
    state = {"why": "the unit has no such record"}

    def holds() -> bool:
        for moment, event in stage.told(code, kind):
            late = stage.world.clock.epoch + moment - wrote[-1] if wrote else earliest - 1
            if late >= earliest:
                state["why"] = f"told {late} ms after the record, speech: {bool(event.get('speech'))}"
            if earliest <= late <= limit and spoken in (None, bool(event.get("speech"))):
                return True
        return False

    return Check(holds, lambda: state["why"], limit)


@EXPECT
def handover(
    stage: Stage, state: str, having: dict | None = None, unit: str | None = None, within: str = SOON
) -> Check:
    """The server's newest handover at the unit's site has this state and these fields."""
    wanted = {name: value_of(stage, name, value) for name, value in (having or {}).items()}
    asked = Asked(stage, lambda: (stage.handovers(unit) or [{}])[-1])

    def holds() -> bool:
        row = asked.answer()
        return row.get("state") == state and matches(row, wanted)

    return Check(holds, lambda: f"the server's newest handover is {in_words(asked.last)}", duration(within))


@EXPECT
def alarm(
    stage: Stage,
    rule: str,
    severity: str | None = None,
    saying: dict | None = None,
    times: int | str = 1,
    unit: str | None = None,
    within: str = SOON,
) -> Check:
    """The centre has this alarm, so often (or `any`). One that no step expects is an error."""
    stage.expected_alarms.add(rule)
    site = stage.preparation.sites[stage.unit(unit).name]
    asked = Asked(stage, stage.alarms)

    def holds() -> bool:
        found = [row for row in asked.answer() if row["rule"] == rule and row["site"] == site]
        return (
            bool(found)
            and times in ("any", len(found))
            and all(
                severity in (None, row["severity"]) and (saying or {}).items() <= row["details"].items()
                for row in found
            )
        )

    return Check(
        holds,
        lambda: f"alarms: {[(row['rule'], row['severity'], row['details']) for row in asked.last]}",
        duration(within),
    )


@EXPECT
def no_alarm(stage: Stage) -> Check:
    """Up to now the centre has no alarm at all (S11)."""
    found = [row["rule"] for row in stage.alarms()]
    return Check(lambda: not found, lambda: f"alarms: {', '.join(found)}", 0)


@EXPECT
def stored(stage: Stage, unit: str | None = None, within: str = SOON) -> Check:
    """The server holds every leaf of the unit, byte for byte, none lost and none twice."""
    code = stage.unit(unit).name

    def here() -> list[tuple[int, int, bytes]]:
        return [(entry.epoch, entry.index, entry.content) for entry in stage.entries(code)]

    asked = Asked(stage, lambda: [leaf[:3] for leaf in stage.stored_leaves(code)])

    def missing() -> str:
        there = asked.last
        lost = [leaf[:2] for leaf in here() if leaf not in there]
        return f"unit {len(here())} leaves, server {len(there)}; not there: {lost[:5]}"

    return Check(lambda: asked.answer() == here(), missing, duration(within))


@EXPECT
def picture(stage: Stage, kind: str, unit: str | None = None, within: str = SOON) -> Check:
    """The picture that the newest record of this kind names is at the centre, a JPEG with that hash."""
    named = [entry.record.fields["picture"] for entry in stage.entries(unit) if entry.record.name == kind]
    state = {"why": "the record names no picture"}

    def fetch() -> bool:
        if not named or named[-1] is None:
            return False
        try:
            content = stage.desk(WATCHER).download(f"/api/pictures/{named[-1].hex()}")
        except DeskError as error:
            state["why"] = str(error)
            return False
        return content[:2] == b"\xff\xd8" and hashlib.sha256(content).digest() == named[-1]

    asked = Asked(stage, fetch)
    return Check(asked.answer, lambda: state["why"], duration(within))


@EXPECT
def online(stage: Stage, state: bool = True, unit: str | None = None, within: str = "2min") -> Check:
    """The server sees the unit as connected, or not."""
    asked = Asked(stage, lambda: stage.unit_row(unit))
    return Check(
        lambda: asked.answer()["online"] is state, lambda: f"the server says {asked.last}", duration(within)
    )


@EXPECT
def report(stage: Stage, unit: str | None = None, within: str = SOON) -> Check:
    """The report of the newest handover has been printed by itself."""
    asked = Asked(stage, lambda: stage.printed(unit))
    return Check(lambda: bool(asked.answer()), lambda: "nothing was printed", duration(within))
