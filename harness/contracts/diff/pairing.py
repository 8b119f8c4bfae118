"""What every comparison is given: both contracts, the place, and how a finding is made of a rule."""

import json
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from harness.contracts.contract import Contract, Part
from harness.contracts.diff.rules import RULES
from harness.contracts.diff.sameness import Sameness
from harness.contracts.finding import Example, Finding, Level, Place
from harness.contracts.schemas import Location


@dataclass(frozen=True, slots=True)
class Pairing:
    """`place` is where the comparison is; `notice_days` what a new sunset must leave."""

    old: Contract
    new: Contract
    place: Place
    today: date
    sameness: Sameness
    notice_days: int = 0

    def at(self, **changed: Any) -> "Pairing":
        return replace(self, place=replace(self.place, **changed))

    def same(self, old: Part, new: Part) -> bool:
        """Whether two parts say the same, with all that they refer to."""
        return self.sameness.same(old.named, new.named)

    def finding(
        self,
        rule: str,
        old: Location | None,
        new: Location | None,
        *,
        level: Level | None = None,
        example: Example | None = None,
        reason: str = "",
        **words: object,
    ) -> Finding:
        known = RULES[rule]
        return Finding(
            rule=rule,
            level=known.level if level is None else level,
            place=self.place,
            text=known.text.format(**words),
            old=self.old.source(old),
            new=self.new.source(new),
            example=example,
            reason=reason,
        )


def shown(value: Any, *, otherwise: str = "nothing") -> str:
    """A value of a contract for people: JSON, shortened, types in words."""
    if value is None:
        return otherwise
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value) and len(value) <= 3:
        return " or ".join(value) if otherwise == _ANYTHING else json.dumps(value, ensure_ascii=False)
    text = value if isinstance(value, str) and otherwise == _ANYTHING else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "…"


_ANYTHING = "anything"


def types_shown(value: Any) -> str:
    return shown(value, otherwise=_ANYTHING)
