"""A body as a consumer expects it: example and matching rules as one JSON Schema, and the fields that it reads.

Members that are not named are allowed (a reader ignores what it does not know); a member that is named must be there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.contracts.consumers.matchers import Schema, accepted
from harness.contracts.consumers.matching_rules import Matcher, Rule, RulePath, Rules
from harness.contracts.field_path import ELEMENT, MEMBER, FieldPath


@dataclass(frozen=True, slots=True)
class Expected:
    """A part of a body. `full` and `shape` as in `Accepted`; `members` by name, `MEMBER` or `ELEMENT`.

    `least`: elements or members that must be there, so that what is below them is sure to be read.
    """

    full: Schema
    shape: Schema
    exact: bool = False
    members: Mapping[Any, "Expected"] = field(default_factory=dict)

    def fields(self, at: FieldPath = ()) -> Iterator[FieldPath]:
        """Every field that is read, the whole first."""
        yield at
        for step, member in self.members.items():
            yield from member.fields((*at, step))

    def below(self, path: FieldPath) -> "Expected | None":
        """What is expected at `path`; None where nothing of it is read."""
        found = self
        for step in path:
            member = found.members.get(step)
            if member is None and isinstance(step, str):
                member = found.members.get(MEMBER)
            if member is None:
                return None
            found = member
        return found


def expectation(example: Any, rules: Rules) -> Expected:
    """`example` is the body (JSON); rules are those of the category body."""
    return _expected(example, rules, ())


def only(expected: Expected, path: FieldPath, *, shape: bool, itself: bool = False) -> Schema | None:
    """What is expected of the field at `path` alone, as a schema for the whole body; None where it is not read.

    With `itself`, nothing of what is within the field: that has paths of its own.
    """
    found = expected.below(path)
    if found is None:
        return None
    schema = found.shape if shape else found.full
    if itself and found.members:
        schema = _itself(schema)
    for step in reversed(path):
        if isinstance(step, str):
            schema = {"type": "object", "required": [step], "properties": {step: schema}}
        elif step is MEMBER:
            schema = {"type": "object", "additionalProperties": schema}
        else:
            schema = {"type": "array", "items": schema}
    return schema


_WITHIN = frozenset({"properties", "required", "additionalProperties", "items", "prefixItems"})


def _itself(schema: Schema) -> Schema:
    """Of an object or a list: its type, and how many elements it has."""
    if "anyOf" in schema:
        return {"anyOf": [_itself(each) for each in schema["anyOf"]]}
    return {key: value for key, value in schema.items() if key not in _WITHIN}


def _expected(example: Any, rules: Rules, path: RulePath) -> Expected:
    rule = rules.at(path)
    here = rules.exactly_at(path)
    if isinstance(example, Mapping):
        return _object(example, rules, path, rule, here)
    if isinstance(example, list):
        return _array(example, rules, path, rule, here)
    if example is None and any(rules.below(path)):
        # Known by its rules alone: nothing in the example tells what it is.
        names = {below.path[len(path)] for below in rules.below(path)}
        if all(isinstance(name, str) for name in names):
            return _object({}, rules, path, rule, here)
        return _array([], rules, path, rule, here)
    found = accepted(_own(rule, path), example)
    return Expected(found.full, found.shape, found.exact)


def _own(rule: Rule | None, path: RulePath) -> Rule | None:
    """A rule that reaches down from above says a type, or an expression, and nothing of how many."""
    if rule is None or len(rule.path) == len(path):
        return rule
    plain = tuple(
        Matcher(matcher.name, {key: said for key, said in matcher.attributes.items() if key not in ("min", "max")})
        for matcher in rule.matchers
    )
    return Rule(rule.path, plain, rule.any_of)


def _object(example: Mapping[str, Any], rules: Rules, path: RulePath, rule: Rule | None, here: Rule | None) -> Expected:
    members: dict[Any, Expected] = {}
    each = _each_value(rules, path, here)
    if each is not None or _named(here, "eachKey"):
        sample = next(iter(example.values()), None)
        members[MEMBER] = each(sample) if each else _expected(sample, rules, (*path, MEMBER))
        whole = members[MEMBER]
        return _nullable(
            rule,
            Expected(
                {"type": "object", "additionalProperties": whole.full, **_key_names(here)},
                {"type": "object", "additionalProperties": whole.shape},
                members=members,
            ),
        )
    names = dict.fromkeys(example)
    for below in rules.below(path):
        step = below.path[len(path)]
        if isinstance(step, str):  # read by a rule alone
            names.setdefault(step)
    for name in names:
        members[name] = _expected(example.get(name), rules, (*path, name))
    return _nullable(
        rule,
        Expected(
            _open_object({name: member.full for name, member in members.items()}),
            _open_object({name: member.shape for name, member in members.items()}),
            members=members,
        ),
    )


def _open_object(properties: dict[str, Schema]) -> Schema:
    if not properties:
        return {"type": "object"}
    return {"type": "object", "required": list(properties), "properties": properties}


def _each_value(rules: Rules, path: RulePath, here: Rule | None) -> Any:
    """How one member is expected where members are alike and their names do not count; None where they do."""
    matcher = _named(here, "eachValue")
    if matcher is not None:
        inner = Rule((), matcher.attributes["rules"])
        return lambda sample: _by_rule(inner, sample)
    any_member = any(len(below.path) == len(path) + 1 and below.path[-1] is MEMBER for below in rules.below(path))
    if _named(here, "values") is not None or any_member:
        return lambda sample: _expected(sample, rules, (*path, MEMBER))
    return None


def _by_rule(rule: Rule, sample: Any) -> Expected:
    if isinstance(sample, Mapping | list):
        return _expected(sample, Rules((rule,)), ())
    found = accepted(rule, sample)
    return Expected(found.full, found.shape, found.exact)


def _key_names(here: Rule | None) -> Schema:
    matcher = _named(here, "eachKey")
    if matcher is None or not matcher.attributes["rules"]:
        return {}
    return {"propertyNames": accepted(Rule((), matcher.attributes["rules"]), "").full}


def _named(rule: Rule | None, name: str) -> Matcher | None:
    return next((matcher for matcher in rule.matchers if matcher.name == name), None) if rule else None


def _array(example: list[Any], rules: Rules, path: RulePath, rule: Rule | None, here: Rule | None) -> Expected:
    variants = _named(here, "arrayContains")
    if variants is not None:
        return _containing(example, variants)
    each = _named(here, "eachValue")
    alike = _own(rule, path)
    if each is not None or (alike is not None and any(matcher.name != "equality" for matcher in alike.matchers)):
        if each is not None and example:
            element = _by_rule(Rule((), each.attributes["rules"]), example[0])
        else:
            samples = example or [None]
            element = _merged([_expected(each, rules, (*path, index)) for index, each in enumerate(samples)])
            if not example and not any(rules.below(path)):
                element = Expected({}, {})
        return _nullable(
            rule,
            Expected(
                {"type": "array", "items": element.full, **_how_many(alike)},
                {"type": "array", "items": element.shape},
                members={ELEMENT: element},
            ),
        )
    return _one_by_one(example, rules, path)


def _how_many(rule: Rule | None) -> Schema:
    bounds: Schema = {}
    for matcher in rule.matchers if rule and not rule.any_of else ():
        if "min" in matcher.attributes:
            bounds["minItems"] = matcher.attributes["min"]
        if "max" in matcher.attributes:
            bounds["maxItems"] = matcher.attributes["max"]
    return bounds


def _one_by_one(example: list[Any], rules: Rules, path: RulePath) -> Expected:
    """Without a matcher: these elements in this order."""
    elements = [_expected(element, rules, (*path, index)) for index, element in enumerate(example)]
    full: Schema = {"type": "array", "minItems": len(elements), "maxItems": len(elements)}
    if not elements:
        return Expected(full, {"type": "array"}, exact=True)
    full["prefixItems"] = [element.full for element in elements]
    return Expected(
        full,
        {"type": "array", "items": _any_of([element.shape for element in elements])},
        exact=True,
        members={ELEMENT: _merged(elements)},
    )


def _containing(example: list[Any], matcher: Matcher) -> Expected:
    """Version 4's `arrayContains`: for each variant there is an element that fits it; any other may be there too."""
    found = []
    for variant in matcher.attributes["variants"]:
        sample = example[variant.index] if variant.index < len(example) else None
        found.append(_expected(sample, variant.rules, ()))
    return Expected(
        {"type": "array", "allOf": [{"contains": one.full} for one in found]} if found else {"type": "array"},
        {"type": "array"},
        members={ELEMENT: _merged(found)} if found else {},
    )


def _merged(elements: list[Expected]) -> Expected:
    """Elements that may differ, as what is read of any of them."""
    if len(elements) == 1:
        return elements[0]
    members: dict[Any, list[Expected]] = {}
    for element in elements:
        for step, member in element.members.items():
            members.setdefault(step, []).append(member)
    return Expected(
        _any_of([element.full for element in elements]),
        _any_of([element.shape for element in elements]),
        exact=any(element.exact for element in elements),
        members={step: _merged(same) for step, same in members.items()},
    )


def _any_of(schemas: list[Schema]) -> Schema:
    different = [schema for index, schema in enumerate(schemas) if schema not in schemas[:index]]
    return different[0] if len(different) == 1 else {"anyOf": different}


def _nullable(rule: Rule | None, expected: Expected) -> Expected:
    """`combine: OR` with a matcher `null` beside an object or a list."""
    if rule is None or not rule.any_of or not any(matcher.name == "null" for matcher in rule.matchers):
        return expected
    return Expected(
        {"anyOf": [expected.full, {"type": "null"}]},
        {"anyOf": [expected.shape, {"type": "null"}]},
        expected.exact,
        expected.members,
    )
