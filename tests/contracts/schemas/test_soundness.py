"""On random pairs of schemas: YES is never refuted, by any of many values or by jsonschema-rs; NO is always shown."""

from random import Random
from typing import Any

import jsonschema_rs
import pytest

from harness.contracts.schemas import Verdict, contained, load_schema
from harness.contracts.schemas.algebra import covers

NAMES = ("a", "b", "ab", "x-1")
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 2, 5, -1, 1.5, 10, "", "a", "ab", "abc", "b", "7"),
    *([], [1], [1, 1], ["a"], [None, "a"], [1, "a"], [{"a": 1}], [[1]]),
    *({}, {"a": 1}, {"a": "a"}, {"b": None}, {"a": 1, "b": 2}, {"a": "abc", "b": "a"}, {"ab": 1}, {"x-1": "a"}),
    *(
        {"a": {"a": 1}},
        {"a": {"b": "ab"}, "b": [1]},
        {"c": 1},
        {"a": None, "c": "a"},
        {"a": [1, 2]},
        {"x-1": 7, "ab": "a"},
    ),
)


def schema(random: Random, depth: int = 2) -> Any:
    kind = random.choice(KINDS if depth else KINDS[:4])
    return kind(random, depth)


def text(random: Random, depth: int) -> Any:
    made: dict[str, Any] = {"type": "string"}
    if random.random() < 0.4:
        made["minLength"] = random.randrange(3)
    if random.random() < 0.4:
        made["maxLength"] = random.randrange(4)
    if random.random() < 0.2:
        made["pattern"] = random.choice(["^a", "b$", "^[a-z]*$", "[0-9]"])
    return made


def number(random: Random, depth: int) -> Any:
    made: dict[str, Any] = {"type": random.choice(["integer", "number"])}
    for keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
        if random.random() < 0.25:
            made[keyword] = random.randrange(-2, 8)
    if random.random() < 0.2:
        made["multipleOf"] = random.choice([2, 5, 0.5])
    return made


def values(random: Random, depth: int) -> Any:
    return {"enum": random.sample([None, True, 0, 1, "a", "ab", 1.5, [1], {"a": 1}], random.randrange(1, 4))}


def types(random: Random, depth: int) -> Any:
    return random.choice([{}, True, {"type": random.sample(["null", "string", "integer", "boolean", "object"], 2)}])


def mapping(random: Random, depth: int) -> Any:
    made: dict[str, Any] = {"type": "object"}
    made["properties"] = {name: schema(random, depth - 1) for name in random.sample(NAMES, random.randrange(3))}
    if random.random() < 0.5:
        made["required"] = random.sample(NAMES, random.randrange(1, 3))
    if random.random() < 0.4:
        made["additionalProperties"] = random.choice([False, True, schema(random, depth - 1)])
    if random.random() < 0.2:
        made["patternProperties"] = {random.choice(["^a", "^x-", "^ab", "b"]): schema(random, depth - 1)}
    if random.random() < 0.15:
        made[random.choice(["minProperties", "maxProperties"])] = random.randrange(3)
    if random.random() < 0.1:
        made["dependentRequired"] = {"a": ["b"]}
    return made


def sequence(random: Random, depth: int) -> Any:
    made: dict[str, Any] = {"type": "array"}
    if random.random() < 0.7:
        made["items"] = schema(random, depth - 1)
    if random.random() < 0.3:
        made["prefixItems"] = [schema(random, depth - 1)]
    for keyword in ("minItems", "maxItems"):
        if random.random() < 0.2:
            made[keyword] = random.randrange(3)
    if random.random() < 0.2:
        made["uniqueItems"] = True
    return made


def variants(random: Random, depth: int) -> Any:
    keyword = random.choice(["anyOf", "oneOf", "allOf"])
    return {keyword: [schema(random, depth - 1) for _ in range(random.randrange(1, 4))]}


def without(random: Random, depth: int) -> Any:
    inner = schema(random, depth)
    return inner if isinstance(inner, bool) else {**inner, "not": schema(random, 0)}


KINDS = [text, number, values, types, mapping, mapping, sequence, variants, variants, without]


def pair(random: Random) -> tuple[Any, Any]:
    """Two unrelated schemas say little: mostly one is the other with a part replaced."""
    first = schema(random)
    if random.random() < 0.2 or isinstance(first, bool):
        return first, schema(random)
    second = dict(first)
    keyword = random.choice(list(second) or ["type"])
    if random.random() < 0.5 and keyword in second:
        del second[keyword]
    else:
        other = schema(random)
        second |= {} if isinstance(other, bool) else {key: other[key] for key in list(other)[-1:]}
    return (first, second) if random.random() < 0.5 else (second, first)


@pytest.mark.parametrize("seed", range(0, 1200, 40))
def test_yes_is_never_refuted_and_no_is_shown(seed: int) -> None:
    for each in range(seed, seed + 40):
        narrow, wide = pair(Random(each))
        answer = contained(load_schema("narrow.json", narrow), load_schema("wide.json", wide))
        words = f"seed {each}: {narrow} in {wide}: {answer}"
        inside = jsonschema_rs.Draft202012Validator(narrow).is_valid
        outside = jsonschema_rs.Draft202012Validator(wide).is_valid
        refuting = [value for value in VALUES if inside(value) and not outside(value)]
        if answer.verdict is Verdict.YES:
            assert not refuting, words
            proof = covers(jsonschema_rs.canonicalize(wide), jsonschema_rs.canonicalize(narrow))
            assert proof is not False, words
        for witness in [answer.witness, *(found.witness for found in answer.differences)]:
            assert witness is None or (inside(witness.value) and not outside(witness.value)), words
