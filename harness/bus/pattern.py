"""Event patterns: compiled once, refused in the ruler's own words, matched without a surprise at match time.

A pattern is a disjunction of clauses (one, unless it has `$or`); a clause is a conjunction of conditions, one
for each path. Conditions on fields of one array must hold inside the same element. Source: EventBridge user guide
"Event patterns" and aws/event-ruler.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.bus.fields import Fields, Key, Membership, flatten, key_of
from harness.bus.matchers import Addresses, Equals, Matcher, address_digits
from harness.bus.operators import OPERATORS, Refused
from harness.errors import HarnessError

# The model of PutRule; the quota of an account is 2,048 unless it was raised.
MAXIMUM_CHARACTERS = 4096
MAXIMUM_COMBINATIONS = 1000
OR = "$or"


class PatternError(HarnessError):
    """The pattern is refused. `text` is the ruler's wording, `path` leads to the mistake in the pattern."""

    def __init__(self, text: str, path: tuple[str | int, ...] = ()) -> None:
        self.text = text
        self.path = path
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Condition:
    """What a path must show: one of `keys`, or a value that a matcher takes, or (`absent`) nothing at all."""

    path: str
    keys: frozenset[Key]
    matchers: tuple[Matcher, ...]
    absent: bool


Clause = tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """`source` is the pattern as written (parsed JSON); `clauses` are what an index of rules works on."""

    source: Mapping[str, Any]
    clauses: tuple[Clause, ...]

    def matches(self, event: Mapping[str, Any]) -> bool:
        return self.matches_fields(flatten(event))

    def matches_fields(self, fields: Fields) -> bool:
        return any(clause_matches(clause, fields) for clause in self.clauses)


def compile_pattern(pattern: object) -> Pattern:
    """`pattern`: the JSON text, or what it parses to. Raises PatternError at the first mistake (as AWS)."""
    source = _parsed(pattern)
    length = len(pattern) if isinstance(pattern, str) else len(_compact(source))
    if length > MAXIMUM_CHARACTERS:
        raise PatternError(f"The pattern has {length} characters: at most {MAXIMUM_CHARACTERS} are allowed")
    clauses = _object(source, "", (), [{}])
    return Pattern(source, tuple(tuple(clause[path] for path in sorted(clause)) for clause in clauses))


def _parsed(pattern: object) -> Mapping[str, Any]:
    if isinstance(pattern, str):
        try:
            pattern = json.loads(pattern)
        except json.JSONDecodeError as error:
            raise PatternError(f"Filter is not valid JSON: {error}") from error
    if not isinstance(pattern, Mapping):
        raise PatternError("Filter is not an object")
    return pattern


def _compact(source: Mapping[str, Any]) -> str:
    return json.dumps(source, ensure_ascii=False, separators=(",", ":"), default=str)


_Clauses = list[dict[str, Condition]]


def _object(value: Mapping[str, Any], prefix: str, at: tuple[str | int, ...], clauses: _Clauses) -> _Clauses:
    if not value:
        raise PatternError("Empty objects are not allowed", at)
    for name, child in value.items():
        here = (*at, name)
        if name == OR and _is_or(child):
            clauses = _or(child, prefix, here, clauses)
        elif isinstance(child, Mapping):
            clauses = _object(child, f"{prefix}{name}.", here, clauses)
        elif isinstance(child, list):
            condition = _condition(f"{prefix}{name}", child, here)
            # A path given twice (possible with `$or` and with dots): the later one replaces, as in the ruler.
            clauses = [{**clause, condition.path: condition} for clause in clauses]
        else:
            raise PatternError(f'"{name}" must be an object or an array', here)
    return clauses


def _is_or(value: object) -> bool:
    """Anything else under `$or` is an ordinary field of that name."""
    if not isinstance(value, list) or len(value) < 2:
        return False
    return all(isinstance(arm, Mapping) and not OPERATORS.keys() & arm.keys() for arm in value)


def _or(arms: list[Mapping[str, Any]], prefix: str, at: tuple[str | int, ...], clauses: _Clauses) -> _Clauses:
    forked: _Clauses = []
    for index, arm in enumerate(arms):
        forked += _object(arm, prefix, (*at, index), clauses)
        if len(forked) > MAXIMUM_COMBINATIONS:
            raise PatternError(f"Too many combinations of $or: at most {MAXIMUM_COMBINATIONS} are allowed", at)
    return forked


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
        elif isinstance(value, list):
            raise PatternError("Match value must be String, number, true, false, or null", (*at, index))
        elif (digits := address_digits(value)) is not None:
            matchers.append(Addresses(digits, digits))
        else:
            keys.add(key_of(value))
    return Condition(path, frozenset(keys), tuple(matchers), absent)


def _expression(value: Mapping[str, Any], at: tuple[str | int, ...]) -> Matcher | None:
    name = next(iter(value), None)
    if name is None:
        raise PatternError("Match expression name not found", at)
    if name not in OPERATORS:
        raise PatternError(f"Unrecognized match type {name}", at)
    try:
        matcher = OPERATORS[name](value[name])
    except Refused as refused:
        raise PatternError(str(refused), (*at, name)) from refused
    if len(value) > 1:
        raise PatternError("Only one key allowed in match expression", at)
    return matcher


def clause_matches(clause: Clause, fields: Fields) -> bool:
    """Whether all conditions hold, fields of one array inside the same element."""
    tied: list[tuple[Condition, set[Membership]]] = []
    for condition in clause:
        found = fields.get(condition.path)
        if found is None:
            if not condition.absent:
                return False
            continue
        places = {
            membership
            for value, key, membership in found
            if key in condition.keys or any(matcher.holds(value) for matcher in condition.matchers)
        }
        if () in places:
            continue
        if condition.absent and any(membership for _, _, membership in found):
            tied.append((condition, places))
        elif not places:
            return False
        else:
            tied.append((condition, places))
    return not tied or _same_elements(tied, fields)


def _same_elements(tied: list[tuple[Condition, set[Membership]]], fields: Fields) -> bool:
    """Whether one choice of array elements satisfies every condition.

    Choices are carried along the conditions in the order of their paths. An array that no later condition
    speaks of is forgotten, so that the choices do not multiply across unrelated arrays.
    """
    speaks_of = [
        {array for _, _, membership in fields[condition.path] for array, _ in membership} for condition, _ in tied
    ]
    choices: set[Membership] = {()}
    for index, (condition, places) in enumerate(tied):
        later = set().union(*speaks_of[index + 1 :])
        reached = {merged for choice in choices for place in places if (merged := _merge(choice, place)) is not None}
        if condition.absent:
            reached |= {
                choice
                for choice in choices
                if all(_merge(choice, place) is None for _, _, place in fields[condition.path])
            }
        choices = {tuple(pair for pair in choice if pair[0] in later) for choice in reached}
        if not choices:
            return False
    return True


def _merge(one: Membership, other: Membership) -> Membership | None:
    merged = dict(one)
    for array, index in other:
        if merged.setdefault(array, index) != index:
            return None
    return tuple(sorted(merged.items()))
