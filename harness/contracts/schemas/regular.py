"""Texts that match a regular expression of ECMA-262, for examples. What is drawn is a proposal: a validator decides.

Known are alternatives, groups, classes, escapes, quantifiers and anchors; lookaround is passed over.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_CLASSES: Final = {"d": "0123456789", "w": "abcxyz0189_ABCXYZ", "s": " "}
_OTHERS: Final = {"D": "a-_ ", "W": "- .", "S": "a0-"}
_CONTROLS: Final = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "v": "\v", "0": "\0"}
_PRINTABLE: Final = [chr(code) for code in (*range(97, 123), *range(65, 91), *range(48, 58), *range(32, 48), 233)]
_MAX_REPEAT: Final = 300


@lru_cache(maxsize=1024)
def texts(pattern: str, least: int = 0) -> tuple[str, ...]:
    """Some texts that `pattern` should match: the shortest, one of `least` characters and more where it can be."""
    try:
        short = _Reader(pattern, 0).alternatives()
        drawn = [short] if least == 0 else []
        drawn += [_Reader(pattern, more).alternatives() for more in (least, 1, 2)]
        others = [_Reader(pattern, least, branch=branch).alternatives() for branch in (1, 2)]
    except (_OddError, IndexError):  # unfinished patterns are for the validator to refuse
        return ()
    before = [] if pattern.startswith("^") else [text.rjust(least, "x") for text in drawn]
    after = [] if pattern.endswith("$") else [text.ljust(least, "x") for text in drawn]
    return tuple(dict.fromkeys((*drawn, *others, *before, *after)))


class _OddError(Exception):
    """A construct that is not drawn from."""


@dataclass(slots=True)
class _Reader:
    """Recursive descent over the pattern; each method gives the text that it drew."""

    pattern: str
    more: int
    """How many characters the text should have, to choose repetitions by."""
    branch: int = 0
    """Which alternative to take, of those that there are."""
    at: int = 0

    def alternatives(self) -> str:
        drawn = [self.sequence()]
        while self._take("|"):
            drawn.append(self.sequence())
        return drawn[self.branch % len(drawn)]

    def sequence(self) -> str:
        drawn = ""
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            drawn += self._repeated(self._atom(), len(drawn))
        return drawn

    def _atom(self) -> list[str]:
        """The candidates for one place, the first preferred."""
        char = self.pattern[self.at]
        self.at += 1
        if char == "(":
            return self._group()
        if char == "[":
            return self._class()
        if char == "\\":
            return self._escape()
        if char in "^$":
            return [""]
        return ["a", "0", " "] if char == "." else [char]

    def _group(self) -> list[str]:
        silent = self.pattern.startswith(("?=", "?!", "?<=", "?<!"), self.at)
        if self._take("?"):
            if self._take("<") and not silent:
                self.at = self.pattern.index(">", self.at) + 1
            else:
                self._take(":", "=", "!")
        drawn = self.alternatives()
        if not self._take(")"):
            raise _OddError
        return ["" if silent else drawn]

    def _class(self) -> list[str]:
        negated = self._take("^")
        found: list[str] = []
        while self.at < len(self.pattern) and self.pattern[self.at] != "]":
            start = self._member()
            if self.pattern.startswith("-", self.at) and not self.pattern.startswith("-]", self.at) and len(start) == 1:
                self.at += 1
                end = self._member()[0]
                span = range(ord(start[0]), min(ord(end), ord(start[0]) + 64) + 1)
                start = [chr(code) for code in span]
            found += start
        self.at += 1
        return [char for char in _PRINTABLE if char not in found] if negated else sorted(found, key=_plainness)

    def _member(self) -> list[str]:
        char = self.pattern[self.at]
        self.at += 1
        return self._escape() if char == "\\" else [char]

    def _escape(self) -> list[str]:
        if self.at >= len(self.pattern):
            raise _OddError
        char = self.pattern[self.at]
        self.at += 1
        if char in _CLASSES:
            return list(_CLASSES[char])
        if char in _OTHERS:
            return list(_OTHERS[char])
        if char in "bB":
            return [""]
        if char in "xu":
            length = 2 if char == "x" else 4
            digits = self.pattern[self.at : self.at + length]
            self.at += length
            try:
                return [chr(int(digits, 16))]
            except ValueError:
                raise _OddError from None
        if char in "pPkc" or (char.isdigit() and char != "0"):
            raise _OddError
        return [_CONTROLS.get(char, char)]

    def _repeated(self, candidates: list[str], drawn: int) -> str:
        least, most = self._quantifier()
        wanted = max(least, min(most, self.more - drawn, _MAX_REPEAT))
        if not candidates or wanted > 10 * _MAX_REPEAT:
            raise _OddError
        return candidates[0] * wanted

    def _quantifier(self) -> tuple[int, int]:
        least, most = 1, 1
        if self._take("*"):
            least, most = 0, 10**6
        elif self._take("+"):
            least, most = 1, 10**6
        elif self._take("?"):
            least, most = 0, 1
        elif self.pattern.startswith("{", self.at) and "}" in self.pattern[self.at :]:
            end = self.pattern.index("}", self.at)
            low, comma, high = self.pattern[self.at + 1 : end].partition(",")
            if not low.isdigit() or (high and not high.isdigit()):
                raise _OddError
            least = int(low)
            most = int(high) if high else (10**6 if comma else least)
            self.at = end + 1
        self._take("?")
        return least, most

    def _take(self, *chars: str) -> bool:
        taken = False
        for char in chars:
            if self.pattern.startswith(char, self.at):
                self.at += 1
                taken = True
        return taken


def _plainness(char: str) -> tuple[bool, str]:
    return (not char.isalnum(), char)
