"""Whether one more request may pass. Pure: the time is an argument, and the counts are this process's own.

A request is counted by everything that applies to it, in the order that API Gateway documents: what its caller's plan
says (a quota first, for it lasts longest; the limit for the method; the limit for all), the method's limit in the
stage, the account's. It passes only when all of them let it, and is counted by none when one does not.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from harness.gateway.api import Api, Stage
from harness.gateway.limits import EVERY_OTHER, Limit, Per, Quota, UsagePlan
from harness.gateway.refusals import Condition
from harness.gateway.routes import Route

MOST_PLANS = 10_000
_MOST_LANES = 16_384
_DAY_SECONDS = 86_400
# The sum of many intervals is not exact; a millionth of one is nothing that anybody can wait for.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Exceeded:
    """`what` completes "over …"."""

    what: str
    condition: Condition = Condition.THROTTLED


class _Bucket:
    """A token bucket as one number: `due`, when it will be full again. Times in seconds.

    It holds a token as long as `due` is no further ahead than the time in which all but one token come in.
    """

    __slots__ = ("due", "exceeded", "full", "interval", "slack")

    def __init__(self, limit: Limit, what: str) -> None:
        self.exceeded = Exceeded(what)
        open_ = limit.rate > 0 and limit.burst > 0
        self.interval = 1 / limit.rate if open_ else 0.0
        self.slack = (limit.burst - 1 + _ROUNDING) * self.interval if open_ else -math.inf
        self.full = self.interval * limit.burst
        self.due = -math.inf if open_ else 0.0

    def heal(self, at: float) -> None:
        # A clock that was set back: no bucket needs longer to fill than from empty.
        self.due = min(self.due, at + self.full)


class _Counter:
    """A quota: how many of a calendar's period are used. `until`: the period's end, in seconds since the epoch."""

    __slots__ = ("exceeded", "limit", "per", "until", "used")

    def __init__(self, quota: Quota, what: str) -> None:
        self.exceeded = Exceeded(what, Condition.QUOTA_EXCEEDED)
        self.limit = quota.limit
        self.per = quota.per
        self.used = 0
        self.until = -math.inf

    def turn(self, now: float) -> None:
        self.used = 0
        self.until = period_end(self.per, now)


@dataclass(slots=True)
class _Plan:
    """A caller's own buckets. `methods`: by stage and operation."""

    bucket: _Bucket | None
    counter: _Counter | None
    methods: dict[tuple[str, str], _Bucket] = field(default_factory=dict)

    def idle(self, now: float, at: float) -> bool:
        """It could not be told from a new one."""
        if self.counter is not None and self.counter.used and now < self.counter.until:
            return False
        buckets = list(self.methods.values()) + ([self.bucket] if self.bucket else [])
        return all(bucket.due <= at for bucket in buckets)


_Lane = tuple[tuple[_Bucket, ...], _Counter | None]


