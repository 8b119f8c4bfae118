"""Event patterns as JSON Schemas: which events a rule can match.

The schema of a pattern takes in every event that the pattern matches, and where JSON Schema cannot say as much (IP
addresses, folding beyond ASCII, arrays within arrays) some more. So "no event fits both" proves that a pattern never
matches; "some event does" proves nothing. A pattern is plain JSON here; that it is a pattern at all has been seen to.
"""

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Schema = dict[str, Any]
Clause = Mapping[tuple[str, ...], list[Any]]
"""What one arm of a pattern wants: by path, the alternatives for its value."""

SCALARS = ["string", "number", "boolean", "null"]
_ABSENT = {"exists": False}


def clauses_of(pattern: Mapping[str, Any]) -> list[Clause]:
    """A pattern without its `$or`s: one of these must hold. A path given twice: the later one replaces."""
    return _object(pattern, (), [{}])


def _object(pattern: Mapping[str, Any], at: tuple[str, ...], clauses: list[Clause]) -> list[Clause]:
    for name, child in pattern.items():
        # A dot in a name is a step, in patterns as in events.
        path = (*at, *name.split("."))
        if name == "$or" and isinstance(child, list) and all(isinstance(arm, Mapping) for arm in child):
            clauses = [clause for arm in child for clause in _object(arm, at, clauses)]
        elif isinstance(child, Mapping):
            clauses = _object(child, path, clauses)
        else:
            clauses = [{**clause, path: list(child)} for clause in clauses]
    return clauses


def paths_read(pattern: Mapping[str, Any]) -> dict[tuple[str, ...], list[Any]]:
    """Every path of a pattern with all alternatives that some clause has for it."""
    found: dict[tuple[str, ...], list[Any]] = {}
    for clause in clauses_of(pattern):
        for path, alternatives in clause.items():
            known = found.setdefault(path, [])
            known += [each for each in alternatives if each not in known]
    return found


def wants_presence(alternatives: list[Any]) -> bool:
    """Whether the path must be there for the pattern to match."""
    return _ABSENT not in alternatives


@dataclass(slots=True)
class _Branch:
    """What is wanted of one value: `leaf` of itself, `members` of its members. Both can hold of an array's elements."""

    leaf: list[Any] | None = None
    members: dict[str, "_Branch"] = field(default_factory=dict)


def event_schema_of(clause: Clause) -> Schema:
    """The events that a clause matches."""
    root = _Branch()
    for path, alternatives in clause.items():
        branch = root
        for step in path:
            branch = branch.members.setdefault(step, _Branch())
        branch.leaf = alternatives
    return _object_schema(root)[0]


def _object_schema(branch: _Branch) -> tuple[Schema, bool]:
    """The schema of an object, and whether the object must be there."""
    made: Schema = {"type": "object"}
    required = []
    for name, member in branch.members.items():
        schema, wanted = _value_schema(member)
        made.setdefault("properties", {})[name] = schema
        if wanted:
            required.append(name)
    if required:
        made["required"] = required
    return made, bool(required)


def _value_schema(branch: _Branch) -> tuple[Schema, bool]:
    wanted = False
    schemas: list[Schema] = []
    if branch.leaf is not None:
        leaf, wanted = _leaf(branch.leaf)
        # Objects and arrays count as absent; a scalar must be one of the alternatives.
        schemas.append(_or_within(leaf) if wanted else {"anyOf": [leaf, {"type": ["object", "array"]}]})
    if branch.members:
        members, needed = _object_schema(branch)
        wanted = wanted or needed
        schemas.append(_or_within(members) if needed else {"anyOf": [members, {"type": [*SCALARS, "array"]}]})
    return (schemas[0] if len(schemas) == 1 else {"allOf": schemas}), wanted


def _or_within(schema: Schema) -> Schema:
    """The value itself or an element of it; deeper arrays are taken on trust."""
    return {"anyOf": [schema, {"type": "array", "contains": {"anyOf": [schema, {"type": "array"}]}}]}


