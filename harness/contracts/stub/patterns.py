"""Text that a regular expression matches: ECMA-262's syntax, as far as contracts use it (JSON Schema 2020-12, 6.4).

What looks around (`(?=`, `\\b`) is left out of the text; whoever asks validates what comes and may ask again.
"""

from collections.abc import Callable
from random import Random
from typing import Final, NoReturn

Piece = Callable[[Random], str]
Ranges = list[tuple[int, int]]

PRINTABLE: Final[Ranges] = [(0x20, 0x7E)]
_DIGITS: Final[Ranges] = [(0x30, 0x39)]
_WORD: Final[Ranges] = [(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)]
_SPACE: Final[Ranges] = [(0x20, 0x20)]
_CLASSES: Final = {"d": _DIGITS, "w": _WORD, "s": _SPACE}
_PROPERTIES: Final = {
    "L": [(0x41, 0x5A), (0x61, 0x7A)],
    "Letter": [(0x41, 0x5A), (0x61, 0x7A)],
    "Lu": [(0x41, 0x5A)],
    "Ll": [(0x61, 0x7A)],
    "N": _DIGITS,
    "Nd": _DIGITS,
    "P": [(0x21, 0x21), (0x2C, 0x2E), (0x3F, 0x3F)],
    "Z": _SPACE,
    "Zs": _SPACE,
}
_CONTROLS: Final = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D, "0": 0x00}
# How many more than it must a repetition without a bound has at most.
_MORE: Final = 2


class UnknownSyntax(ValueError):
    """The expression has something that no text is made for."""


def text_for(pattern: str) -> Piece:
    """Draws text that matches. Raises `UnknownSyntax`."""
    parser = _Parser(pattern)
    piece = parser.alternatives()
    if parser.at < len(pattern):
        parser.unknown()
    return piece


class _Parser:
    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def unknown(self) -> NoReturn:
        raise UnknownSyntax(f"no text can be made for the pattern {self.pattern} (at character {self.at + 1})")

    def alternatives(self) -> Piece:
        found = [self._sequence()]
        while self._take("|"):
            found.append(self._sequence())
        return found[0] if len(found) == 1 else lambda random: random.choice(found)(random)

    def _sequence(self) -> Piece:
        pieces: list[Piece] = []
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            pieces.append(self._repeated(self._atom()))
        return lambda random: "".join(piece(random) for piece in pieces)

    def _repeated(self, piece: Piece) -> Piece:
        least, most = 1, 1
        if self._take("*"):
            least, most = 0, _MORE
        elif self._take("+"):
            least, most = 1, 1 + _MORE
        elif self._take("?"):
            least, most = 0, 1
        elif self._peek("{"):
            bounds = self._bounds()
            if bounds is None:
                return piece
            least, most = bounds
        else:
            return piece
        self._take("?")  # lazy or greedy: the same texts match

        def drawn(random: Random) -> str:
            return "".join(piece(random) for _ in range(random.randint(least, min(most, max(least, 1) + _MORE))))

        return drawn

    def _bounds(self) -> tuple[int, int] | None:
        end = self.pattern.find("}", self.at)
        least, comma, most = self.pattern[self.at + 1 : end].partition(",")
        if end < 0 or not least.isdecimal() or not (most.isdecimal() or not most):
            self.unknown()
        self.at = end + 1
        low = int(least)
        high = int(most) if most else low + _MORE if comma else low
        if high < low or low > 10_000:
            self.unknown()
        return low, high

    def _atom(self) -> Piece:
        letter = self.pattern[self.at]
        self.at += 1
        match letter:
            case "^" | "$":
                return _nothing
            case ".":
                return _one_of(PRINTABLE)
            case "(":
                return self._group()
            case "[":
                return _one_of(self._set())
            case "\\":
                return self._escaped()
            case "*" | "+" | "?":
                self.at -= 1
                self.unknown()
        return lambda random: letter

    def _group(self) -> Piece:
        silent = False
        if self._take("?"):
            if self._take(":"):
                pass
            elif self._take("=") or self._take("!") or self._take("<=") or self._take("<!"):
                silent = True
            elif self._take("<"):
                self.at = self.pattern.find(">", self.at) + 1
                if not self.at:
                    self.unknown()
            else:
                self.unknown()
        piece = self.alternatives()
        if not self._take(")"):
            self.unknown()
        return _nothing if silent else piece

    def _escaped(self) -> Piece:
        if self._take("b") or self._take("B"):
            return _nothing
        return _one_of(self._escape())

    def _escape(self) -> Ranges:
        """After a backslash."""
        if self.at >= len(self.pattern):
            self.unknown()
        letter = self.pattern[self.at]
        self.at += 1
        if letter.lower() in _CLASSES:
            ranges = _CLASSES[letter.lower()]
            return ranges if letter.islower() else _others(ranges)
        if letter in _CONTROLS:
            return [(_CONTROLS[letter],) * 2]
        if letter in "xu":
            return self._code(2 if letter == "x" else 4)
        if letter in "pP" and self._take("{"):
            end = self.pattern.find("}", self.at)
            ranges = _PROPERTIES.get(self.pattern[self.at : end], [])
            if end < 0 or not ranges:
                self.unknown()
            self.at = end + 1
            return ranges if letter == "p" else _others(ranges)
        if letter.isalnum():
            self.unknown()
        return [(ord(letter),) * 2]

    def _code(self, digits: int) -> Ranges:
        if self._take("{"):
            digits = self.pattern.find("}", self.at) - self.at
        text = self.pattern[self.at : self.at + max(digits, 0)]
        if len(text) != digits or not all(each in "0123456789abcdefABCDEF" for each in text) or not text:
            self.unknown()
        self.at += digits
        self._take("}")
        return [(int(text, 16),) * 2]

    def _set(self) -> Ranges:
        """After `[`."""
        negated = self._take("^")
        ranges: Ranges = []
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
        found = _others(ranges) if negated else ranges
        return found or self.unknown()

    def _member(self) -> Ranges:
        if self.at >= len(self.pattern):
            self.unknown()
        letter = self.pattern[self.at]
        self.at += 1
        if letter != "\\":
            return [(ord(letter),) * 2]
        return [(0x08, 0x08)] if self._take("b") else self._escape()

    def _peek(self, text: str) -> bool:
        return self.pattern.startswith(text, self.at)

    def _take(self, text: str) -> bool:
        if not self._peek(text):
            return False
        self.at += len(text)
        return True


def _nothing(random: Random) -> str:
    return ""


def _one_of(ranges: Ranges) -> Piece:
    """Printable characters where the ranges have some: a caller has to read what is drawn."""
    shown = [(max(low, 0x21), min(high, 0x7E)) for low, high in ranges if high >= 0x21 and low <= 0x7E]
    choices = shown or ranges
    return lambda random: chr(random.randint(*random.choice(choices)))


def _others(ranges: Ranges) -> Ranges:
    """The printable characters outside."""
    return [
        (code, code)
        for low, high in PRINTABLE
        for code in range(low, high + 1)
        if not any(start <= code <= end for start, end in ranges)
    ]
