"""The operator `numeric`: one comparison, or a lower bound and then an upper one. Source: aws/event-ruler."""

from typing import Any

from harness.bus.patterns.matchers import Matcher, Range
from harness.bus.patterns.numbers import comparable, written
from harness.bus.patterns.operands import TOO_MANY, Refused, is_number, token


def numeric(value: object) -> Matcher:
    if not isinstance(value, list):
        raise Refused("Value of numeric must be an array.")
    if not value or not isinstance(value[0], str):
        raise Refused(f"Invalid member in numeric match: {token(value, 0)}")
    operator = value[0]
    if operator not in ("=", "<", "<=", ">", ">="):
        raise Refused(f"Unrecognized numeric range operator: {operator}")
    bound = _number(value, 1, "equals" if operator == "=" else operator)
    inf = float("inf")
    if operator in (">", ">=") and len(value) > 2:
        return _between(value, bound)
    if len(value) > 2:
        # An upper bound must come last, so `["<", 5, ">", 0]` is refused too.
        raise Refused(TOO_MANY)
    bound = _compared(bound)
    match operator:
        case "=":
            return Range(bound, bound, False, False)
        case ">" | ">=":
            return Range(bound, inf, operator == ">", False)
        case _:
            return Range(-inf, bound, False, operator == "<")


def _between(value: list[Any], low: float) -> Matcher:
    operator = value[2]
    if not isinstance(operator, str):
        raise Refused(f"Bad value in numeric range: {token(value, 2)}")
    if operator not in ("<", "<="):
        raise Refused(f"Bad numeric range operator: {operator}")
    high = _number(value, 3, operator)
    if len(value) > 4:
        raise Refused("Too many terms in numeric range expression")
    low, high = _compared(low), _compared(high)
    if low >= high:
        raise Refused("Bottom must be less than top")
    return Range(low, high, value[0] == ">", operator == "<")


def _number(value: list[Any], at: int, operator: str) -> float:
    if at >= len(value) or not is_number(value[at]):
        raise Refused(f"Value of {operator} must be numeric")
    number: float = value[at]
    return number


def _compared(number: float) -> float:
    if not comparable(number):
        raise Refused(f"Cannot compare number : {written(number)}")
    return float(number)
