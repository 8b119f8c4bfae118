"""What follows an operator's name: read, or refused in the words of aws/event-ruler (`JsonRuleCompiler`)."""

from collections.abc import Mapping
from typing import Any, TypeGuard

from harness.bus.patterns.numbers import written
from harness.bus.patterns.pattern_text import pairs_of

ONE_KEY = "Only one key allowed in match expression"
TOO_MANY = "Too many elements in numeric expression"


class Refused(Exception):
    """The text of the ruler's refusal; `operator`: it is about what follows that name."""

    def __init__(self, text: str, operator: str = "") -> None:
        self.text = text
        self.operator = operator
        super().__init__(text)


def no_text(operator: str) -> str:
    return f"{operator} match pattern must be a string"


def first(value: Mapping[str, Any], without: str) -> tuple[str, object]:
    for pair in pairs_of(value):
        return pair
    raise Refused(without)


def only(value: Mapping[str, Any], refusal: str) -> None:
    if len(pairs_of(value)) > 1:
        raise Refused(refusal)


def text_of(value: object, refusal: str) -> str:
    if not isinstance(value, str):
        raise Refused(refusal)
    return value


def is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def token(value: list[Any], at: int) -> str:
    """The JSON token there, as the ruler's parser shows it."""
    if at >= len(value):
        return "]"
    match value[at]:
        case None:
            return "null"
        case bool(yes):
            return "true" if yes else "false"
        case dict():
            return "{"
        case list():
            return "["
        case number:
            return written(number)