def _leaf(alternatives: list[Any]) -> tuple[Schema, bool]:
    schemas = [scalar_schema(each) for each in alternatives if each != _ABSENT]
    wanted = wants_presence(alternatives)
    return ({"anyOf": schemas} if schemas else {"not": {}}), wanted


def beginning(alternative: Any) -> str:
    """The text that every value which one alternative takes begins with; empty where nothing is known."""
    if isinstance(alternative, str):
        return "" if _is_address(alternative) else alternative
    if not isinstance(alternative, Mapping):
        return ""
    name, said = next(iter(alternative.items()))
    if name == "prefix" and isinstance(said, str):
        return said
    return said.partition("*")[0].partition("\\")[0] if name == "wildcard" else ""


def scalar_schema(alternative: Any) -> Schema:
    """The scalars that one alternative takes."""
    if isinstance(alternative, Mapping):
        name, said = next(iter(alternative.items()))
        return _OPERATORS[name](said)
    if isinstance(alternative, str) and _is_address(alternative):
        return {"type": "string"}
    return {"const": alternative}


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


_SPECIAL = frozenset(r"\^$.|?*+()[]{}/-")


def _literal(text: str) -> str:
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in text)


def _folded(text: str) -> str | None:
    """Either case of every letter; None where folding could change more than the case of ASCII."""
    # The Kelvin sign folds to k and the long s to s; both are no ASCII, and a schema could not tell them either.
    if not text.isascii() or set(text.lower()) & {"k", "s"}:
        return None
    return "".join(f"[{char.lower()}{char.upper()}]" if char.isalpha() else _literal(char) for char in text)


def _text(expression: str | None) -> Schema:
    return {"type": "string"} if expression is None else {"type": "string", "pattern": expression}


def _prefix(said: Any) -> Schema:
    if isinstance(said, Mapping):
        folded = _folded(said["equals-ignore-case"])
        return _text(None if folded is None else f"^{folded}")
    return _text(f"^{_literal(said)}")


def _suffix(said: Any) -> Schema:
    if isinstance(said, Mapping):
        folded = _folded(said["equals-ignore-case"])
        return _text(None if folded is None else f"{folded}$")
    return _text(f"{_literal(said)}$")


def _equals_ignore_case(said: str) -> Schema:
    folded = _folded(said)
    return _text(None if folded is None else f"^{folded}$")


def _wildcard(said: str) -> Schema:
    expression, at = "", 0
    while at < len(said):
        if said[at] == "\\":
            at += 1
            expression += _literal(said[at : at + 1])
        else:
            expression += r"[\s\S]*" if said[at] == "*" else _literal(said[at])
        at += 1
    return _text(f"^{expression}$")


def _anything_but(said: Any) -> Schema:
    scalar: Schema = {"type": SCALARS}
    if not isinstance(said, Mapping):
        return {**scalar, "not": {"enum": said if isinstance(said, list) else [said]}}
    name, values = next(iter(said.items()))
    refused = [_OPERATORS[name](value) for value in (values if isinstance(values, list) else [values])]
    # What is only known to be text must not be taken away: the schema would be too narrow.
    exact = [schema for schema in refused if "pattern" in schema]
    return {**scalar, "not": {"anyOf": exact}} if exact else scalar


_BOUNDS = {">": "exclusiveMinimum", ">=": "minimum", "<": "exclusiveMaximum", "<=": "maximum"}


def _numeric(said: list[Any]) -> Schema:
    made: Schema = {"type": "number"}
    for operator, value in zip(said[::2], said[1::2], strict=True):
        if operator == "=":
            return {"const": value}
        made[_BOUNDS[operator]] = value
    return made


_OPERATORS: Mapping[str, Callable[[Any], Schema]] = {
    "exactly": lambda said: {"const": said},
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "cidr": lambda said: {"type": "string"},
    "exists": lambda said: {"type": SCALARS},
}
