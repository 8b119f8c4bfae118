"""The operator `anything-but`: values, or one of four operators on strings. Source: aws/event-ruler."""

from collections.abc import Callable, Mapping
from typing import Any

from harness.bus.patterns.fields import Key, key_of
from harness.bus.patterns.matchers import AnythingBut, Matcher, NoneOf
from harness.bus.patterns.numbers import comparable, written
from harness.bus.patterns.operands import TOO_MANY, Refused, first, is_number, no_text, only
from harness.bus.patterns.text_operators import equals_ignore_case, prefix, suffix, wildcard

_NOT_PLAIN = "Inside anything but list, start|null|boolean is not supported."
_MIXED = "Inside anything but list, either all values are number or string, mixed type is not supported"
_NO_VALUE = "Value of anything-but must be an array or single string/number value."
_NO_AFFIX = no_text("prefix/suffix")


def anything_but(value: object) -> Matcher:
    if isinstance(value, Mapping):
        return _anything_but_operator(value)
    values = _values_but(value)
    keys: set[Key] = set()
    for element in values:
        if not is_number(element) and not isinstance(element, str):
            raise Refused(_NOT_PLAIN)
        if is_number(element) and not comparable(element):
            raise Refused(f"Cannot compare number : {written(element)}")
        keys.add(key_of(element))
    if len({isinstance(element, str) for element in values}) != 1:
        raise Refused(_MIXED)
    return AnythingBut(frozenset(keys))


def _values_but(value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, str) or is_number(value):
        return [value]
    raise Refused(_NO_VALUE)


def _anything_but_operator(value: Mapping[str, Any]) -> Matcher:
    name, inner = first(value, "Anything-But expression name not found")
    if name not in _OPERATORS:
        raise Refused(f"Unsupported anything-but pattern: {name}")
    texts = _values_but(inner)
    if not texts:
        raise Refused("Empty arrays are not allowed")
    compiled, refusal = _OPERATORS[name]
    for text in texts:
        if not isinstance(text, str):
            raise Refused(refusal)
        if not text and refusal is _NO_AFFIX:
            raise Refused("Null prefix/suffix not allowed")
    matcher = NoneOf(tuple(compiled(text) for text in texts))
    only(value, TOO_MANY)
    return matcher


# With the refusal of what is no string.
_OPERATORS: Mapping[str, tuple[Callable[[object], Matcher], str]] = {
    "prefix": (prefix, _NO_AFFIX),
    "suffix": (suffix, _NO_AFFIX),
    "equals-ignore-case": (
        equals_ignore_case,
        "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.",
    ),
    "wildcard": (wildcard, no_text("wildcard")),
}
