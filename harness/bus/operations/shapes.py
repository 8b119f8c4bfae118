"""Whether a request has the shape that AWS's model gives it, and AWS's sentence for each way to miss it.

A shape is a value; `read_request` holds a request against one. Wrong JSON types are refused alone, constraints all at
once. What is a secret is never repeated in a sentence.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from harness.bus.put_events import RequestError
from harness.query_protocol.constraints import Text, member, violation

# Of a value that is refused, no more is repeated than this.
MAX_ECHO_CHARACTERS = 1024
REDACTED: Final = "*** Sensitive Data Redacted ***"


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that no answer and no log may show."""

    text: Text


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words, in the order in which AWS names them."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Whole:
    least: int = -(2**31)
    most: int = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Instant:
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Many:
    """A list. `least` and `most` members."""

    of: "Shape"
    least: int = 0
    most: int = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Table:
    """A map from names to texts."""

    names: Text
    values: Text
    most: int = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Structure:
    """Members by name; members that it does not know are ignored, as AWS ignores them."""

    name: str
    members: "Mapping[str, Shape]"
    required: tuple[str, ...] = ()


Shape = Text | Secret | Choice | Whole | Instant | Flag | Many | Table | Structure


def read_request(shape: Structure, payload: object) -> Mapping[str, Any] | RequestError:
    """The request without members that are null or unknown."""
    if not isinstance(payload, dict):
        return RequestError("SerializationException", "Start of structure or map found where not expected.")
    reading = _Reading()
    try:
        request: Mapping[str, Any] = reading.structure(shape, payload, "")
    except _WrongTypeError as error:
        where = f": {error.where}" if error.where else ""
        return RequestError("SerializationException", f"Unexpected field type{where}")
    if reading.violations:
        return violated(reading.violations)
    return request


def violated(sentences: Iterable[str]) -> RequestError:
    found = list(sentences)
    noun = "error" if len(found) == 1 else "errors"
    return RequestError("ValidationException", f"{len(found)} validation {noun} detected: {'; '.join(found)}")


class _WrongTypeError(Exception):
    """Not JSON of the kind that the shape wants."""

    def __init__(self, where: str) -> None:
        self.where = where
        super().__init__(where)


@dataclass(slots=True)
class _Reading:
    violations: list[str] = field(default_factory=list)

    def value(self, shape: Shape, value: object, where: str) -> Any:
        return _READERS[type(shape)](self, shape, value, where)

    def structure(self, shape: Structure, value: object, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise _WrongTypeError(where)
        for name in shape.required:
            if value.get(name) is None:
                self.violations.append(
                    f"Value null at '{_inside(where, name)}' failed to satisfy constraint: Member must not be null"
                )
        return {
            name: self.value(inner, value[name], _inside(where, name))
            for name, inner in shape.members.items()
            if value.get(name) is not None
        }

    def text(self, shape: Text, value: object, where: str) -> object:
        if not isinstance(value, str):
            raise _WrongTypeError(where)
        self._constraints(shape.violations(value), show(shape, value), where)
        return value

    def secret(self, shape: Secret, value: object, where: str) -> object:
        if not isinstance(value, str):
            raise _WrongTypeError(where)
        self._constraints(shape.text.violations(value), REDACTED, where)
        return value

    def choice(self, shape: Choice, value: object, where: str) -> object:
        if not isinstance(value, str):
            raise _WrongTypeError(where)
        if value not in shape.words:
            sentence = f"Member must satisfy enum value set: [{', '.join(shape.words)}]"
            self._constraints([sentence], show(shape, value), where)
        return value

    def whole(self, shape: Whole, value: object, where: str) -> object:
        if isinstance(value, bool) or not isinstance(value, int):
            raise _WrongTypeError(where)
        if value < shape.least:
            sentence = f"Member must have value greater than or equal to {shape.least}"
            self._constraints([sentence], str(value), where)
        elif value > shape.most:
            self._constraints([f"Member must have value less than or equal to {shape.most}"], str(value), where)
        return value

    def instant(self, shape: Instant, value: object, where: str) -> object:
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e11:
            raise _WrongTypeError(where)
        return value

    def flag(self, shape: Flag, value: object, where: str) -> object:
        if not isinstance(value, bool):
            raise _WrongTypeError(where)
        return value

    def many(self, shape: Many, value: object, where: str) -> list[object]:
        if not isinstance(value, list):
            raise _WrongTypeError(where)
        if self._has_length(len(value), shape.least, shape.most, shape, value, where):
            return [self.value(shape.of, item, f"{where}.{at}.member") for at, item in enumerate(value, start=1)]
        return value

    def table(self, shape: Table, value: object, where: str) -> object:
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise _WrongTypeError(where)
        if self._has_length(len(value), 0, shape.most, shape, value, where):
            for noun, of, texts in (("keys", shape.names, value), ("value", shape.values, value.values())):
                if any(any(True for _ in of.violations(text)) for text in texts):
                    sentence = f"Map {noun} must satisfy constraint: [{', '.join(_rules(of))}]"
                    self._constraints([sentence], show(shape, value), where)
        return value

    def _has_length(self, length: int, least: int, most: int, shape: Shape, value: object, where: str) -> bool:
        if least <= length <= most:
            return True
        bound = f"greater than or equal to {least}" if length < least else f"less than or equal to {most}"
        self._constraints([f"Member must have length {bound}"], show(shape, value), where)
        return False

    def _constraints(self, sentences: Iterable[str], shown: str, where: str) -> None:
        self.violations.extend(violation(shown, where, sentence) for sentence in sentences)


_READERS: Mapping[type, Callable[..., Any]] = {
    Text: _Reading.text,
    Secret: _Reading.secret,
    Choice: _Reading.choice,
    Whole: _Reading.whole,
    Instant: _Reading.instant,
    Flag: _Reading.flag,
    Many: _Reading.many,
    Table: _Reading.table,
    Structure: _Reading.structure,
}


def _rules(text: Text) -> Iterable[str]:
    """All sentences about a text, whichever it breaks."""
    yield f"Member must have length less than or equal to {text.most}"
    yield f"Member must have length greater than or equal to {text.least}"
    if text.shown:
        yield f"Member must satisfy regular expression pattern: {text.shown}"


def _inside(where: str, name: str) -> str:
    return f"{where}.{member(name)}" if where else member(name)


def show(shape: Shape, value: object) -> str:
    """As AWS repeats a value: lists in brackets, structures as `Name(member=value, ...)`."""
    return _shown(shape, value)[:MAX_ECHO_CHARACTERS]


def _shown(shape: Shape, value: object) -> str:
    if value is None:
        return "null"
    if isinstance(shape, Secret):
        return REDACTED
    if isinstance(shape, Many) and isinstance(value, list):
        return f"[{', '.join(_shown(shape.of, item) for item in value[:MAX_ECHO_CHARACTERS])}]"
    if isinstance(shape, Table) and isinstance(value, dict):
        return f"{{{', '.join(f'{name}={text}' for name, text in value.items())}}}"
    if isinstance(shape, Structure) and isinstance(value, dict):
        members = (f"{member(name)}={_shown(inner, value.get(name))}" for name, inner in shape.members.items())
        return f"{shape.name}({', '.join(members)})"
    return str(value)[:MAX_ECHO_CHARACTERS]
