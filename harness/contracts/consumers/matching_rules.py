"""Matching rules of pact files, in the layouts of version 2 (paths) and 3 (categories), and which holds where."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.contracts.consumers.pact_error import PactError
from harness.contracts.field_path import MEMBER, NoFieldPath, Step, parse_steps
from harness.errors import did_you_mean

RulePath = tuple[str | int | Step, ...]
"""As `FieldPath`, and with the index where a rule is about one element."""

CATEGORIES = ("body", "header", "path", "query", "status", "metadata")


@dataclass(frozen=True, slots=True)
class Matcher:
    """`name` as in version 4: `type`, `regex`, …; `attributes` what else the rule says."""

    name: str
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """`any_of`: one matcher is enough (`combine: OR`); else all of them must hold."""

    path: RulePath
    matchers: tuple[Matcher, ...]
    any_of: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """Of one category."""

    all: tuple[Rule, ...]

    def at(self, path: RulePath) -> Rule | None:
        """The rule for a value: the longest path that leads to it or above it, exact names before stars.

        A rule above reaches down (a type said of an object is said of its members), unless it is about the members as
        a whole.
        """
        fitting = [rule for rule in self.all if _fits(rule, path)]
        return max(fitting, key=lambda rule: (len(rule.path), _exactness(rule.path)), default=None)

    def exactly_at(self, path: RulePath) -> Rule | None:
        found = self.at(path)
        return found if found is not None and len(found.path) == len(path) else None

    def below(self, path: RulePath) -> Iterator[Rule]:
        """Rules about something within the value at `path`."""
        for rule in self.all:
            if len(rule.path) > len(path) and _matches(rule.path[: len(path)], path):
                yield rule


_STAY = frozenset({"values", "eachKey", "eachValue", "arrayContains", "notEmpty"})
"""Matchers that are about the one value that they are written at."""


def _fits(rule: Rule, path: RulePath) -> bool:
    if len(rule.path) > len(path) or not _matches(rule.path, path[: len(rule.path)]):
        return False
    return len(rule.path) == len(path) or not any(matcher.name in _STAY for matcher in rule.matchers)


def _matches(rule: RulePath, path: RulePath) -> bool:
    return all(_step_matches(one, other) for one, other in zip(rule, path, strict=True))


def _step_matches(rule: str | int | Step, step: str | int | Step) -> bool:
    if rule is Step.ELEMENT:
        return isinstance(step, int) or step is Step.ELEMENT
    if rule is MEMBER:
        return isinstance(step, str) or step is MEMBER
    if step is Step.ELEMENT:
        return isinstance(rule, int)
    if step is MEMBER:
        return isinstance(rule, str)
    return rule == step


def _exactness(path: RulePath) -> int:
    return sum(not isinstance(step, Step) for step in path)


def read_rules(written: Any, where: str) -> dict[str, Rules]:
    """By category. Raises `PactError`."""
    if not written:
        return {}
    if not isinstance(written, dict):
        raise PactError(f"{where}.matchingRules: must be an object")
    gathered: dict[str, list[Rule]] = {}
    for key, value in written.items():
        for category, rule in _read_entry(key, value, where):
            gathered.setdefault(category, []).append(rule)
    return {category: Rules(tuple(rules)) for category, rules in gathered.items()}


_PLURALS = {"headers": "header", "content": "body", "contents": "body", "statusCode": "status"}


def _read_entry(key: str, value: Any, where: str) -> Iterator[tuple[str, Rule]]:
    if key.startswith("$"):
        category, path = _version_2_path(key, where)
        yield category, Rule(path, (_matcher(value, f"{where}.matchingRules {key}"),))
        return
    category = _PLURALS.get(key, key)
    if category not in CATEGORIES:
        known = (*CATEGORIES, *_PLURALS)
        raise PactError(f'{where}.matchingRules: unknown category "{key}"{did_you_mean(key, known)}')
    if not isinstance(value, dict):
        raise PactError(f"{where}.matchingRules.{key}: must be an object")
    if isinstance(value.get("matchers"), list):  # path and status have one rule
        yield category, _rule((), value, f"{where}.matchingRules.{key}")
        return
    for path, rule in value.items():
        place = f"{where}.matchingRules.{key} {path}"
        yield category, _rule(_named_path(category, path, place), rule, place)


_VERSION_2 = re.compile(r"\$\.([A-Za-z]+)")


def _version_2_path(key: str, where: str) -> tuple[str, RulePath]:
    """`$.body.lines[0].sku`, `$.headers.Accept`, `$.query.q`, `$.path`."""
    named = _VERSION_2.match(key)
    category = _PLURALS.get(named[1], named[1]) if named else ""
    if category not in CATEGORIES:
        text = f'{where}.matchingRules: "{key}" must begin with $.body, $.headers, $.path, $.query or $.status'
        raise PactError(text)
    assert named is not None
    return category, _named_path(category, f"${key[named.end() :]}", f"{where}.matchingRules {key}")


def _named_path(category: str, path: str, place: str) -> RulePath:
    """Rules of headers and query parameters name them bare; all others are paths."""
    if category != "body":
        return _lowered(category, _plain_path(path))
    if path.startswith("$"):
        return _path(path, place)
    if not path:
        return ()
    return _path(f"$.{path}", place)


def _lowered(category: str, path: RulePath) -> RulePath:
    if category in ("header", "metadata"):
        return tuple(step.lower() if isinstance(step, str) else step for step in path)
    return path


def _plain_path(text: str) -> RulePath:
    """Beside bodies names are written as people like (`$.query.filter[status]`): what is no path is a name."""
    if not text.startswith("$"):
        return (text,) if text else ()
    try:
        return parse_steps(text)
    except NoFieldPath:
        return (text.removeprefix("$").removeprefix("."),)


def _path(text: str, place: str) -> RulePath:
    try:
        return parse_steps(text)
    except NoFieldPath as error:
        raise PactError(f"{place}: {error}") from error


def _rule(path: RulePath, value: Any, place: str) -> Rule:
    if not isinstance(value, dict):
        raise PactError(f"{place}: must be an object")
    if "matchers" not in value:
        return Rule(path, (_matcher(value, place),))
    matchers = value["matchers"]
    if not isinstance(matchers, list):
        raise PactError(f"{place}.matchers: must be a list")
    combine = value.get("combine", "AND")
    if combine not in ("AND", "OR"):
        raise PactError(f'{place}.combine: must be AND or OR, not "{combine}"')
    return Rule(path, tuple(_matcher(matcher, place) for matcher in matchers), combine == "OR")


_SYNONYMS = {"real": "decimal", "timestamp": "datetime", "min-type": "type", "max-type": "type", "min-max-type": "type"}
_SYNONYMS |= {"min": "type", "max": "type", "content-type": "contentType", "array-contains": "arrayContains"}
_SYNONYMS |= {"status-code": "statusCode", "not-empty": "notEmpty", "each-key": "eachKey", "each-value": "eachValue"}
_NAMES: tuple[str, ...] = (
    "equality",
    "regex",
    "type",
    "number",
    "integer",
    "decimal",
    "boolean",
    "null",
    "include",
    "date",
    "time",
)
_NAMES += ("datetime", "contentType", "arrayContains", "values", "statusCode", "notEmpty", "semver", "eachKey")
_NAMES += ("eachValue",)
_IMPLIED = ("regex", "min", "max", "timestamp", "time", "date")
"""Version 1.1: a rule without `match` is named by what it says."""


def _matcher(value: Any, place: str) -> Matcher:
    if not isinstance(value, dict):
        raise PactError(f"{place}: a matcher must be an object")
    name = value.get("match", value.get("pact:matcher:type"))
    if name is None:
        name = next((implied for implied in _IMPLIED if implied in value), None)
    if name is None:
        raise PactError(f"{place}: a matcher says what it is by match")
    name = _SYNONYMS.get(str(name), str(name))
    if name not in _NAMES:
        raise PactError(f'{place}: unknown matcher "{name}"{did_you_mean(name, _NAMES)}')
    attributes = {key: said for key, said in value.items() if key != "match"}
    if name == "regex" and not isinstance(attributes.get("regex"), str):
        raise PactError(f"{place}: a regex matcher has its expression in regex")
    for key in ("min", "max"):
        if key in attributes and (isinstance(attributes[key], bool) or not isinstance(attributes[key], int)):
            raise PactError(f"{place}.{key}: must be a number, not {json.dumps(attributes[key])}")
    if name == "statusCode":
        attributes["status"] = _statuses(attributes.get("status"), place)
    if name in ("eachKey", "eachValue"):
        attributes["rules"] = tuple(_matcher(rule, place) for rule in _list(attributes, "rules", place))
    if name == "arrayContains":
        attributes["variants"] = tuple(_variant(each, place) for each in _list(attributes, "variants", place))
    return Matcher(name, attributes)


STATUS_CLASSES: Mapping[str, tuple[int, int]] = {
    "information": (100, 199),
    "success": (200, 299),
    "redirect": (300, 399),
    "clientError": (400, 499),
    "serverError": (500, 599),
    "nonError": (100, 399),
    "error": (400, 599),
}
_CLASS_SYNONYMS = {"info": "information", "client-error": "clientError", "server-error": "serverError"}
_CLASS_SYNONYMS |= {"non-error": "nonError"}


def _statuses(written: Any, place: str) -> str | tuple[int, ...]:
    """A class of statuses, or a list of them."""
    if isinstance(written, list) and written and all(type(each) is int for each in written):
        return tuple(written)
    name = _CLASS_SYNONYMS.get(str(written), str(written))
    if name not in STATUS_CLASSES:
        known = ", ".join(STATUS_CLASSES)
        raise PactError(f"{place}.status: must be a list of statuses or one of {known}, not {json.dumps(written)}")
    return name


def _list(attributes: Mapping[str, Any], key: str, place: str) -> list[Any]:
    value = attributes.get(key) or []
    if not isinstance(value, list):
        raise PactError(f"{place}.{key}: must be a list")
    return value


@dataclass(frozen=True, slots=True)
class Variant:
    """Of `arrayContains`: the element of the example that it is about, and the rules below that element."""

    index: int
    rules: Rules


def _variant(value: Any, place: str) -> Variant:
    index = value.get("index") if isinstance(value, dict) else None
    if isinstance(index, bool) or not isinstance(index, int):
        raise PactError(f"{place}.variants: each must be an object with an index")
    rules = value.get("rules") or {}
    if not isinstance(rules, dict):
        raise PactError(f"{place}.variants.rules: must be an object")
    return Variant(index, Rules(tuple(_rule(_path(path, place), rule, place) for path, rule in rules.items())))
