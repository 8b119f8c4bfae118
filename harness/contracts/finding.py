"""What a check of contracts says: one finding, its level, the place that it touches and an example of it.

A `Place` says structurally what is touched, so that findings can be crossed with what consumers use.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Side = Literal["old", "new"]
PlaceKind = Literal["api", "event"]


class Level(StrEnum):
    """How bad a finding is, the worst first."""

    BREAKING = "breaking"
    RISKY = "risky"
    SAFE = "safe"


@dataclass(frozen=True, slots=True)
class Source:
    """A line of a contract file; `line` from 1, 0 when the whole file is meant."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Place:
    """`path` is the template of the old contract below its server's base path (of the new one for what is new).

    `part` is one of `PARTS`. `parameter` is (location, name), of headers in lower case. `field` are the steps into the
    body or the value: names, and "*" for the items of an array or the values of a map.
    """

    kind: PlaceKind
    part: str
    method: str = ""
    path: str = ""
    parameter: tuple[str, str] | None = None
    status: str = ""
    media_type: str = ""
    field: tuple[str, ...] = ()
    detail_type: str = ""

    @property
    def label(self) -> str:
        """For people: `GET /orders/{id} 200 $.total`."""
        words = [self.detail_type] if self.kind == "event" else [self.method, self.path]
        if self.status:
            words.append(self.status)
        if self.parameter:
            location, name = self.parameter
            words.append(f"{location} {name}")
        elif self.part == "request-body":
            words.append("body")
        if self.field:
            words.append(_json_path(self.field))
        elif self.part == "event-detail":
            words.append("$")
        return " ".join(word for word in words if word) or self.part


PARTS = (
    "document",
    "server",
    "path",
    "operation",
    "parameter",
    "request-body",
    "response",
    "response-header",
    "security",
    "callback",
    "link",
    "event",
    "event-detail",
)


@dataclass(frozen=True, slots=True)
class Example:
    """A value that one side accepts and the other refuses, as both validators said.

    `value` is JSON: the body, the parameter's value or the event's detail. `of` says which.
    """

    value: Any = field(hash=False)
    accepted_by: Side
    of: str = "value"

    def __str__(self) -> str:
        import json

        return json.dumps(self.value, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """`rule` is stable. `old` and `new` say where each file says it; None where a file does not.

    `reason` is set where the level is a matter of caution: why nothing could be proven.
    """

    rule: str
    level: Level
    place: Place
    text: str
    old: Source | None = None
    new: Source | None = None
    example: Example | None = None
    reason: str = ""


def _json_path(steps: tuple[str, ...]) -> str:
    said = "$"
    for step in steps:
        if step == "*":
            said += "[*]"
        elif step.replace("_", "a").replace("-", "a").isalnum():
            said += f".{step}"
        else:
            said += f"[{step!r}]"
    return said
