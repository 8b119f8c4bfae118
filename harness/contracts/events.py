"""Event contracts: a JSON Schema for the `detail` of a detail-type, `contracts/<provider>/events/<Event>.v<N>.json`."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from harness.errors import InputError, Problem


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which an event breaks its contract. `pointer` is a JSON Pointer (RFC 6901) into the `detail`."""

    pointer: str
    text: str

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: {self.text}"


@dataclass(frozen=True, slots=True)
class Breach:
    """A violation without any value of the event: where it is, and the keyword of JSON Schema that is broken."""

    pointer: str
    keyword: str

    def __str__(self) -> str:
        return f"{self.pointer or '/'}: {self.keyword}"


class EventContract:
    """`provider` is the domain whose folder holds the file, `detail_type` the file's name without `.json`."""

    def __init__(self, provider: str, detail_type: str, text: str, *, file: str) -> None:
        self.provider = provider
        self.detail_type = detail_type
        try:
            schema = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError([Problem(file, error.lineno, f"not JSON: {error.msg}")]) from error
        try:
            self._validator = jsonschema_rs.validator_for(schema, validate_formats=True)
        except jsonschema_rs.ValidationError as error:
            place = _pointer(error.instance_path)
            raise InputError([Problem(file, 0, f"not a JSON Schema: {place or '/'}: {error.message}")]) from error
        except ValueError as error:
            raise InputError([Problem(file, 0, f"not a JSON Schema: {error}")]) from error

    def violations(self, detail: Any) -> list[Violation]:
        """Empty when `detail` is valid."""
        return [
            Violation(_pointer(error.instance_path), error.message) for error in self._validator.iter_errors(detail)
        ]

    def breaches(self, detail: Any) -> Iterator[Breach]:
        """One by one, as they are found. What is nested too deep for the validator counts as broken."""
        try:
            errors = self._validator.iter_errors(detail)
        except ValueError:
            yield Breach("", "nesting")
            return
        for error in errors:
            yield Breach(_pointer(error.instance_path), error.kind.name)


def _pointer(path: Sequence[str | int]) -> str:
    """RFC 6901 section 3."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