class Throttle:
    """The counts of all APIs. Bounded: buckets of callers that are full, and quotas not touched, are given up.

    `most_plans`: how many callers are counted at once; beyond it the ones that came first are forgotten.
    """

    def __init__(self, *, most_plans: int = MOST_PLANS) -> None:
        self._most_plans = most_plans
        self._lanes: dict[tuple[Route, str], _Lane] = {}
        self._methods: dict[Route, _Bucket] = {}
        self._accounts: dict[str, _Bucket] = {}
        self._plans: dict[tuple[str, str, str], _Plan] = {}
        self._origin = math.nan  # seconds since the epoch are too large to add small intervals to

    def take(self, api: Api, stage: Stage, route: Route, caller: str, now: float) -> Exceeded | None:
        """Counts one request, or says what it would exceed. `caller`: a role's ARN; `now`: seconds since the epoch."""
        lane = self._lanes.get((route, caller))
        if lane is None:
            lane = self._lane(api, stage, route, caller, now)
        buckets, counter = lane
        at = now - self._origin
        if counter is not None:
            if now >= counter.until:
                counter.turn(now)
            if counter.used >= counter.limit:
                return counter.exceeded
        for bucket in buckets:
            if bucket.due - at > bucket.slack:
                bucket.heal(at)
                return bucket.exceeded
        if counter is not None:
            counter.used += 1
        for bucket in buckets:
            due = bucket.due
            bucket.due = (due if due > at else at) + bucket.interval
        return None

    def __len__(self) -> int:
        """How many callers are counted."""
        return len(self._plans)

    def _lane(self, api: Api, stage: Stage, route: Route, caller: str, now: float) -> _Lane:
        """All that applies to the calls of a route by one caller. Only put together here; the counts are kept apart."""
        if math.isnan(self._origin):
            self._origin = now
        operation = f"{route.method} {route.template}"
        plan, settings = self._plan(api, stage, caller, now)
        buckets: list[_Bucket] = []
        if plan is not None and settings is not None:
            if operation in settings.methods:
                key = (stage.name, operation)
                if key not in plan.methods:
                    plan.methods[key] = _Bucket(settings.methods[operation], f"the caller's limit of {operation}")
                buckets.append(plan.methods[key])
            if plan.bucket is not None:
                buckets.append(plan.bucket)
        limit = _method_limit(api, stage, operation)
        if limit is not None:
            if route not in self._methods:
                self._methods[route] = _Bucket(limit, f"the limit of {operation} in {stage.name}")
            buckets.append(self._methods[route])
        if api.account_limit is not None:
            if api.account not in self._accounts:
                self._accounts[api.account] = _Bucket(api.account_limit, "the limit of the API's account")
            buckets.append(self._accounts[api.account])
        lane = (tuple(buckets), plan.counter if plan is not None else None)
        if len(self._lanes) >= _MOST_LANES:
            self._lanes.clear()
        self._lanes[route, caller] = lane
        return lane

    def _plan(self, api: Api, stage: Stage, caller: str, now: float) -> tuple[_Plan | None, UsagePlan | None]:
        """A plan of the stage goes before one of the API, which all stages without their own share."""
        candidates: tuple[tuple[str, Mapping[str, UsagePlan]], ...] = (
            (stage.name, stage.throttling.plans),
            ("", api.throttling.plans),
        )
        for name in (caller, EVERY_OTHER):
            for scope, plans in candidates:
                if name in plans:
                    settings = plans[name]
                    return self._counted((api.id, scope, caller), settings, now), settings
        return None, None

    def _counted(self, key: tuple[str, str, str], settings: UsagePlan, now: float) -> _Plan:
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) >= self._most_plans:
                self._forget(now)
            plan = self._plans[key] = _Plan(
                _Bucket(settings.limit, "the caller's limit") if settings.limit else None,
                _Counter(settings.quota, f"the caller's quota of a {settings.quota.per}") if settings.quota else None,
            )
        return plan

    def _forget(self, now: float) -> None:
        at = now - self._origin
        kept = {key: plan for key, plan in self._plans.items() if not plan.idle(now, at)}
        # Room for a tenth, so that this is not done again for the next caller.
        surplus = len(kept) - self._most_plans * 9 // 10
        for key in list(kept)[: max(surplus, 0)]:
            del kept[key]
        self._plans = kept
        self._lanes.clear()


def throttle_for(apis: Mapping[str, Api]) -> Throttle | None:
    """None when nothing limits any of them."""
    return Throttle() if any(api.limited for api in apis.values()) else None


def period_end(per: Per, now: float) -> float:
    """When the period that `now` is in ends; seconds since the epoch."""
    day = int(now // _DAY_SECONDS)
    if per is Per.DAY:
        return float((day + 1) * _DAY_SECONDS)
    if per is Per.WEEK:
        # The epoch was a Thursday, its first Sunday day 3.
        return float((day - (day + 4) % 7 + 7) * _DAY_SECONDS)
    at = datetime.fromtimestamp(now, UTC)
    following = (at.year + 1, 1) if at.month == 12 else (at.year, at.month + 1)
    return datetime(*following, 1, tzinfo=UTC).timestamp()


def _method_limit(api: Api, stage: Stage, operation: str) -> Limit | None:
    """What is said of the operation goes before what is said of all; the stage's word before the API's."""
    own, common = stage.throttling, api.throttling
    return own.methods.get(operation) or common.methods.get(operation) or own.limit or common.limit
