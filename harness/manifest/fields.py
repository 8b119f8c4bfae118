"""How a tree of YAML becomes typed values: each kind of mapping is a class whose fields name their readers.

A reader takes a node and says its value, or puts down a problem and says FAILED. A record goes on after that with the
field's stand-in, so that one run finds every mistake; whoever reads a file looks at the problems before the values.
"""

import dataclasses
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Generic, TypeVar, dataclass_transform

from harness.errors import Problem, did_you_mean
from harness.manifest.files import UnreadableError
from harness.yaml_source import Flaw, Items, Kind, Node, Scalar, Table, plain

T = TypeVar("T")
D = TypeVar("D")
C = TypeVar("C")


class Failed(Enum):
    FAILED = "failed"


FAILED: Final = Failed.FAILED


@dataclass(frozen=True, slots=True)
class At(Generic[T]):
    """A value and the line that it stands in, for what can only be checked once all files are read."""

    value: T
    line: int


@dataclass(frozen=True, slots=True)
class Where:
    """The file and key being read, and the list that all mistakes are put on."""

    file: str
    problems: list[Problem]
    key: str = ""

    def under(self, key: str | int) -> "Where":
        deeper = f"{self.key}[{key}]" if isinstance(key, int) else f"{self.key}.{key}".lstrip(".")
        return Where(self.file, self.problems, deeper)

    def problem(self, line: int, text: str) -> Failed:
        self.problems.append(Problem(self.file, line, text))
        return FAILED

    def wrong(self, line: int, text: str) -> Failed:
        """A problem of the key being read, which is named first."""
        return self.problem(line, f"{self.key}: {text}" if self.key else text)

    def unreadable(self, named: At[Any], what: str, error: UnreadableError, *, file: str = "") -> None:
        """A file that could not be read: a mistake of the line that names it, or inside that file."""
        if error.inside:
            self.problems.append(Problem(file or what, error.line, error.text))
        else:
            self.problem(named.line, f"{what} {error.text}".lstrip())

    def flaws(self, flaws: list[Flaw]) -> None:
        for flaw in flaws:
            self.problem(flaw.line, flaw.text)


Reader = Callable[[Node, Where], T | Failed]


def described(node: Node) -> str:
    """Completes "must be …, not …"."""
    match node:
        case Table():
            return "a mapping"
        case Items():
            return "a list"
        case Scalar(Kind.NULL):
            return "nothing"
        case Scalar(Kind.TEXT):
            return f'"{_shortened(node.text)}"'
    return f"the {node.kind} {_shortened(node.text)}"


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"


# Scalars


def text(node: Node, where: Where) -> str | Failed:
    if isinstance(node, Scalar) and node.kind is Kind.TEXT:
        return node.text or where.wrong(node.line, "is empty: give it a value or take the key out")
    mend = f': write it in quotes, "{node.text}"' if isinstance(node, Scalar) and node.text else ""
    return where.wrong(node.line, f"must be text, not {described(node)}{mend}")


def boolean(node: Node, where: Where) -> bool | Failed:
    if isinstance(node, Scalar) and node.kind is Kind.BOOLEAN:
        return node.text.lower() == "true"
    return where.wrong(node.line, f"must be true or false, not {described(node)}")


def integer(lowest: int, highest: int) -> Reader[int]:
    def read(node: Node, where: Where) -> int | Failed:
        # Longer texts are out of every range, and Python refuses to convert very long ones.
        if isinstance(node, Scalar) and node.kind is Kind.INTEGER and len(node.text) <= 20:
            number: int = plain(node)
            if lowest <= number <= highest:
                return number
        return where.wrong(node.line, f"must be a whole number from {lowest:,} to {highest:,}, not {described(node)}")

    return read


def number(lowest: float, highest: float) -> Reader[float]:
    """Whole or decimal."""

    def read(node: Node, where: Where) -> float | Failed:
        if isinstance(node, Scalar) and node.kind in (Kind.INTEGER, Kind.NUMBER) and len(node.text) <= 20:
            with suppress(ValueError):  # .inf and .nan are numbers to YAML
                value = float(plain(node))
                if lowest <= value <= highest:
                    return value
        return where.wrong(node.line, f"must be a number from {lowest:,} to {highest:,}, not {described(node)}")

    return read


def one_of(*choices: str) -> Reader[str]:
    def read(node: Node, where: Where) -> str | Failed:
        if isinstance(node, Scalar) and node.kind is Kind.TEXT and node.text in choices:
            return node.text
        listed = f"{', '.join(choices[:-1])} or {choices[-1]}"
        return where.wrong(node.line, f"must be {listed}, not {described(node)}")

    return read


