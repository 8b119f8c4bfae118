"""The one error tree. An exception means that no answer could be reached; a refusal or a finding is a value.

- HarnessError: whoever reads the message can act on it; the command line prints it, no traceback
  - InputError: files or arguments of the user are wrong; carries every `Problem`; exit code 2
  - StartError: a part of a landscape could not be started; exit code 1
  - NotRunning: a command needs a running landscape and there is none; exit code 1
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in one place: `file:line: text`, text ending with the mend. `line` from 1; 0 = whole file."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.text}"


class HarnessError(Exception):
    """Base of all errors that a user can act on."""


class InputError(HarnessError):
    """What the user wrote is wrong. All problems at once, one a line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class StartError(HarnessError):
    """A process, port, folder or service of a landscape could not be brought up."""


class NotRunning(HarnessError):
    """No landscape runs here, and the command needs one."""


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """` (did you mean "orders"?)` when a known word is close to `word`, else an empty string."""
    from difflib import get_close_matches

    close = get_close_matches(word, known, n=1)
    return f' (did you mean "{close[0]}"?)' if close else ""


FAULTS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    HarnessError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a document may raise that is not as its readers expect (of a later version, or by another hand), and code that
did not think of something. What ends a task or the process is none of it.
"""
