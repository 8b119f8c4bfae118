"""The condition operators of IAM as one table: how each compares, what its values may look like, where variables work.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators". A request value that an operator cannot read
matches nothing; the negated operators are the exact opposite of the positive ones.
"""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from ipaddress import AddressValueError, NetmaskValueError, ip_address, ip_network
from operator import eq, ge, gt, le, lt
from typing import Any, TypeVar

from harness.policy.globs import (
    ARN_PARTS,
    Test,
    arn_parts,
    arn_test,
    fill_arn,
    filled_arn_test,
    filled_glob_test,
    glob_test,
)
from harness.policy.model import ContextValue
from harness.policy.variables import Filled, Template, fill

_Make = Callable[[Sequence[Filled]], Test]
_Fault = Callable[[Template], str | None]

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_DATE = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d\d)(-(?P<day>\d\d)"
    r"(T(?P<hour>\d\d):(?P<minute>\d\d)(:(?P<second>\d\d)(\.(?P<fraction>\d{1,9}))?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d))?)?)?"
)
_DATE_GROUPS = ("year", "month", "day", "hour", "minute", "second", "fraction", "zone")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Operator:
    """`make` turns the policy's values into a test of one request value. `fault` says what is wrong with a value that
    holds no variable, None when nothing is. `make_filled` is `make` for one value with a request's text in it."""

    name: str
    make: _Make
    fault: _Fault
    negated: bool = False
    variables: bool = False
    wildcards: bool = False
    make_filled: Callable[[Filled], Test] | None = None
    fill: Callable[[Template, Mapping[str, ContextValue]], Filled | None] = fill


def plain(value: Template) -> str:
    return "".join(str(token) for token in value)


def _no_fault(_: Template) -> None:
    return None


# String


def _equals(values: Sequence[Filled]) -> Test:
    return frozenset(plain(value) for value in values).__contains__


def _equals_ignore_case(values: Sequence[Filled]) -> Test:
    folded = frozenset(plain(value).casefold() for value in values)
    return lambda found: found.casefold() in folded


# Numeric


def number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _number_fault(value: Template) -> str | None:
    return None if number(plain(value)) is not None else f'"{plain(value)}" is not a number'


# Date


def instant(text: str) -> int | None:
    """Microseconds since 1970 of a W3C ISO 8601 date or of epoch seconds. Four digits are a year."""
    found = _DATE.fullmatch(text)
    if not found:
        seconds = number(text)
        return None if seconds is None else int(seconds.scaleb(6))
    year, month, day, hour, minute, second, fraction, zone = found.group(*_DATE_GROUPS)
    microsecond = int((fraction or "").ljust(6, "0")[:6])
    try:
        moment = datetime(
            int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), int(second or 0),
            microsecond, tzinfo=UTC,
        )  # fmt: skip
    except ValueError:  # the 31st of June, hour 25
        return None
    offset = timedelta()
    if zone not in (None, "Z"):
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6])) * (-1 if zone[0] == "-" else 1)
    return (moment - _EPOCH - offset) // _MICROSECOND


def _date_fault(value: Template) -> str | None:
    if instant(plain(value)) is not None:
        return None
    return f'"{plain(value)}" is no date; write 2026-01-31T12:00:00Z or seconds since 1970'


Comparable = TypeVar("Comparable", int, Decimal)


def _ordered(read: Callable[[str], Comparable | None], compare: Callable[[Comparable, Comparable], bool]) -> _Make:
    """A comparison with each of the policy's values; one that holds is enough."""

    def make(values: Sequence[Filled]) -> Test:
        limits = [limit for value in values if (limit := read(plain(value))) is not None]

        def test(found: str) -> bool:
            value = read(found)
            return value is not None and any(compare(value, limit) for limit in limits)

        return test

    return make


# Bool, Binary


def _bool(values: Sequence[Filled]) -> Test:
    wanted = frozenset(plain(value).lower() for value in values) & {"true", "false"}
    return lambda found: found.lower() in wanted


