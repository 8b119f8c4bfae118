"""What a target gets of an event: all of it, a constant, a part, or a text made with values of it.

`compile_input` reads a target as PutTargets takes it, once; the result shapes any event, and neither does I/O.
Source: EventBridge API reference, Target; EventBridge user guide, "Input transformation".
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from harness.bus.shaping.json_text import dumps
from harness.bus.shaping.path import NOTHING, InputPath, parse_path
from harness.bus.shaping.template import PREDEFINED, Template, no_constant, parse_template
from harness.clock import extended_iso

MAX_INPUT_CHARACTERS = 8192
MAX_PATH_CHARACTERS = 256
MAX_PATHS = 100
_KINDS = ("Input", "InputPath", "InputTransformer")
_NAME = re.compile(r"[A-Za-z0-9_\-]{1,256}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NotDelivered:
    """No attempt is made and none is repeated. `code` is that of a dead letter."""

    reason: str
    code: str = "INVALID_JSON"


_NO_JSON = NotDelivered("the target's input template makes no valid JSON of this event")
_NOTHING_THERE = NotDelivered("the event has nothing at the target's InputPath", "INVALID_PARAMETER")


@dataclass(frozen=True, slots=True)
class InputShape:
    """At most one of the three is set; none: the whole event. `paths` belong to the template."""

    constant: bytes | None = None
    path: InputPath | None = None
    template: Template | None = None
    paths: Mapping[str, InputPath] = field(default_factory=dict)

    def shape(
        self, event: bytes | Mapping[str, Any], *, rule_arn: str, rule_name: str, ingested: datetime
    ) -> bytes | NotDelivered:
        """`event` as its JSON or parsed; `ingested` is when the bus took it."""
        if self.constant is not None:
            return self.constant
        if self.template is not None:
            given = {"aws.events.rule-arn": rule_arn, "aws.events.rule-name": rule_name}
            parsed = _parsed(event)
            values = {name: self._value(name, parsed, given, ingested) for name in self.template.names}
            filled = self.template.fill(values)
            return _NO_JSON if filled is None else filled
        if self.path is not None:
            found = self.path.find(_parsed(event))
            return _NOTHING_THERE if found is NOTHING else dumps(found)
        return event if isinstance(event, bytes) else dumps(event)

    def _value(self, name: str, event: Mapping[str, Any], given: Mapping[str, str], ingested: datetime) -> Any:
        match name:
            case "aws.events.event.ingestion-time":
                return extended_iso(ingested)
            case "aws.events.event.json":
                return event
            case "aws.events.event":
                # AWS writes this one key in camel case here.
                return {
                    "detailType" if key == "detail-type" else key: value
                    for key, value in event.items()
                    if key != "detail"
                }
        return given[name] if name in given else self.paths[name].find(event)


def _parsed(event: bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    parsed: Mapping[str, Any] = orjson.loads(event) if isinstance(event, bytes) else event
    return parsed


WHOLE = InputShape()


def compile_input(target: Mapping[str, Any], *, number: int = 1) -> InputShape | str:
    """`target` as in PutTargets, number `number` of the call; AWS's text when it is refused (ValidationException).

    Members of the wrong type are the protocol's to refuse: `Input` and `InputPath` are strings here, the map is one of
    strings.
    """
    given = [kind for kind in _KINDS if target.get(kind) is not None]
    broken = _constraints(target, f"targets.{number}.member")
    if broken:
        noun = "error" if len(broken) == 1 else "errors"
        return f"{len(broken)} validation {noun} detected: {'; '.join(broken)}"
    identity = target.get("Id", "")
    if len(given) > 1:
        return f"Only one of Input, InputPath, or InputTransformer must be provided for target {identity}."
    match given:
        case ["Input"]:
            return _constant(target["Input"], identity)
        case ["InputPath"]:
            path = parse_path(target["InputPath"])
            return f"Invalid InputPath for target {identity}." if path is None else InputShape(path=path)
        case ["InputTransformer"]:
            return _transformer(target["InputTransformer"], identity)
    return WHOLE


def _constant(text: str, identity: str) -> InputShape | str:
    try:
        json.loads(text, parse_constant=no_constant)
    except ValueError as error:
        return f"JSON syntax error in input for target {identity} : {error}."
    except RecursionError:
        return f"JSON syntax error in input for target {identity} : it is nested too deep."
    return InputShape(constant=text.encode())


def _transformer(transformer: Mapping[str, Any], identity: str) -> InputShape | str:
    paths: dict[str, InputPath] = {}
    for name, text in (transformer.get("InputPathsMap") or {}).items():
        path = parse_path(text)
        if path is None:
            return f"Invalid InputPathsMap for target {identity} : {name} is not a JSON path."
        paths[name] = path
    template = parse_template(transformer["InputTemplate"])
    if isinstance(template, str):
        return f"Invalid InputTemplate for target {identity} : {template}."
    for name in template.names:
        if name not in paths and name not in PREDEFINED:
            return f"InputTemplate for target {identity} contains invalid placeholder {name}."
    return InputShape(template=template, paths=paths)


def _constraints(target: Mapping[str, Any], where: str) -> list[str]:
    """The model's limits, all that are broken at once, in AWS's sentences."""
    found = [
        *_length(target.get("Input"), f"{where}.input", 0, MAX_INPUT_CHARACTERS),
        *_length(target.get("InputPath"), f"{where}.inputPath", 0, MAX_PATH_CHARACTERS),
    ]
    transformer = target.get("InputTransformer")
    if transformer is None:
        return found
    where = f"{where}.inputTransformer"
    paths = transformer.get("InputPathsMap") or {}
    if len(paths) > MAX_PATHS:
        sentence = f"Member must have length less than or equal to {MAX_PATHS}"
        found.append(_violation(_shown(paths), f"{where}.inputPathsMap", sentence))
    if not all(map(_NAME.fullmatch, paths)):
        # Without a dot in it no key begins with `AWS.`, which is reserved.
        found.append(_violation(_shown(paths), f"{where}.inputPathsMap", _KEYS))
    if any(len(text) > MAX_PATH_CHARACTERS for text in paths.values()):
        sentence = (
            f"Map value must satisfy constraint: [Member must have length less than or equal to {MAX_PATH_CHARACTERS}]"
        )
        found.append(_violation(_shown(paths), f"{where}.inputPathsMap", sentence))
    text = transformer.get("InputTemplate")
    if text is None:
        found.append(f"Value null at '{where}.inputTemplate' failed to satisfy constraint: Member must not be null")
    return found + _length(text, f"{where}.inputTemplate", 1, MAX_INPUT_CHARACTERS)


_KEYS = (
    "Map keys must satisfy constraint: [Member must have length less than or equal to 256, "
    "Member must have length greater than or equal to 1, "
    r"Member must satisfy regular expression pattern: [A-Za-z0-9\_\-]+]"
)


def _length(value: str | None, where: str, least: int, most: int) -> list[str]:
    if value is None or least <= len(value) <= most:
        return []
    bound = f"greater than or equal to {least}" if len(value) < least else f"less than or equal to {most}"
    return [_violation(value, where, f"Member must have length {bound}")]


def _violation(value: str, where: str, sentence: str) -> str:
    return f"Value '{value}' at '{where}' failed to satisfy constraint: {sentence}"


def _shown(paths: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}={text}" for name, text in paths.items()) + "}"
