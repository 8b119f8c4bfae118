"""What a service accepts as a parameter, and AWS's sentence for each way to miss it.

Source: botocore's models (min, max, pattern of each shape); the sentences as AWS sends them.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.query_protocol.answers import Refusal
from harness.query_protocol.calls import Parameters


@dataclass(frozen=True, slots=True)
class Text:
    """Length in characters. `shown` is the pattern as AWS prints it, `pattern` the same for Python."""

    least: int
    most: int
    shown: str = ""
    pattern: str = ""

    def violations(self, value: str) -> Iterable[str]:
        if len(value) < self.least:
            yield f"Member must have length greater than or equal to {self.least}"
        if len(value) > self.most:
            yield f"Member must have length less than or equal to {self.most}"
        if self.shown and not re.fullmatch(self.pattern or self.shown, value, re.ASCII):
            yield f"Member must satisfy regular expression pattern: {self.shown}"


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number."""

    least: int
    most: int

    def violations(self, value: str) -> Iterable[str]:
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            yield "Member must be a whole number"
        elif int(value) < self.least:
            yield f"Member must have value greater than or equal to {self.least}"
        elif int(value) > self.most:
            yield f"Member must have value less than or equal to {self.most}"


def check(
    parameters: Parameters,
    table: Mapping[str, Text | Whole],
    *,
    required: Iterable[str],
    optional: Iterable[str] = (),
    more: Iterable[str] = (),
) -> Refusal | None:
    """All violations at once, as AWS counts them. `more`: violations found elsewhere (of lists)."""
    found = [
        f"Value null at '{member(name)}' failed to satisfy constraint: Member must not be null"
        for name in required
        if name not in parameters
    ]
    for name in (*required, *optional):
        if name in parameters:
            found.extend(
                violation(parameters[name], member(name), sentence)
                for sentence in table[name].violations(parameters[name])
            )
    found.extend(more)
    if not found:
        return None
    noun = "error" if len(found) == 1 else "errors"
    return Refusal("ValidationError", f"{len(found)} validation {noun} detected: {'; '.join(found)}")


def violation(value: str, where: str, sentence: str) -> str:
    return f"Value '{value}' at '{where}' failed to satisfy constraint: {sentence}"


def member(name: str) -> str:
    """`RoleArn` is `roleArn` in AWS's sentences."""
    return name[0].lower() + name[1:]
