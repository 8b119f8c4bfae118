"""What a manifest may say about how many requests an API takes, and how that becomes the gateway's settings."""

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from harness.errors import did_you_mean
from harness.gateway.limits import EVERY_OTHER, Limit, Per, Quota, Throttling, UsagePlan
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
from harness.manifest.organisation import Roles
from harness.manifest.yaml_source import Node, Table

T = TypeVar("T")

RATE = number(0, 1_000_000)
BURST = integer(0, 1_000_000)
_RATE_ABOUT = "requests a second in the long run; 0 lets nothing pass"
_BURST_ABOUT = "requests that may come at once: what the token bucket holds; 0 lets nothing pass"


@shape
class LimitEntry:
    rate: float = required(RATE, instead=0.0, about=_RATE_ABOUT)
    burst: int = required(BURST, instead=0, about=_BURST_ABOUT)


def _operation(key: str) -> str:
    method, _, template = key.partition(" ")
    if method in (*METHODS.values(), "ANY") and template.startswith("/"):
        return ""
    return f'"{key}" is not an operation: a method in capitals and a path of the contract, as "POST /orders"'


_LIMITS = mapping(_operation, located(record(LimitEntry)))


@shape
class QuotaEntry:
    limit: int = required(integer(0, 1_000_000_000_000), instead=0, about="requests in a period; 0 lets nothing pass")
    per: str = required(
        one_of(*Per), instead=Per.DAY, about="`day`, `week` or `month`, by the calendar in UTC; a week begins on Sunday"
    )


@shape
class PlanEntry:
    rate: float | None = optional(RATE, default=None, about=f"{_RATE_ABOUT}; of all its calls together")
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
    rate: float | None = optional(RATE, default=None, about=f"{_RATE_ABOUT}; of each operation by itself")
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


def link_throttling(
    entry: ThrottleEntry | None, *, operations: Collection[str] | None, roles: Roles, where: Where
) -> Throttling:
    """`operations`: those of the contracts (`POST /orders`); None when a contract could not be read."""
    if entry is None:
        return Throttling()
    plans: dict[str, UsagePlan] = {}
    for name, at in entry.callers.items():
        plan = at.value
        quota = Quota(plan.quota.limit, Per(plan.quota.per)) if plan.quota else None
        limits = _methods(plan.methods, operations, where.under("callers").under(name))
        arn = EVERY_OTHER if name == EVERY_OTHER else _caller(name, at.line, roles, where.under("callers"))
        if arn in plans:
            where.under("callers").wrong(at.line, f'the role "{name}" has a plan already: keep one')
        elif arn:
            plans[arn] = UsagePlan(limit_of(plan), quota, limits)
    return Throttling(limit_of(entry), _methods(entry.methods, operations, where), plans)


def _methods(
    entries: Mapping[str, At[LimitEntry]], operations: Collection[str] | None, where: Where
) -> Mapping[str, Limit]:
    limits: dict[str, Limit] = {}
    for name, at in entries.items():
        if operations is not None and name not in operations and not _operation(name):
            hint = did_you_mean(name, list(operations)) or f": known are {', '.join(operations)}"
            where.under("methods").wrong(at.line, f'unknown operation "{name}"{hint}')
        limits[name] = Limit(at.value.rate, at.value.burst)
    return limits


def _caller(name: str, line: int, roles: Roles, where: Where) -> str:
    """The ARN of a role; empty after a mistake, here or where the role is declared."""
    spelled = {f"{account}/{role}": (account, role) for account, named in roles.declared.items() for role in named}
    found = [full for full in spelled if full == name or full.partition("/")[2] == name]
    if len(found) != 1:
        where.wrong(line, _unresolved(name, found, list(spelled)))
        return ""
    account, role = spelled[found[0]]
    built = roles.built[account].get(role)
    return built.arn if built is not None else ""


def _unresolved(name: str, found: Sequence[str], spelled: Sequence[str]) -> str:
    if found:
        return f'the role name "{name}" is ambiguous: say {" or ".join(sorted(found))}'
    known = [*spelled, *(full.partition("/")[2] for full in spelled)]
    hint = did_you_mean(name, known) or f": known are {', '.join(spelled) or 'none'}"
    return f'unknown role "{name}"{hint}'
