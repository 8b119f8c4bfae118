"""Documents with one value replaced or taken out, as careless and malicious hands leave them."""

import copy
from collections.abc import Iterator
from random import Random
from typing import Any

VALUES: tuple[Any, ...] = (
    None,
    1,
    -1,
    1.5,
    True,
    "x",
    "200",
    [],
    [1],
    {},
    {"a": 1},
    {"$ref": "#/nowhere"},
    {"$ref": 1},
    {"$ref": "#"},
    {"type": "x"},
    {"type": []},
    {"enum": []},
    {"pattern": "["},
    {"minLength": -1},
    {"allOf": []},
    {"required": {}},
)


def vandalised(document: dict[str, Any], seed: int) -> dict[str, Any]:
    random = Random(seed)
    broken = copy.deepcopy(document)
    path = random.choice(list(_paths(broken))[1:])
    owner: Any = broken
    for step in path[:-1]:
        owner = owner[step]
    if random.random() < 0.2:
        del owner[path[-1]]
    else:
        owner[path[-1]] = copy.deepcopy(random.choice(VALUES))
    return broken


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _paths(item, (*path, index))
