"""What a consumer reads, held against the schema of what it is given.

Three questions about a field, each a question of containment:
promised: has every value of the schema the field, and of a type that the consumer takes?
possible: has any value of the schema all that the consumer expects of it?
safe: is every value of the schema one that the consumer takes?
"""

from collections.abc import Iterator
from dataclasses import dataclass

from harness.contracts.consumers.declared import declares, schemas_at
from harness.contracts.consumers.expectation import Expected, only
from harness.contracts.consumers.matchers import Schema
from harness.contracts.field_path import ELEMENT, MEMBER, FieldPath
from harness.contracts.schemas import Containment, Subject, Verdict, contained, load_schema


@dataclass(frozen=True, slots=True)
class Given:
    """The schema that a provider keeps to."""

    subject: Subject

    def within(self, schema: Schema) -> Containment:
        """Whether all that the provider gives is of the schema."""
        return contained(self.subject, expectation_subject(schema))

    def is_within(self, schema: Schema) -> bool:
        answer = contained(self.subject, expectation_subject(schema), shown=False)
        return answer.verdict is Verdict.YES

    def never(self, schema: Schema) -> bool:
        """Whether nothing that the provider gives can be of the schema; False where that is not proven."""
        return self.is_within({"not": schema})

    def declares(self, path: FieldPath) -> bool:
        return declares(self.subject.compiled.closed, path)

    def schemas_at(self, path: FieldPath) -> Iterator[object]:
        return schemas_at(self.subject.compiled.closed, path)


def expectation_subject(schema: Schema) -> Subject:
    return load_schema("expectation", {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def presence(path: FieldPath) -> Schema:
    """Values that have a field, in each element on the way to it."""
    schema: Schema = {}
    for step in reversed(path):
        if step is ELEMENT:
            schema = {"type": "array", "items": schema}
        elif step is MEMBER:
            schema = {"type": "object", "additionalProperties": schema}
        else:
            schema = {"type": "object", "required": [step], "properties": {step: schema}}
    return schema


def fields_to_check(expected: Expected) -> Iterator[FieldPath]:
    """Fields that are read, those above first, so that one that is missing is told once."""
    return (path for path in expected.fields() if path)


@dataclass(frozen=True, slots=True)
class Harm:
    """`certain`: what the reader relies on is no longer kept. Else it reads what changes, and may be hurt."""

    field: FieldPath
    certain: bool


def harm(expected: Expected, at: FieldPath, old: Given | None, new: Given | None) -> Harm | None:
    """The worst that a change at `at` does to a reader of something at or below it; None where it does nothing.

    `old` and `new` are what the reader is given before and after.
    """
    worst: Harm | None = None
    for path in expected.fields():
        if path[: len(at)] != at or (old is not None and new is not None and _unchanged(path, old, new)):
            continue
        certain = _harm_at(expected, path, old, new)
        if certain:
            return Harm(path, True)
        if certain is False and worst is None:
            worst = Harm(path, False)
    return worst


def _harm_at(expected: Expected, path: FieldPath, old: Given | None, new: Given | None) -> bool | None:
    full, shape = only(expected, path, shape=False, itself=True), only(expected, path, shape=True, itself=True)
    if full is None or shape is None:
        return None
    if new is None:
        return True
    if new.is_within(full):
        return None
    if new.never(full) or old is None:
        return True
    if old.is_within(full):
        return True
    if old.declares(path) and not new.declares(path):
        return True
    return old.is_within(shape) and not new.is_within(shape)


def _unchanged(path: FieldPath, old: Given, new: Given) -> bool:
    """Whether both schemas say the same of the value at `path` itself, and promise it alike."""
    if _said(old, path) != _said(new, path):
        return False
    return not path or old.is_within(presence(path)) == new.is_within(presence(path))


# What is said of members and elements is looked at where they are; the rest of these says nothing of values.
_PARTS = ("properties", "patternProperties", "additionalProperties", "unevaluatedProperties", "required", "allOf")
_PARTS_OF_ARRAYS = ("items", "prefixItems", "unevaluatedItems")
_WORDS = ("title", "description", "example", "examples", "default", "deprecated", "$comment")
_ELSEWHERE = frozenset((*_PARTS, *_PARTS_OF_ARRAYS, *_WORDS, "$ref", "$defs"))


def _said(given: Given, path: FieldPath) -> list[object]:
    found: list[object] = []
    for schema in given.schemas_at(path):
        if isinstance(schema, dict):
            local = {key: value for key, value in schema.items() if key not in _ELSEWHERE}
            if local and local not in found:
                found.append(local)
        elif schema not in found:
            found.append(schema)
    return found
