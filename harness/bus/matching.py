"""The rules of one bus, asked with one event.

Each clause of a pattern is filed under one (path, value) that it cannot match without, if it has one; an event looks
up its own values and tries only what it finds there, and the clauses that have none.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from harness.bus.fields import Key, flatten
from harness.bus.model import Rule
from harness.bus.pattern import Clause, Condition, clause_matches

_Filed = list[tuple[int, Clause]]


class RuleSet:
    """Immutable; a change of rules makes a new one."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = tuple(rule for rule in rules if rule.enabled)
        clauses = [
            (number, clause)
            for number, rule in enumerate(self.rules)
            if rule.pattern is not None
            for clause in rule.pattern.clauses
        ]
        self._steps = frozenset(
            step for _, clause in clauses for condition in clause for step in condition.path.split(".")
        )
        self._by_value: dict[str, dict[Key, _Filed]] = {}
        self._always: _Filed = []
        for number, clause in clauses:
            self._file(number, clause)

    def matching(self, event: Mapping[str, Any]) -> list[Rule]:
        """In the order in which the rules were given; each at most once."""
        fields = flatten(event, self._steps)
        found: set[int] = set()
        candidates = [self._always]
        for path, values in self._by_value.items():
            candidates += [values[key] for _, key, _ in fields.get(path, ()) if key in values]
        for filed in candidates:
            for number, clause in filed:
                if number not in found and clause_matches(clause, fields):
                    found.add(number)
        return [self.rules[number] for number in sorted(found)]

    def _file(self, number: int, clause: Clause) -> None:
        condition = min(filter(_only_values, clause), key=_spread, default=None)
        if condition is None:
            self._always.append((number, clause))
            return
        values = self._by_value.setdefault(condition.path, {})
        for key in condition.keys:
            values.setdefault(key, []).append((number, clause))


def _only_values(condition: Condition) -> bool:
    return not condition.matchers and not condition.absent


def _spread(condition: Condition) -> tuple[bool, int, str]:
    """Prefers the detail's own fields over `source`, which many rules share, and few values over many."""
    return (condition.path == "source", len(condition.keys), condition.path)
