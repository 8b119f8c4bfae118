"""The labelled pairs of contracts under cases/diff, each written out as two OpenAPI documents."""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from harness.contracts.diff import Diff, Settings, diff, read_settings

CASES = Path(__file__).parent.parent / "cases" / "diff"
TODAY = date(2026, 6, 1)
SCHEMAS: dict[str, Any] = {
    "Money": {
        "type": "object",
        "required": ["amount", "currency"],
        "properties": {"amount": {"type": "number"}, "currency": {"type": "string"}},
    },
    "Cat": {
        "type": "object",
        "required": ["kind", "lives"],
        "properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}},
    },
    "Dog": {
        "type": "object",
        "required": ["kind", "loud"],
        "properties": {"kind": {"const": "dog"}, "loud": {"type": "boolean"}},
    },
    "Tree": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
        },
    },
}
OPERATION: dict[str, Any] = {"responses": {"200": {"description": "good"}}}


@dataclass(frozen=True, slots=True)
class Pair:
    """`expected` is "<worst level> <rules…>" or "same"; `nearly` are rules that this pair must just miss."""

    name: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    expected: str
    nearly: tuple[str, ...] = ()
    files: Mapping[str, Any] = field(default_factory=dict)
    settings: str = ""

    @property
    def level(self) -> str:
        """breaking, risky or safe."""
        return "safe" if self.expected == "same" else self.expected.split()[0]

    @property
    def rules(self) -> frozenset[str]:
        return frozenset(self.expected.split()[1:])

    def diff(self) -> Diff:
        texts = {name: json.dumps(value) for name, value in self.files.items()}
        texts |= {"old.json": json.dumps(self.old, indent=1), "new.json": json.dumps(self.new, indent=1)}
        settings = read_settings("rules.yaml", self.settings) if self.settings else Settings()
        return diff("old.json", "new.json", texts.__getitem__, today=TODAY, settings=settings)


def pairs() -> Iterator[Pair]:
    for case in _read("schemas.yaml"):
        yield from _of_schemas(case)
    for file in sorted(CASES.glob("*.yaml")):
        if file.name != "schemas.yaml":
            yield from map(_of_documents, _read(file.name))


def _read(name: str) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = yaml.load((CASES / name).read_text(), yaml.CSafeLoader)
    return cases


def _of_schemas(case: Mapping[str, Any]) -> Iterator[Pair]:
    """Each way round is what the other one nearly is."""
    for part in ("request", "response"):
        old, new = (_with_schema(part, case[side]) for side in ("old", "new"))
        forwards, back = case[part], case[f"{part} back"]
        there, again = (set(said.split()[1:]) for said in (forwards, back))
        also = set(case.get("nearly", ()))
        yield Pair(f"{case['name']}, {part}", old, new, forwards, tuple(also | again - there))
        yield Pair(f"{case['name']}, {part}, back", new, old, back, tuple(also | there - again))


def _with_schema(part: str, schema: Any) -> dict[str, Any]:
    body = {"content": {"application/json": {"schema": schema}}}
    operation: dict[str, Any] = deepcopy(OPERATION)
    if part == "request":
        operation["requestBody"] = {"required": True, **body}
        return document({"/things": {"post": operation}})
    operation["responses"]["200"] |= body
    return document({"/things": {"get": operation}})


def _of_documents(case: Mapping[str, Any]) -> Pair:
    old, new = (_document(case[side], case.get("with", {})) for side in ("old", "new"))
    rest = {key: case[key] for key in ("files", "settings") if key in case}
    return Pair(case["name"], old, new, case["expect"], tuple(case.get("nearly", ())), **rest)


def _document(said: Any, base: Mapping[str, Any]) -> dict[str, Any]:
    """`said` is a whole document below `paths`, or the operation of GET /things, by what it has."""
    said = said or {}
    whole = ("paths", "components", "servers", "security", "webhooks", "openapi", "info")
    if any(key in said for key in whole):
        return {**document({"/things": {"get": deepcopy(OPERATION)}}), **base, **said}
    if any(str(key).startswith("/") for key in said):
        return {**document(dict(said)), **base}
    return {**document({"/things": {"get": {**deepcopy(OPERATION), **said}}}), **base}


def document(paths: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {"title": "things", "version": "1.0.0"},
        "paths": paths,
        "components": {"schemas": deepcopy(SCHEMAS)},
    }
