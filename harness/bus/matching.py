"""The rules of one bus, asked with one event: its cost hardly grows with the number of rules.

Each clause of a pattern is filed under one of its conditions, by what that condition's values have in common (a value,
a beginning, a range, …): the one that shares its place with the fewest other clauses. An event looks up its own values
and tries only the clauses that it finds there, and those that can be filed nowhere: what asks for absence alone.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harness.bus.model import Rule
from harness.bus.patterns.clauses import Clause, Condition, clause_matches
from harness.bus.patterns.fields import Fields, FieldValues, Paths, flatten
from harness.bus.patterns.handles import Asking, Handle, Span, choices_of, point_of
from harness.bus.patterns.ranges import Ranges

Filed = tuple[int, Clause]
"""The number of a rule, and one clause of its pattern."""


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
        self._paths = Paths.of(condition.path for _, clause in clauses for condition in clause)
        self._always: list[Filed] = []
        drawers: dict[str, _Drawer] = {}
        crowd = Counter(
            place for _, clause in clauses for condition in _fileable(clause) for place in _places(condition)
        )
        for filed in clauses:
            condition = min(_fileable(filed[1]), key=lambda each: _crowd(each, crowd), default=None)
            if condition is None:
                self._always.append(filed)
            else:
                drawers.setdefault(condition.path, _Drawer()).file(condition, filed, crowd)
        self._tables = {path: drawer.closed() for path, drawer in drawers.items()}

    def matching(self, event: Mapping[str, Any]) -> list[Rule]:
        """In the order in which the rules were given; each at most once."""
        fields = flatten(event, self._paths)
        found: set[int] = set()
        tried: set[int] = set()
        for filed in self._candidates(fields):
            number, clause = filed
            if number in found or id(filed) in tried:
                continue
            tried.add(id(filed))
            if clause_matches(clause, fields):
                found.add(number)
        return [self.rules[number] for number in sorted(found)]

    def _candidates(self, fields: Fields) -> Iterator[Filed]:
        yield from self._always
        for path, values in fields.items():
            table = self._tables.get(path)
            if table is not None:
                yield from table.candidates(values)


Place = tuple[str, Handle] | tuple[str, bool]
"""A path with a handle, or with the kind of its ranges: where clauses meet."""


def _fileable(clause: Clause) -> list[Condition]:
    return [condition for condition in clause if not condition.absent]


def _places(condition: Condition) -> Iterator[Place]:
    for choices in choices_of(condition):
        for choice in choices:
            yield _place(condition.path, choice)


def _place(path: str, choice: Handle | Span) -> Place:
    return (path, choice.texts) if isinstance(choice, Span) else (path, choice)


def _rarest(path: str, choices: Iterable[Handle | Span], crowd: Counter[Place]) -> Handle | Span:
    return min(choices, key=lambda choice: _weight(path, choice, crowd))


def _weight(path: str, choice: Handle | Span, crowd: Counter[Place]) -> float:
    # Ranges meet only where they overlap, which is not counted: half of those of the path is a guess.
    count = crowd[_place(path, choice)]
    return count / 2 if isinstance(choice, Span) else count


def _crowd(condition: Condition, crowd: Counter[Place]) -> float:
    """How many clauses are tried with this one, at its most crowded alternative."""
    path = condition.path
    return max(_weight(path, _rarest(path, choices, crowd), crowd) for choices in choices_of(condition))


class _Drawer:
    """The clauses filed under one path, while they are filed."""

    def __init__(self) -> None:
        self._handles: dict[Handle, list[Filed]] = {}
        self._spans: dict[bool, list[tuple[Any, Any, Filed]]] = {}

    def file(self, condition: Condition, filed: Filed, crowd: Counter[Place]) -> None:
        for choices in choices_of(condition):
            choice = _rarest(condition.path, choices, crowd)
            if isinstance(choice, Span):
                self._spans.setdefault(choice.texts, []).append((choice.low, choice.high, filed))
            else:
                self._handles.setdefault(choice, []).append(filed)

    def closed(self) -> "_Table":
        return _Table(self._handles, {texts: Ranges(spans) for texts, spans in self._spans.items()})


class _Table:
    def __init__(self, handles: dict[Handle, list[Filed]], ranges: dict[bool, Ranges[Filed]]) -> None:
        self._handles = handles
        self._ranges = ranges
        self._asking = Asking.about(handles)

    def candidates(self, values: FieldValues) -> Iterator[Filed]:
        """One clause may come more than once."""
        for handle in {handle for value, key, _ in values for handle in self._asking.handles(value, key)}:
            yield from self._handles.get(handle, ())
        for texts, ranges in self._ranges.items():
            for point in {point_of(value, texts=texts) for value, _, _ in values} - _NO_POINT:
                yield from ranges.holding(point)


_NO_POINT = frozenset({None})
