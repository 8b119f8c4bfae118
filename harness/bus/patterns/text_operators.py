"""The operators on strings. Source: aws/event-ruler (`JsonRuleCompiler`, `WildcardParser`)."""

from collections.abc import Mapping
from typing import Any

from harness.bus.patterns.matchers import Equals, Folded, Matcher, Prefix, Suffix, Wildcard
from harness.bus.patterns.operands import ONE_KEY, Refused, first, no_text, only, text_of


def exactly(value: object) -> Matcher:
    return Equals(text_of(value, no_text("exact")))


def prefix(value: object) -> Matcher:
    if isinstance(value, Mapping):
        return Folded(Prefix(_ignoring_case(value, "prefix").casefold()))
    return Prefix(text_of(value, no_text("prefix")))


def suffix(value: object) -> Matcher:
    if isinstance(value, Mapping):
        return Folded(Suffix(_ignoring_case(value, "suffix").casefold()))
    return Suffix(text_of(value, no_text("suffix")))


def equals_ignore_case(value: object) -> Matcher:
    text = text_of(value, no_text("equals-ignore-case"))
    return Folded(Equals(text.casefold()))


def wildcard(value: object) -> Matcher:
    text = text_of(value, no_text("wildcard"))
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


def _ignoring_case(value: Mapping[str, Any], operator: str) -> str:
    name, inner = first(value, f"{operator.capitalize()} expression name not found")
    if name != "equals-ignore-case":
        raise Refused(f"Unsupported {operator} pattern: {name}")
    text = text_of(inner, no_text("equals-ignore-case"))
    only(value, ONE_KEY)
    return text


def _position(text: str, at: int) -> int:
    """The ruler counts bytes, and the opening quote is one of them."""
    return len(text[:at].encode(errors="surrogatepass")) + 1
