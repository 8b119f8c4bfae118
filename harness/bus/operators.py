"""Compiles what follows an operator's name in a pattern.

Source: aws/event-ruler (`JsonRuleCompiler`), whose wording the refusals keep.
"""

from collections.abc import Callable

from harness.bus.fields import Key
from harness.bus.matchers import (
    Addresses,
    AnythingBut,
    Equals,
    Exists,
    Folded,
    Matcher,
    NoneOf,
    Prefix,
    Range,
    Suffix,
    Wildcard,
    address_digits,
)


class Refused(Exception):
    """The text of the ruler's refusal; `compile_pattern` adds the place."""


def exactly(value: object) -> Matcher:
    return Equals(_text(value, "exact match pattern must be a string"))


def prefix(value: object) -> Matcher:
    if isinstance(value, dict):
        return Folded(Prefix(_ignoring_case(value, "prefix").casefold()))
    return Prefix(_text(value, "prefix match pattern must be a string"))


def suffix(value: object) -> Matcher:
    if isinstance(value, dict):
        return Folded(Suffix(_ignoring_case(value, "suffix").casefold()))
    return Suffix(_text(value, "suffix match pattern must be a string"))


def equals_ignore_case(value: object) -> Matcher:
    text = _text(value, "equals-ignore-case match pattern must be a string")
    return Folded(Equals(text.casefold()))


def exists(value: object) -> Matcher | None:
    """None stands for absence: `{"exists": false}`."""
    if not isinstance(value, bool):
        raise Refused("exists match pattern must be either true or false.")
    return Exists() if value else None


def cidr(value: object) -> Matcher:
    text = _text(value, "prefix match pattern must be a string")
    address, slash, bits = text.partition("/")
    if not slash or "/" in bits:
        raise Refused("Malformed CIDR, one '/' required")
    digits = address_digits(address)
    if digits is None:
        raise Refused(f"Nonstandard IP address: {address}")
    if not bits.isascii() or not bits.isdigit():
        raise Refused(f"Malformed CIDR, mask bits must be an integer: {bits}")
    width, family = len(digits) * 4, "IPv4" if len(digits) == 8 else "IPv6"
    if int(bits) >= width:
        raise Refused(f"{family} mask bits must be < {width}")
    host = (1 << (width - int(bits))) - 1
    low = int(digits, 16) & ~host
    return Addresses(f"{low:0{width // 4}X}", f"{low | host:0{width // 4}X}")


def wildcard(value: object) -> Matcher:
    text = _text(value, "wildcard match pattern must be a string")
    parts = [""]
    at = 0
    while at < len(text):
        char, follower = text[at], text[at + 1 : at + 2]
        if char == "\\":
            if follower not in ("*", "\\"):
                raise Refused(f"Invalid escape character at pos {_position(text, at)}")
            parts[-1] += follower
            at += 1
        elif char == "*":
            if follower == "*":
                raise Refused(f"Consecutive wildcard characters at pos {_position(text, at)}")
            parts.append("")
        else:
            parts[-1] += char
        at += 1
    return Wildcard(tuple(parts))


_NOT_PLAIN = "Inside anything but list, start|null|boolean is not supported."
_MIXED = "Inside anything but list, either all values are number or string, mixed type is not supported"


def anything_but(value: object) -> Matcher:
    if isinstance(value, dict):
        return _anything_but_operator(value)
    if isinstance(value, bool) or not isinstance(value, str | int | float | list):
        raise Refused("Value of anything-but must be an array or single string/number value.")
    values = value if isinstance(value, list) else [value]
    keys: set[Key] = set()
    for element in values:
        if isinstance(element, bool) or not isinstance(element, str | int | float):
            raise Refused(_NOT_PLAIN)
        keys.add(element)
    if len({isinstance(element, str) for element in values}) != 1:
        raise Refused(_MIXED)
    return AnythingBut(frozenset(keys))


