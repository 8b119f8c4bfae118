"""The rules of one bus while they change: what has changed lately lies over an index of all, which is seldom made anew.

Making an index costs as much as there are rules; a change among thousands costs what the few changed ones do.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from harness.bus.matching import RuleSet
from harness.bus.model import Rule

MOST_CHANGED = 128


class RuleLayers:
    """Names are unique; the order of what matches is that of the names."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._all = {rule.name: rule for rule in rules}
        self._below = RuleSet(self._all.values())
        self._changed: set[str] = set()
        self._above: RuleSet | None = None

    def change(self, name: str, rule: Rule | None) -> None:
        """None: it is gone."""
        self._all.pop(name, None)
        if rule is not None:
            self._all[name] = rule
        self._changed.add(name)
        self._above = None
        if len(self._changed) > MOST_CHANGED:
            self._below = RuleSet(self._all.values())
            self._changed.clear()

    def named(self, name: str) -> Rule | None:
        """Of those that match at all: a disabled rule is not there."""
        rule = self._all.get(name)
        return rule if rule is not None and rule.enabled else None

    def matching(self, event: Mapping[str, Any]) -> list[Rule]:
        found = self._below.matching(event)
        if self._changed:
            if self._above is None:
                self._above = RuleSet(self._all[name] for name in self._changed if name in self._all)
            found = [rule for rule in found if rule.name not in self._changed] + self._above.matching(event)
        return sorted(found, key=lambda rule: rule.name)
