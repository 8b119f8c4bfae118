"""From the text of a YAML file to a tree that remembers lines, and every flaw of the YAML itself.

Accepted is what JSON can also say, in the core schema of YAML 1.2 (chapter 10.3), with dates left as text. Built on the
parser's events, because a finished document no longer shows duplicate keys, aliases, tags or how a number was spelled.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import islice
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentEndEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

MAX_NODES = 100_000  # once aliases are followed: a few lines of nested aliases can stand for billions of values
MAX_DEPTH = 64


class Kind(StrEnum):
    """What a scalar is; the values complete the sentence "must be …, not the …"."""

    TEXT = "text"
    INTEGER = "number"
    NUMBER = "decimal number"
    BOOLEAN = "truth value"
    NULL = "nothing"
    DATE = "date"


@dataclass(frozen=True, slots=True)
class Scalar:
    """`text` is what the file says, before any conversion: `007` stays `007`."""

    kind: Kind
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Items:
    items: "tuple[Node, ...]"
    line: int


@dataclass(frozen=True, slots=True)
class Entry:
    key: str
    line: int
    value: "Node"


@dataclass(frozen=True, slots=True)
class Table:
    """`line` is that of the key which the mapping belongs to, so that "x is missing" points at its owner."""

    entries: tuple[Entry, ...]
    line: int


Node = Scalar | Items | Table


@dataclass(frozen=True, slots=True)
class Flaw:
    """A mistake in the YAML itself."""

    line: int
    text: str


_BEGINNINGS: Final = frozenset(("", *"~nNtTfF+-.0123456789"))
"""Of a plain scalar that may be more than text."""
# The order matters: the first that matches the whole of a plain scalar says what it is.
_PLAIN: Final = tuple(
    (re.compile(pattern, re.ASCII), kind)
    for pattern, kind in (
        (r"|~|null|Null|NULL", Kind.NULL),
        (r"true|True|TRUE|false|False|FALSE", Kind.BOOLEAN),
        (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", Kind.INTEGER),
        (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", Kind.NUMBER),
        (r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", Kind.NUMBER),
        (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", Kind.DATE),
    )
)
_TEXT_TAGS: Final = ("!", "tag:yaml.org,2002:str")
# YAML 1.2, production 1: what is not a printable character.
_NOT_PRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse_yaml(text: str, *, max_nodes: int = MAX_NODES) -> tuple[Node | None, list[Flaw]]:
    """The tree, or None when there is none to speak of, and the flaws found on the way."""
    if odd := _NOT_PRINTABLE.search(text):
        line = text.count("\n", 0, odd.start()) + 1
        return None, [Flaw(line, f"the character U+{ord(odd[0]):04X} is not allowed in YAML")]
    builder = _Builder(_events(text), max_nodes)
    try:
        return builder.document(), builder.flaws
    except _TooMuchError as error:
        return None, [*builder.flaws, Flaw(error.line, str(error))]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        context = error.context
        if context and _line(error.context_mark) != _line(mark):
            context = f"{context} (begun in line {_line(error.context_mark)})"
        said = ", ".join(part for part in (context, error.problem) if part)
        return None, [*builder.flaws, Flaw(_line(mark), f"not YAML: {said}")]


def _events(text: str) -> Iterator[Event]:
    # libyaml's parser is eighteen times as fast as Python's, and keeps its own stack.
    loader = yaml.CLoader if yaml.__with_libyaml__ else yaml.Loader
    return iter(loader(text).get_event, None)  # as yaml.parse does, without a step of Python for each event


class _TooMuchError(Exception):
    """The file stands for more than anyone means to write; there is no tree."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(text)
        self.line = line