def _anything_but_operator(value: dict[str, object]) -> Matcher:
    if not value:
        raise Refused("Anything-But expression name not found")
    name = next(iter(value))
    if name not in _INSIDE_ANYTHING_BUT:
        raise Refused(f"Unsupported anything-but pattern: {name}")
    wanted = _only_value(value)
    texts = wanted if isinstance(wanted, list) else [wanted]
    if not texts:
        raise Refused("Empty arrays are not allowed")
    for text in texts:
        if not isinstance(text, str):
            raise Refused(f"{_KIND_OF.get(name, name)} match pattern must be a string")
        if not text and name in _KIND_OF:
            raise Refused("Null prefix/suffix not allowed")
    return NoneOf(tuple(_INSIDE_ANYTHING_BUT[name](text) for text in texts))


_KIND_OF = {"prefix": "prefix/suffix", "suffix": "prefix/suffix"}
_INSIDE_ANYTHING_BUT: dict[str, Callable[[object], Matcher]] = {
    "prefix": prefix,
    "suffix": suffix,
    "equals-ignore-case": equals_ignore_case,
    "wildcard": wildcard,
}

_TOO_MANY = "Too many elements in numeric expression"


def numeric(value: object) -> Matcher:
    if not isinstance(value, list):
        raise Refused("Value of numeric must be an array.")
    if not value or not isinstance(value[0], str):
        raise Refused(f"Invalid member in numeric match: {_shown(value[0]) if value else ']'}")
    operator, rest = value[0], value[1:]
    if operator not in ("=", "<", "<=", ">", ">="):
        raise Refused(f"Unrecognized numeric range operator: {operator}")
    bound = _number(rest, "equals" if operator == "=" else operator)
    inf = float("inf")
    if operator in (">", ">=") and len(value) > 2:
        return _between(bound, operator == ">", value[2:])
    if len(value) > 2:
        # An upper bound must come last, so `["<", 5, ">", 0]` is refused too.
        raise Refused(_TOO_MANY)
    match operator:
        case "=":
            return Range(bound, bound, False, False)
        case ">" | ">=":
            return Range(bound, inf, operator == ">", False)
        case _:
            return Range(-inf, bound, False, operator == "<")


def _between(low: float, low_open: bool, upper: list[object]) -> Matcher:
    operator = upper[0]
    if not isinstance(operator, str):
        raise Refused(f"Bad value in numeric range: {_shown(operator)}")
    if operator not in ("<", "<="):
        raise Refused(f"Bad numeric range operator: {operator}")
    high = _number(upper[1:], operator)
    if len(upper) > 2:
        raise Refused("Too many terms in numeric range expression")
    if low >= high:
        raise Refused("Bottom must be less than top")
    return Range(low, high, low_open, operator == "<")


def _number(rest: list[object], operator: str) -> float:
    if not rest or isinstance(rest[0], bool) or not isinstance(rest[0], int | float):
        raise Refused(f"Value of {operator} must be numeric")
    number = rest[0]
    if isinstance(number, int) and (abs(number) > 1 << 1023 or int(float(number)) != number):
        raise Refused(f"Cannot compare number : {number}")
    return number


def _ignoring_case(value: dict[str, object], operator: str) -> str:
    name = next(iter(value), None)
    if name != "equals-ignore-case":
        raise Refused(f"Unsupported {operator} match pattern: {name}")
    return _text(_only_value(value), "equals-ignore-case match pattern must be a string")


def _only_value(value: dict[str, object]) -> object:
    if len(value) > 1:
        raise Refused("Only one key allowed in match expression")
    return next(iter(value.values()))


def _text(value: object, refusal: str) -> str:
    if not isinstance(value, str):
        raise Refused(refusal)
    return value


def _position(text: str, at: int) -> int:
    """The ruler counts bytes, and the opening quote is one of them."""
    return len(text[:at].encode()) + 1


def _shown(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value)


OPERATORS: dict[str, Callable[[object], Matcher | None]] = {
    "exactly": exactly,
    "prefix": prefix,
    "suffix": suffix,
    "equals-ignore-case": equals_ignore_case,
    "anything-but": anything_but,
    "numeric": numeric,
    "exists": exists,
    "cidr": cidr,
    "wildcard": wildcard,
}
