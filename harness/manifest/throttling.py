"""Limits, plans and quotas of an API, their callers and operations found: the gateway's settings."""

from collections.abc import Collection, Mapping, Sequence

from harness.errors import did_you_mean
from harness.gateway.limits import EVERY_OTHER, Limit, Per, Quota, Throttling, UsagePlan
from harness.manifest.fields import At, Where
from harness.manifest.organisation import Roles
from harness.manifest.throttle_file import LimitEntry, ThrottleEntry, limit_of, operation_mistake


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
        if operations is not None and name not in operations and not operation_mistake(name):
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