def _bool_fault(value: Template) -> str | None:
    return None if plain(value).lower() in ("true", "false") else f'"{plain(value)}" is not true or false'


def _bytes(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except (Base64Error, ValueError):  # not base64; not ASCII
        return None


def _binary(values: Sequence[Filled]) -> Test:
    wanted = frozenset(_bytes(plain(value)) for value in values) - {None}
    return lambda found: _bytes(found) in wanted


def _binary_fault(value: Template) -> str | None:
    return None if _bytes(plain(value)) is not None else f'"{plain(value)}" is not base64'


# IP address

_Network = tuple[int, int, int]  # version, network, mask


def _network(text: str) -> _Network | None:
    try:
        found = ip_network(text, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        return None
    return found.version, int(found.network_address), int(found.netmask)


@lru_cache(maxsize=4096)
def _address(text: str) -> tuple[int, int] | None:
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return found.version, int(found)


def _ip(values: Sequence[Filled]) -> Test:
    networks = [network for value in values if (network := _network(plain(value)))]

    def test(found: str) -> bool:
        address = _address(found)
        if address is None:
            return False
        version, bits = address
        return any(version == family and bits & mask == network for family, network, mask in networks)

    return test


def _ip_fault(value: Template) -> str | None:
    return None if _network(plain(value)) else f'"{plain(value)}" is no IP address or CIDR block'


# ARN


def _arn_fault(value: Template) -> str | None:
    parts = arn_parts(value)
    if len(parts) == ARN_PARTS and parts[0] == ("arn",):
        return None
    return "an ARN has six parts, arn:partition:service:region:account:resource, each may be `*`"


NULL = "Null"


def _table() -> dict[str, Operator]:
    def pair(positive: str, negative: str, make: _Make, fault: _Fault, **options: Any) -> list[Operator]:
        return [
            Operator(positive, make, fault, **options),
            Operator(negative, make, fault, negated=True, **options),
        ]

    like: dict[str, Any] = {"variables": True, "wildcards": True, "make_filled": filled_glob_test}
    arn: dict[str, Any] = {"variables": True, "wildcards": True, "make_filled": filled_arn_test, "fill": fill_arn}
    text: dict[str, Any] = {"variables": True}
    rows = [
        *pair("StringEquals", "StringNotEquals", _equals, _no_fault, **text),
        *pair("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", _equals_ignore_case, _no_fault, **text),
        *pair("StringLike", "StringNotLike", glob_test, _no_fault, **like),
        *pair("NumericEquals", "NumericNotEquals", _ordered(number, eq), _number_fault),
        Operator("NumericLessThan", _ordered(number, lt), _number_fault),
        Operator("NumericLessThanEquals", _ordered(number, le), _number_fault),
        Operator("NumericGreaterThan", _ordered(number, gt), _number_fault),
        Operator("NumericGreaterThanEquals", _ordered(number, ge), _number_fault),
        *pair("DateEquals", "DateNotEquals", _ordered(instant, eq), _date_fault),
        Operator("DateLessThan", _ordered(instant, lt), _date_fault),
        Operator("DateLessThanEquals", _ordered(instant, le), _date_fault),
        Operator("DateGreaterThan", _ordered(instant, gt), _date_fault),
        Operator("DateGreaterThanEquals", _ordered(instant, ge), _date_fault),
        Operator("Bool", _bool, _bool_fault, variables=True),
        Operator("BinaryEquals", _binary, _binary_fault),
        *pair("IpAddress", "NotIpAddress", _ip, _ip_fault),
        # ArnEquals and ArnLike behave identically (IAM User Guide).
        *pair("ArnEquals", "ArnNotEquals", arn_test, _arn_fault, **arn),
        *pair("ArnLike", "ArnNotLike", arn_test, _arn_fault, **arn),
        Operator(NULL, _bool, _bool_fault),
    ]
    return {row.name.lower(): row for row in rows}


OPERATORS = _table()
"""By name in lower case: operator names are case-insensitive."""
