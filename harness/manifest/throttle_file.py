"""What a manifest may say about how many requests an API takes."""

from collections.abc import Mapping
from typing import TypeVar

from harness.gateway.limits import Limit, Per
from harness.gateway.routes import METHODS
from harness.manifest.fields import (
    At,
    Failed,
    Reader,
    Where,
    integer,
    located,
    mapping,
    number,
    one_of,
    optional,
    record,
    required,
    shape,
)
from harness.yaml_source import Node, Table

T = TypeVar("T")

RATE = number(0, 1_000_000)
BURST = integer(0, 1_000_000)
_NOTHING = "0 lets nothing pass"
_RATE_ABOUT = "requests a second in the long run"
_BURST_ABOUT = f"requests that may come at once: what the token bucket holds; {_NOTHING}"


@shape
class LimitEntry:
    rate: float = required(RATE, instead=0.0, about=f"{_RATE_ABOUT}; {_NOTHING}")
    burst: int = required(BURST, instead=0, about=_BURST_ABOUT)


def operation_mistake(key: str) -> str:
    """What is wrong with the form of an operation's name, or nothing."""
    method, _, template = key.partition(" ")
    if method in (*METHODS.values(), "ANY") and template.startswith("/"):
        return ""
    return f'"{key}" is not an operation: a method in capitals and a path of the contract, as "POST /orders"'


_LIMITS = mapping(operation_mistake, located(record(LimitEntry)))


@shape
class QuotaEntry:
    limit: int = required(integer(0, 1_000_000_000_000), instead=0, about="requests in a period; 0 lets nothing pass")
    per: str = required(
        one_of(*Per), instead=Per.DAY, about="`day`, `week` or `month`, by the calendar in UTC; a week begins on Sunday"
    )


@shape
class PlanEntry:
    rate: float | None = optional(RATE, default=None, about=f"{_RATE_ABOUT}, of all its calls together; {_NOTHING}")
    burst: int | None = optional(BURST, default=None, about=_BURST_ABOUT)
    quota: QuotaEntry | None = optional(record(QuotaEntry), default=None, about="how many requests in a period")
    methods: Mapping[str, At[LimitEntry]] = optional(
        _LIMITS, default={}, about="further limits of single operations, as `POST /orders`, in each version"
    )


def with_both(read: Reader[T]) -> Reader[T]:
    """Of `rate` and `burst` both are given, or none."""

    def read_both(node: Node, where: Where) -> T | Failed:
        given = {entry.key: entry.line for entry in node.entries} if isinstance(node, Table) else {}
        for key, other in (("rate", "burst"), ("burst", "rate")):
            if key in given and other not in given:
                where.wrong(given[key], f'a limit is made of both: give "{other}" beside "{key}"')
        return read(node, where)

    return read_both


@shape
class ThrottleEntry:
    rate: float | None = optional(RATE, default=None, about=f"{_RATE_ABOUT}, of each operation by itself; {_NOTHING}")
    burst: int | None = optional(BURST, default=None, about=_BURST_ABOUT)
    methods: Mapping[str, At[LimitEntry]] = optional(
        _LIMITS, default={}, about="limits of single operations, as `POST /orders`, instead of those"
    )
    callers: Mapping[str, At[PlanEntry]] = optional(
        mapping(lambda name: "" if name else "a caller is a role: name it", located(with_both(record(PlanEntry)))),
        default={},
        about="usage plans, by role: `NAME` or `ACCOUNT/NAME`; `*` gives each other caller one like it",
    )


def limit_of(entry: LimitEntry | PlanEntry | ThrottleEntry | None) -> Limit | None:
    if entry is None or entry.rate is None or entry.burst is None:
        return None
    return Limit(entry.rate, entry.burst)
