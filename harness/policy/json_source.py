"""JSON read with its line numbers, objects also with their place in the text.

Duplicate member names are refused: IAM refuses them, and most other readers silently drop one of the two.
"""

from bisect import bisect_right
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder

from harness.errors import InputError, Problem

MAX_DEPTH = 32
_WHITE_SPACE = " \t\n\r"


@dataclass(frozen=True, slots=True)
class Text:
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, `true`, `false` or `null`, as spelled in the source."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Array:
    line: int
    items: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Member:
    line: int
    name: str
    value: "Node"


@dataclass(frozen=True, slots=True)
class Object:
    """`text[start:end]` is the object, braces included."""

    line: int
    members: tuple[Member, ...]
    start: int
    end: int


Node = Text | Literal | Array | Object


def read_json(text: str, file: str) -> Node:
    """The one value in `text`. Raises InputError at the first place where it is not JSON (RFC 8259)."""
    reader = _Reader(text, file)
    node = reader.value(0)
    reader.end()
    if reader.repeated:
        raise InputError(reader.repeated)
    return node


def _no_constant(name: str) -> None:
    raise ValueError(name)


# Numbers are kept as written: what they mean is the operator's affair.
_SCALARS = JSONDecoder(parse_int=str, parse_float=str, parse_constant=_no_constant)


class _Reader:
    def __init__(self, text: str, file: str) -> None:
        self.repeated: list[Problem] = []
        self._text = text
        self._file = file
        self._at = 0
        self._line_starts = [0, *(i + 1 for i, char in enumerate(text) if char == "\n")]

    def value(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self._error(f"nested deeper than {MAX_DEPTH} levels; a policy needs five")
        match self._peek():
            case "{":
                return self._object(depth)
            case "[":
                return self._array(depth)
            case _:
                return self._scalar()

    def end(self) -> None:
        if self._peek():
            raise self._error("text after the end of the JSON document; remove it")

    def _object(self, depth: int) -> Object:
        line, start = self._line(), self._at
        members: dict[str, Member] = {}
        self._at += 1
        while self._peek() != "}":
            if members:
                self._expect(",", "between two members")
            if self._peek() != '"':
                raise self._error("expected a member name in double quotes (is there a comma too many?)")
            at = self._line()
            name = self._scalar().text
            self._expect(":", f'after "{name}"')
            if name in members:
                first = members[name].line
                self.repeated.append(Problem(self._file, at, f'"{name}" is already given in line {first}; merge them'))
            members[name] = Member(at, name, self.value(depth + 1))
        self._at += 1
        return Object(line, tuple(members.values()), start, self._at)

    def _array(self, depth: int) -> Array:
        line = self._line()
        items: list[Node] = []
        self._at += 1
        while self._peek() != "]":
            if items:
                self._expect(",", "between two values")
            items.append(self.value(depth + 1))
        self._at += 1
        return Array(line, tuple(items))

    def _scalar(self) -> Text | Literal:
        line, start = self._line(), self._at
        try:
            value, self._at = _SCALARS.raw_decode(self._text, start)
        except JSONDecodeError as error:
            self._at = error.pos
            raise self._error(f"not JSON: {error.msg}") from None
        except ValueError:
            raise self._error("not JSON: NaN and Infinity are not allowed") from None
        if self._text[start] == '"':
            return Text(line, str(value))
        return Literal(line, self._text[start : self._at])

    def _peek(self) -> str:
        """The next character that is no white space, "" at the end."""
        text, at = self._text, self._at
        while at < len(text) and text[at] in _WHITE_SPACE:
            at += 1
        self._at = at
        return text[at : at + 1]

    def _expect(self, char: str, where: str) -> None:
        if self._peek() != char:
            raise self._error(f"not JSON: expected `{char}` {where}")
        self._at += 1

    def _line(self) -> int:
        return bisect_right(self._line_starts, self._at)

    def _error(self, text: str) -> InputError:
        return InputError([Problem(self._file, self._line(), text)])