@dataclass(slots=True)
class _Builder:
    events: Iterator[Event]
    max_nodes: int
    flaws: list[Flaw] = field(default_factory=list)
    anchors: dict[str, tuple[Node, int] | None] = field(default_factory=dict)
    """Each node and how many it stands for; None while the node is still open."""
    nodes: int = 0

    def document(self) -> Node | None:
        *_, first = islice(self.events, 3)  # start of the stream, start of the document, its root
        if isinstance(first, StreamEndEvent) or not isinstance(first, NodeEvent):
            self._flaw(0, "is empty")
            return None
        root = self._node(first, 1, 0)
        for event in self.events:
            if not isinstance(event, DocumentEndEvent | StreamEndEvent):
                self._flaw(_line(event.start_mark), 'a second document begins here ("---"): one a file')
                break
        return root

    def _node(self, event: Event, owner_line: int, depth: int) -> Node | None:
        """`owner_line`: where the key or list item that holds the node stands. None when it was flawed."""
        line = _line(event.start_mark)
        before = self.nodes
        self._count(1, line)
        if depth > MAX_DEPTH:
            raise _TooMuchError(line, f"nested more than {MAX_DEPTH} levels deep")
        if isinstance(event, AliasEvent):
            return self._alias(str(event.anchor), line)
        assert isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent)
        anchor = event.anchor
        if anchor is not None:
            self.anchors[anchor] = None
        node: Node | None
        match event:
            case ScalarEvent():
                node = self._scalar(event, line)
            case SequenceStartEvent():
                items = [self._node(item, _line(item.start_mark), depth + 1) for item in self._children()]
                node = Items(tuple(item for item in items if item is not None), line)
            case MappingStartEvent():
                node = Table(tuple(self._entries(depth)), owner_line)
        if not isinstance(event, ScalarEvent) and event.tag is not None:
            self._flaw(line, f'the tag "{event.tag}" means nothing here: take it out')
            node = None
        if anchor is not None and node is not None:
            self.anchors[anchor] = node, self.nodes - before
        return node

    def _scalar(self, event: ScalarEvent, line: int) -> Scalar | None:
        text: str = event.value
        if event.tag is not None and event.tag not in _TEXT_TAGS:
            self._flaw(line, f'the tag "{event.tag}" means nothing here: take it out')
            return None
        if not event.implicit[0] or event.tag is not None:  # quoted, a block, or "!!str"
            return Scalar(Kind.TEXT, text, line)
        if text[:1] not in _BEGINNINGS:
            return Scalar(Kind.TEXT, text, line)
        kind = next((kind for pattern, kind in _PLAIN if pattern.fullmatch(text)), Kind.TEXT)
        return Scalar(kind, text, line)

    def _alias(self, anchor: str, line: int) -> Node | None:
        if anchor not in self.anchors:
            self._flaw(line, f'the alias "*{anchor}" has no anchor "&{anchor}" above it')
            return None
        anchored = self.anchors[anchor]
        if anchored is None:
            self._flaw(line, f'the alias "*{anchor}" holds itself: write the values out')
            return None
        node, size = anchored
        self._count(size, line)
        return _moved(node, line)

    def _entries(self, depth: int) -> Iterator[Entry]:
        first: dict[str, int] = {}
        for event in self._children():
            line = _line(event.start_mark)
            key = event.value if isinstance(event, ScalarEvent) else None
            if key is None:  # skip the whole key, with what it holds
                self._node(event, line, depth + 1)
                self._flaw(line, "a key must be text: write the mapping without aliases, lists or mappings as keys")
            value = self._node(next(self.events), line, depth + 1)
            if key == "<<":
                self._flaw(line, 'merge keys ("<<") are not supported: write the values out')
            elif key is not None and key in first:
                self._flaw(line, f'the key "{key}" is given twice (first in line {first[key]}): keep one')
            elif key is not None:
                first[key] = line
                if value is not None:
                    yield Entry(key, line, value)

    def _children(self) -> Iterator[Event]:
        for event in self.events:
            if isinstance(event, CollectionEndEvent):
                return
            yield event

    def _count(self, nodes: int, line: int) -> None:
        self.nodes += nodes
        if self.nodes > self.max_nodes:
            raise _TooMuchError(line, f"more than {self.max_nodes:,} values once its aliases are followed")

    def _flaw(self, line: int, text: str) -> None:
        self.flaws.append(Flaw(line, text))


def _line(mark: Any) -> int:
    """From a mark of libyaml's or of the pure parser; neither sets one in every case."""
    return int(mark.line) + 1 if mark is not None else 0


def _moved(node: Node, line: int) -> Node:
    """The node as if it were written where its alias stands."""
    match node:
        case Scalar():
            return replace(node, line=line)
        case Items():
            return Items(tuple(_moved(item, line) for item in node.items), line)
        case Table():
            entries = (Entry(entry.key, line, _moved(entry.value, line)) for entry in node.entries)
            return Table(tuple(entries), line)


def plain(node: Node) -> Any:
    """The value as JSON would have it: dict, list, str, int, float, bool or None; a date is its text.

    Raises ValueError for a number that JSON has no form for (`.inf`, `.nan`, thousands of digits).
    """
    match node:
        case Table():
            return {entry.key: plain(entry.value) for entry in node.entries}
        case Items():
            return [plain(item) for item in node.items]
        case Scalar():
            return _VALUES[node.kind](node.text)


def _number(text: str) -> float:
    if text.lower().lstrip("+-") in (".inf", ".nan"):
        raise ValueError(f"{text} is no number that JSON can say")
    return float(text)


_VALUES: Final[dict[Kind, Callable[[str], Any]]] = {
    Kind.TEXT: str,
    Kind.DATE: str,
    Kind.INTEGER: lambda text: int(text, 0 if text.startswith(("0o", "0x")) else 10),
    Kind.NUMBER: _number,
    Kind.BOOLEAN: lambda text: text.lower() == "true",
    Kind.NULL: lambda text: None,
}


def line_of(node: Node, path: tuple[str | int, ...]) -> int:
    """The line of what a path of keys and indexes leads to, or of the last step that the tree has."""
    line = node.line
    for step in path:
        if isinstance(node, Table):
            found = next(((entry.line, entry.value) for entry in node.entries if entry.key == step), None)
        elif isinstance(node, Items) and isinstance(step, int) and step < len(node.items):
            found = (node.items[step].line, node.items[step])
        else:
            found = None
        if found is None:
            return line
        line, node = found
    return line


def from_plain(value: object, line: int = 0) -> Node:
    """A tree from decoded JSON, every node at `line`, so that the same tables read it."""
    match value:
        case dict():
            entries = (Entry(str(key), line, from_plain(item, line)) for key, item in value.items())
            return Table(tuple(entries), line)
        case list():
            return Items(tuple(from_plain(item, line) for item in value), line)
        case bool():
            return Scalar(Kind.BOOLEAN, "true" if value else "false", line)
        case int():
            return Scalar(Kind.INTEGER, str(value), line)
        case float():
            return Scalar(Kind.NUMBER, repr(value), line)
        case None:
            return Scalar(Kind.NULL, "", line)
    return Scalar(Kind.TEXT, str(value), line)
