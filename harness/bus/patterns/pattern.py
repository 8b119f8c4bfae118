"""Event patterns: compiled once, refused in the ruler's own words, matched without a surprise at match time.

A pattern is a disjunction of clauses (one, unless it has `$or`); a clause is a conjunction of conditions, one
for each path. Source: EventBridge user guide "Event patterns" and aws/event-ruler (`JsonRuleCompiler`).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.bus.patterns.addresses import address_digits
from harness.bus.patterns.clauses import Clause, Condition, clause_matches, in_order
from harness.bus.patterns.complexity import too_complex
from harness.bus.patterns.fields import Fields, Key, Paths, flatten, key_of
from harness.bus.patterns.matchers import Addresses, Equals, Matcher, Wildcard
from harness.bus.patterns.operands import Refused
from harness.bus.patterns.operators import RESERVED, expression
from harness.bus.patterns.pattern_text import JsonError, pairs_of, parse, too_deep
from harness.errors import HarnessError

MODEL_CHARACTERS = 4096
"""PutRule takes no longer one, whatever the quota."""
QUOTA_CHARACTERS = 2048
"""What an account begins with; AWS raises it on request."""
MAXIMUM_COMBINATIONS = 1000
OR = "$or"
TOO_COMPLEX = (
    "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences "
    "after a wildcard character"
)


class PatternError(HarnessError):
    """The pattern is refused. `text` is the ruler's wording, `path` leads to the mistake in the pattern."""

    def __init__(self, text: str, path: tuple[str | int, ...] = ()) -> None:
        self.text = text
        self.path = path
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Pattern:
    """`source` is the pattern as written (parsed JSON); `clauses` are what an index of rules works on."""

    source: Mapping[str, Any]
    clauses: tuple[Clause, ...]

    def matches(self, event: Mapping[str, Any]) -> bool:
        return self.matches_fields(flatten(event, self.paths()))

    def matches_fields(self, fields: Fields) -> bool:
        return any(clause_matches(clause, fields) for clause in self.clauses)

    def paths(self) -> Paths:
        return Paths.of(condition.path for clause in self.clauses for condition in clause)


def compile_pattern(pattern: object, *, characters: int | None = QUOTA_CHARACTERS) -> Pattern:
    """`pattern`: the JSON text, or what it parses to; `characters`: the quota, at most that of the model. None is for
    a pattern that was let in before.

    Raises PatternError at the first mistake (as AWS), and nothing else whatever the pattern.
    """
    read = _parsed(pattern, None if characters is None else min(characters, MODEL_CHARACTERS))
    clauses: _Clauses = [{}]
    _object(read, "", (), clauses)
    source = json.loads(pattern) if isinstance(pattern, str) else read
    return Pattern(source, tuple(in_order(clause.values()) for clause in clauses))


def _parsed(pattern: object, most: int | None) -> Mapping[str, Any]:
    if isinstance(pattern, str):
        _check_length(len(pattern), most)
        try:
            pattern = parse(pattern)
        except JsonError as error:
            raise PatternError(f"Filter is not valid JSON: {error}") from error
    elif too_deep(pattern):
        raise PatternError("Filter is not valid JSON: nested too deep")
    else:
        _check_length(len(json.dumps(pattern, ensure_ascii=False, separators=(",", ":"), default=str)), most)
    if not isinstance(pattern, Mapping):
        raise PatternError("Filter is not an object")
    return pattern


def _check_length(length: int, most: int | None) -> None:
    if most is not None and length > most:
        raise PatternError(f"The pattern has {length} characters: at most {most} are allowed")


_Clauses = list[dict[str, Condition]]


def _object(value: Mapping[str, Any], prefix: str, at: tuple[str | int, ...], clauses: _Clauses) -> None:
    """Adds to each of the clauses; `$or` makes more of them."""
    if not value:
        raise PatternError("Empty objects are not allowed", at)
    for name, child in pairs_of(value):
        here = (*at, name)
        if name == OR and _is_or(child):
            clauses[:] = _or(child, prefix, here, clauses)
        elif isinstance(child, Mapping):
            _object(child, f"{prefix}{name}.", here, clauses)
        elif isinstance(child, list):
            condition = _condition(f"{prefix}{name}", child, here)
            for clause in clauses:
                # A path given twice: the later one replaces, as in the ruler.
                clause[condition.path] = condition
        else:
            raise PatternError(f'"{name}" must be an object or an array', here)


def _is_or(value: object) -> bool:
    """Anything else under `$or` is an ordinary field of that name."""
    if not isinstance(value, list) or len(value) < 2:
        return False
    return all(isinstance(arm, Mapping) and not RESERVED & arm.keys() for arm in value)


def _or(arms: list[Mapping[str, Any]], prefix: str, at: tuple[str | int, ...], clauses: _Clauses) -> _Clauses:
    forked: _Clauses = []
    for index, arm in enumerate(arms):
        _check_combinations(len(forked) + len(clauses), at)
        copies = [dict(clause) for clause in clauses]
        _object(arm, prefix, (*at, index), copies)
        forked += copies
        _check_combinations(len(forked), at)
    return forked


def _check_combinations(count: int, at: tuple[str | int, ...]) -> None:
    if count > MAXIMUM_COMBINATIONS:
        raise PatternError(f"Too many combinations of $or: at most {MAXIMUM_COMBINATIONS} are allowed", at)


def _condition(path: str, values: list[Any], at: tuple[str | int, ...]) -> Condition:
    if not values:
        raise PatternError("Empty arrays are not allowed", at)
    keys: set[Key] = set()
    matchers: list[Matcher] = []
    absent = False
    for index, value in enumerate(values):
        if isinstance(value, Mapping):
            matcher = _expression(value, (*at, index))
            if matcher is None:
                absent = True
            elif isinstance(matcher, Equals):
                keys.add(matcher.key)
            else:
                matchers.append(matcher)
        elif (digits := address_digits(value)) is not None:
            matchers.append(Addresses(digits, digits))
        elif value is None or isinstance(value, str | int | float):
            keys.add(key_of(value))
        else:
            raise PatternError("Match value must be String, number, true, false, or null", (*at, index))
    if too_complex([matcher.parts for matcher in matchers if isinstance(matcher, Wildcard)]):
        raise PatternError(TOO_COMPLEX, at)
    return Condition(path, frozenset(keys), tuple(matchers), absent, values)


def _expression(value: Mapping[str, Any], at: tuple[str | int, ...]) -> Matcher | None:
    try:
        return expression(value)
    except Refused as refused:
        raise PatternError(refused.text, (*at, refused.operator) if refused.operator else at) from refused
