"""The template of an input transformer: text with `<placeholders>`, filled with values of one event.

A template is JSON with placeholders, or one quoted string a line. Between quotes a value is put in as bare text, so a
value may make the result invalid JSON; then nothing is delivered, as on AWS. Source: EventBridge user guide, "Input
transformation".
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from harness.bus.shaping.json_text import dumps
from harness.bus.shaping.path import NOTHING

PREDEFINED = (
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event.ingestion-time",
    "aws.events.event",
    "aws.events.event.json",
)

_PIECE = re.compile(r'(?P<escape>\\.)|(?P<quote>")|<(?P<name>[^<>\n]*)>|(?P<text>[^"\\<]+|.)', re.DOTALL)
_LINES = re.compile(r"\s*\n\s*")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`quoted`: it stands inside a string of the template."""

    name: str
    quoted: bool

    def fill(self, value: Any) -> str:
        if value is NOTHING:
            return "" if self.quoted else '""'
        if not self.quoted:
            return dumps(value).decode()
        if isinstance(value, str):
            return value
        return dumps(value).decode().replace('"', "")


@dataclass(frozen=True, slots=True)
class Template:
    """`lines`: of several quoted strings each is JSON of its own; of anything else there is one."""

    lines: tuple[tuple[str | Placeholder, ...], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """In their order, each once."""
        return tuple(dict.fromkeys(piece.name for line in self.lines for piece in line if not isinstance(piece, str)))

    def fill(self, values: Mapping[str, Any]) -> bytes | None:
        """None when the result is not valid JSON."""
        filled = [
            "".join(piece if isinstance(piece, str) else piece.fill(values[piece.name]) for piece in line)
            for line in self.lines
        ]
        try:
            for text in filled:
                orjson.loads(text)
        except orjson.JSONDecodeError:
            return None
        return "\n".join(filled).encode()


def parse_template(text: str) -> Template | str:
    """What is wrong with it as JSON, when something is: no value could mend that."""
    text = text.strip()
    lines = _LINES.split(text) if text.startswith('"') else [text]
    template = Template(tuple(_pieces(line) for line in lines))
    for line in template.lines:
        # Any value stands for all: as bare text it is within the string, else it is a value by itself.
        sample = "".join(piece if isinstance(piece, str) else ("x" if piece.quoted else '"x"') for piece in line)
        try:
            json.loads(sample, parse_constant=no_constant)
        except ValueError as error:
            return str(error)
        except RecursionError:
            return "it is nested too deep"
    return template


def _pieces(line: str) -> tuple[str | Placeholder, ...]:
    pieces: list[str | Placeholder] = []
    quoted = False
    for piece in _PIECE.finditer(line):
        if piece["quote"]:
            quoted = not quoted
        if piece["name"] is not None:
            pieces.append(Placeholder(piece["name"], quoted))
        elif pieces and isinstance(pieces[-1], str):
            pieces[-1] += piece[0]
        else:
            pieces.append(piece[0])
    return tuple(pieces)


def no_constant(name: str) -> Any:
    """For `json.loads`, which would take NaN and Infinity."""
    raise ValueError(f"{name} is not JSON")
