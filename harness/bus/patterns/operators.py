"""The operators of event patterns, by name. Source: aws/event-ruler, whose wording the refusals keep."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from harness.bus.patterns.addresses import NoAddress, read_address
from harness.bus.patterns.anything_but import anything_but
from harness.bus.patterns.matchers import Addresses, Exists, Matcher
from harness.bus.patterns.numeric import numeric
from harness.bus.patterns.operands import ONE_KEY, TOO_MANY, Refused, first, no_text, only, text_of
from harness.bus.patterns.text_operators import equals_ignore_case, exactly, prefix, suffix, wildcard


def exists(value: object) -> Matcher | None:
    """None stands for absence: `{"exists": false}`."""
    if not isinstance(value, bool):
        raise Refused("exists match pattern must be either true or false.")
    return Exists() if value else None


def cidr(value: object) -> Matcher:
    # The ruler speaks of a prefix here too.
    parts = text_of(value, no_text("prefix")).split("/")
    while parts and not parts[-1]:  # Java's split drops empty parts at the end
        parts.pop()
    if len(parts) != 2:
        raise Refused("Malformed CIDR, one '/' required")
    address, bits = parts
    if not re.fullmatch(r"[+-]?[0-9]{1,10}", bits, re.ASCII):
        raise Refused("Malformed CIDR, mask bits must be an integer")
    if int(bits) < 0:
        raise Refused("Malformed CIDR, mask bits must not be negative")
    try:
        digits = read_address(address)
    except NoAddress as error:
        raise Refused(f"Invalid IP address: {address}") from error
    if digits is None:
        raise Refused(f"Nonstandard IP address: {address}")
    width, family = len(digits) * 4, "IPv4" if len(digits) == 8 else "IPv6"
    if int(bits) >= width:
        raise Refused(f"{family} mask bits must be < {width}")
    host = (1 << (width - int(bits))) - 1
    low = int(digits, 16) & ~host
    return Addresses(f"{low:0{width // 4}X}", f"{low | host:0{width // 4}X}")


def expression(value: Mapping[str, Any]) -> Matcher | None:
    """The matcher of an operator in a list of alternatives; None for absence."""
    name, inner = first(value, "Match expression name not found")
    if name not in OPERATORS:
        raise Refused(f"Unrecognized match type {name}")
    try:
        matcher = OPERATORS[name](inner)
    except Refused as refused:
        raise Refused(refused.text, name) from refused
    # The ruler looks for the end of these two with the words of the other.
    only(value, TOO_MANY if name in ("numeric", "anything-but") else ONE_KEY)
    return matcher


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

RESERVED = frozenset(
    {
        *OPERATORS,
        *("=", "<", "<=", ">", ">="),
        *("regex", "not-wildcard", "not-equals-ignore-case"),
        *("date-after", "date-on-or-after", "date-before", "date-on-or-before", "in-date-range"),
        *("ip-address-in-range", "ip-address-not-in-range"),
    }
)
"""Names that no field directly below `$or` may have: operators, and those that the ruler keeps for later."""