def json_object(node: Node, where: Where) -> Mapping[str, Any] | Failed:
    """A mapping of anything that JSON can say."""
    if not isinstance(node, Table):
        return where.wrong(node.line, f"must be a mapping, not {described(node)}")
    try:
        value: Mapping[str, Any] = plain(node)
    except ValueError as error:
        return where.wrong(node.line, str(error))
    return value


# Structures


def located(read: Reader[T]) -> Reader[At[T]]:
    def read_located(node: Node, where: Where) -> At[T] | Failed:
        value = read(node, where)
        return FAILED if value is FAILED else At(value, node.line)

    return read_located


def with_node(read: Reader[T]) -> Reader[tuple[T, Node]]:
    """Keeps the tree beside the value, for a checker that points into it later."""

    def read_both(node: Node, where: Where) -> tuple[T, Node] | Failed:
        value = read(node, where)
        return FAILED if value is FAILED else (value, node)

    return read_both


def sequence(read: Reader[T], *, at_least: int = 0) -> Reader[tuple[T, ...]]:
    """Items that fail are left out."""

    def read_items(node: Node, where: Where) -> tuple[T, ...] | Failed:
        if not isinstance(node, Items):
            mend = f": write [{node.text}]" if isinstance(node, Scalar) and node.text else ""
            return where.wrong(node.line, f"must be a list, not {described(node)}{mend}")
        if len(node.items) < at_least:
            return where.wrong(node.line, "is an empty list: name at least one")
        values = (read(item, where.under(index)) for index, item in enumerate(node.items))
        return tuple(value for value in values if value is not FAILED)

    return read_items


def mapping(key: Callable[[str], str], read: Reader[T], *, at_least: int = 0) -> Reader[Mapping[str, T]]:
    """`key` says what is wrong with a key, or nothing. Entries that fail are left out."""

    def read_entries(node: Node, where: Where) -> Mapping[str, T] | Failed:
        if not isinstance(node, Table):
            return where.wrong(node.line, f"must be a mapping, not {described(node)}")
        if len(node.entries) < at_least:
            return where.wrong(node.line, "is an empty mapping: name at least one")
        values: dict[str, T] = {}
        for entry in node.entries:
            if mistake := key(entry.key):
                where.wrong(entry.line, mistake)
            value = read(entry.value, where.under(entry.key))
            if value is not FAILED:
                values[entry.key] = value
        return values

    return read_entries


@dataclass(frozen=True, slots=True)
class Rule:
    """How one key is read; `instead` stands in when it is absent or wrong."""

    read: Reader[Any]
    instead: Any
    required: bool
    about: str


def required(read: Reader[T], *, instead: D, about: str) -> T | D:
    """`about`: the key's meaning, for the list of keys in the documentation."""
    spec: Any = field(metadata={"rule": Rule(read, instead, True, about)})
    return spec  # type: ignore[no-any-return]


def optional(read: Reader[T], *, default: D, about: str) -> T | D:
    # The value itself, not a factory: every stand-in is immutable by its type.
    spec: Any = field(default_factory=lambda: default, metadata={"rule": Rule(read, default, False, about)})
    return spec  # type: ignore[no-any-return]


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(required, optional))
def shape(cls: type[C]) -> type[C]:
    """A mapping with known keys: every field is `required` or `optional`, and `_` in its name is `-` in its key."""
    return dataclass(frozen=True, kw_only=True)(cls)


def rules(cls: type[Any]) -> Mapping[str, Rule]:
    """The keys of a shape, in the order of its fields."""
    return {item.name.replace("_", "-"): item.metadata["rule"] for item in dataclasses.fields(cls)}


def record(cls: type[C]) -> Reader[C]:
    known = rules(cls)

    def read(node: Node, where: Where) -> C | Failed:
        if not isinstance(node, Table):
            return where.wrong(node.line, f"must be a mapping with {_listed(known)}, not {described(node)}")
        given = {entry.key: entry for entry in node.entries}
        for entry in node.entries:
            if entry.key not in known:
                hint = did_you_mean(entry.key, list(known)) or f" (known here: {_listed(known)})"
                where.problem(entry.line, f'unknown key "{where.under(entry.key).key}"{hint}')
        values: dict[str, Any] = {}
        for key, rule in known.items():
            value: Any = FAILED
            if key in given:
                value = rule.read(given[key].value, where.under(key))
            elif rule.required:
                where.problem(node.line, f'the key "{where.under(key).key}" is missing: {rule.about}')
            values[key.replace("-", "_")] = rule.instead if value is FAILED else value
        return cls(**values)

    return read


def _listed(keys: Mapping[str, Any]) -> str:
    return ", ".join(keys)
