"""The facts about units in words, Chinese or English: for the pages, and for `doorward units`."""

from collections.abc import Callable
from typing import Any

from doorward_server import reasons
from doorward_server.alarms.rules import title
from doorward_server.console.describe import device_name
from doorward_server.console.texts import TEXTS, text
from doorward_server.units.difference import RESTORED
from doorward_server.units.facts import UnitFacts
from doorward_server.units.holdings import Holding
from doorward_server.units.thresholds import GOOD, Aspect, Finding, state_of

# Milliseconds since 1970 UTC → a moment as it is shown.
Moment = Callable[[int], str]


class UnitWords:
    """Words in one language, with moments as the reader's place shows them."""

    def __init__(self, language: str, moment: Moment) -> None:
        self._language = language
        self._moment = moment

    def aspect(self, aspect: Aspect) -> str:
        """What was found about one side of a unit's condition; where something is wrong, that alone."""
        telling = [one for one in aspect.findings if state_of(one) != GOOD] or aspect.findings
        return " · ".join(self._finding(one) for one in telling) or self._t("not_reported")

    def why(self, facts: UnitFacts) -> str:
        """Why the unit does not hold what it should; empty if it does."""
        found = facts.difference
        if found.refusal is not None:
            fields = {"what": found.refusal.what, "reason": found.refusal.reason}
            return self._finding(Finding("refused", 1, fields))
        return self._why(found.why, facts.unit.manifest_version, found.since, found.missing)

    def not_held(self, facts: UnitFacts) -> str:
        """What stands where nothing is known to be at the unit."""
        return self._t("held_unknown" if facts.difference.why == RESTORED else "not_there")

    def why_entry(self, holding: Holding, facts: UnitFacts) -> str:
        """Why one entry is not as it should be; empty if it is."""
        if not holding.differs:
            return ""
        said = [self._t("why_revoked")] if holding.revoked else []
        said += [self._t("why_parts", count=holding.missing_parts)] if holding.missing_parts else []
        return " · ".join([*said, self.why(facts)])

    def _finding(self, finding: Finding) -> str:
        about, key = finding.about, f"measure_{finding.measure}"
        if about.get("never"):
            key += "_never"
        elif state_of(finding) == GOOD and f"{key}_good" in TEXTS:
            key += "_good"
        return self._t(key, **self._fields(finding, about))

    def _fields(self, finding: Finding, about: Any) -> dict[str, Any]:
        fields = {**about, "value": finding.value or 0}
        for name in ("since", "until"):
            if about.get(name) is not None:
                fields[name] = self._moment(about[name])
        if "why" in about:
            fields["why"] = self._why(about["why"], about["version"], about["since"], about["missing"])
        if "what" in about:
            fields["what"] = self._t(f"refused_{about['what']}")
        if "offset" in about:
            fields["seconds"] = f"{round(about['offset'] / 1000, 1) + 0.0:+.1f}"  # never "-0.0"
        if "rule" in about:
            fields["fault"] = title(about["rule"], self._language)
        if "part" in about:
            fields["part"] = device_name(about["part"], self._language)
        if "reason" in about:
            fields["reason"] = reasons.phrase(about["reason"], self._language)
        if about.get("test"):
            fields["reason"] = self._t("self_test_failed")
        if "reason" in fields:
            colon = "：" if self._language == "zh" else ": "
            fields["fault"] = colon.join(word for word in (fields.get("part", ""), fields["reason"]) if word)
        return fields

    def _why(self, why: str, version: int, since: int | None, missing: int) -> str:
        if not why:
            return ""
        moment = "" if since is None else self._moment(since)
        return self._t(f"why_{why}", version=version, since=moment, missing=missing)

    def _t(self, key: str, **fields: object) -> str:
        return text(key, self._language, **fields)
