"""A regular expression of ECMA-262 as a tree, as far as contracts use it (JSON Schema 2020-12, 6.4).

What looks around (`(?=`, `\\b`) is left out: whoever draws from the tree asks a validator about what was drawn.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NoReturn

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Literal:
    """One character, or nothing."""

    text: str


@dataclass(frozen=True, slots=True)
class OneOf:
    """One character of `ranges`; `first` is the plainest of them."""

    ranges: Ranges
    first: str


@dataclass(frozen=True, slots=True)
class Row:
    """One after another."""

    parts: "tuple[Tree, ...]"


@dataclass(frozen=True, slots=True)
class Choice:
    arms: "tuple[Tree, ...]"


@dataclass(frozen=True, slots=True)
class Repeat:
    """`most` is None where there is no bound."""

    part: "Tree"
    least: int
    most: int | None


Tree = Literal | OneOf | Row | Choice | Repeat


class UnknownSyntax(ValueError):
    """The expression has something that no text is made for."""


@lru_cache(maxsize=1024)
def parsed(pattern: str) -> Tree:
    """Raises `UnknownSyntax`."""
    parser = _Parser(pattern)
    tree = parser.alternatives()
    if parser.at < len(pattern):
        parser.unknown()
    return tree


_PRINTABLE: Final[Ranges] = ((0x20, 0x7E),)
_DIGITS: Final[Ranges] = ((0x30, 0x39),)
_WORD: Final[Ranges] = ((0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_SPACE: Final[Ranges] = ((0x20, 0x20),)
_LETTERS: Final[Ranges] = ((0x41, 0x5A), (0x61, 0x7A))
_CLASSES: Final = {"d": OneOf(_DIGITS, "0"), "w": OneOf(_WORD, "a"), "s": OneOf(_SPACE, " ")}
_PROPERTIES: Final[dict[str, Ranges]] = {
    "L": _LETTERS,
    "Letter": _LETTERS,
    "Lu": ((0x41, 0x5A),),
    "Ll": ((0x61, 0x7A),),
    "N": _DIGITS,
    "Nd": _DIGITS,
    "P": ((0x21, 0x21), (0x2C, 0x2E), (0x3F, 0x3F)),
    "Z": _SPACE,
    "Zs": _SPACE,
}
_CONTROLS: Final = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D, "0": 0x00}
_PLAINEST: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
_BEYOND_ASCII: Final = 0xE9
_MOST_TIMES: Final = 10_000
_MOST_GROUPS: Final = 50
"""Within each other."""


class _Parser:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0
        self.open = 0

    def unknown(self) -> NoReturn:
        raise UnknownSyntax(f"no text can be made for the pattern {self.pattern} (at character {self.at + 1})")

    def alternatives(self) -> Tree:
        arms = [self._row()]
        while self._take("|"):
            arms.append(self._row())
        return arms[0] if len(arms) == 1 else Choice(tuple(arms))

    def _row(self) -> Tree:
        parts: list[Tree] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            parts.append(self._repeated(self._atom()))
        return Row(tuple(parts))

    def _repeated(self, part: Tree) -> Tree:
        least: int
        most: int | None
        if self._take("*"):
            least, most = 0, None
        elif self._take("+"):
            least, most = 1, None
        elif self._take("?"):
            least, most = 0, 1
        elif self._peek("{"):
            least, most = self._bounds()
        else:
            return part
        self._take("?")  # lazy or greedy: the same texts match
        return Repeat(part, least, most)

    def _bounds(self) -> tuple[int, int | None]:
        end = self.pattern.find("}", self.at)
        least, comma, most = self.pattern[self.at + 1 : end].partition(",")
        if end < 0 or not least.isdecimal() or not (most.isdecimal() or not most):
            self.unknown()
        self.at = end + 1
        low = int(least)
        high = int(most) if most else None if comma else low
        if low > _MOST_TIMES or (high is not None and high < low):
            self.unknown()
        return low, high

    def _atom(self) -> Tree:
        letter = self.pattern[self.at]
        self.at += 1
        match letter:
            case "^" | "$":
                return Literal("")
            case ".":
                return OneOf(_PRINTABLE, "a")
            case "(":
                return self._group()
            case "[":
                return self._set()
            case "\\":
                return Literal("") if self._take("b") or self._take("B") else self._escape()
            case "*" | "+" | "?":
                self.at -= 1
                self.unknown()
        return Literal(letter)

    def _group(self) -> Tree:
        silent = False
        if self._take("?"):
            if self._take("=") or self._take("!") or self._take("<=") or self._take("<!"):
                silent = True
            elif self._take("<"):
                self.at = self.pattern.find(">", self.at) + 1
                if not self.at:
                    self.unknown()
            elif not self._take(":"):
                self.unknown()
        self.open += 1
        if self.open > _MOST_GROUPS:
            self.unknown()
        tree = self.alternatives()
        self.open -= 1
        if not self._take(")"):
            self.unknown()
        return Literal("") if silent else tree

    def _escape(self) -> OneOf:
        """After a backslash."""
        if self.at >= len(self.pattern):
            self.unknown()
        letter = self.pattern[self.at]
        self.at += 1
        if letter.lower() in _CLASSES:
            named = _CLASSES[letter.lower()]
            return named if letter.islower() else self._others(named.ranges)
        if letter in _CONTROLS:
            return _one(_CONTROLS[letter])
        if letter in "xu":
            return self._code(2 if letter == "x" else 4)
        if letter in "pP" and self._take("{"):
            end = self.pattern.find("}", self.at)
            ranges = _PROPERTIES.get(self.pattern[self.at : end], ())
            if end < 0 or not ranges:
                self.unknown()
            self.at = end + 1
            return OneOf(ranges, _plainest(ranges)) if letter == "p" else self._others(ranges)
        if letter.isalnum():
            self.unknown()
        return _one(ord(letter))

    def _code(self, digits: int) -> OneOf:
        if self._take("{"):
            digits = self.pattern.find("}", self.at) - self.at
        text = self.pattern[self.at : self.at + max(digits, 0)]
        if len(text) != digits or not all(each in "0123456789abcdefABCDEF" for each in text) or not text:
            self.unknown()
        code = int(text, 16)
        if code > 0x10FFFF:
            self.unknown()
        self.at += digits
        self._take("}")
        return _one(code)

    def _set(self) -> OneOf:
        """After `[`."""
        negated = self._take("^")
        ranges: list[tuple[int, int]] = []
        while not self._take("]"):
            low = self._member()
            if self._peek("-") and self.pattern[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                high = self._member()
                if len(low) != 1 or len(high) != 1 or low[0][0] > high[0][1]:
                    self.unknown()
                ranges.append((low[0][0], high[0][1]))
            else:
                ranges += low
        if negated:
            return self._others(tuple(ranges))
        if not ranges:
            self.unknown()
        return OneOf(tuple(ranges), _plainest(tuple(ranges)))

    def _member(self) -> Ranges:
        if self.at >= len(self.pattern):
            self.unknown()
        letter = self.pattern[self.at]
        self.at += 1
        if letter != "\\":
            return ((ord(letter), ord(letter)),)
        return ((0x08, 0x08),) if self._take("b") else self._escape().ranges

    def _others(self, ranges: Ranges) -> OneOf:
        """The printable characters outside, else one beyond ASCII."""
        codes = [code for low, high in _PRINTABLE for code in range(low, high + 1)]
        outside = [code for code in (*codes, _BEYOND_ASCII) if not _within(code, ranges)]
        if not outside:
            self.unknown()
        outside = [code for code in outside if code != _BEYOND_ASCII] or outside
        first = next((char for char in _PLAINEST if ord(char) in outside), chr(outside[0]))
        return OneOf(tuple((code, code) for code in outside), first)

    def _peek(self, text: str) -> bool:
        return self.pattern.startswith(text, self.at)

    def _take(self, text: str) -> bool:
        if not self._peek(text):
            return False
        self.at += len(text)
        return True


def _one(code: int) -> OneOf:
    return OneOf(((code, code),), chr(code))


def _within(code: int, ranges: Ranges) -> bool:
    return any(low <= code <= high for low, high in ranges)


def _plainest(ranges: Ranges) -> str:
    """A digit before a letter before anything else."""
    plain = next((char for char in sorted(_PLAINEST[:-1]) if _within(ord(char), ranges)), None)
    return plain or chr(min(low for low, _ in ranges))
