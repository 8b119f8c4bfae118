"""How many requests an API takes, as its owner wrote it down: limits of methods, and plans of callers.

Source: API Gateway developer guide, "Throttle requests to your REST APIs" and "Usage plans and API keys". Where AWS
knows a client by its API key, a caller is known here by the role behind its signature.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

EVERY_OTHER = "*"
"""In the place of a role's ARN: each caller that has no plan by name gets one of its own like this."""


class Per(StrEnum):
    """Periods of a quota, by the calendar in UTC; a week begins on Sunday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Limit:
    """A token bucket: `rate` tokens come in each second, `burst` fit in, a request takes one. 0 lets nothing pass."""

    rate: float
    burst: int


@dataclass(frozen=True, slots=True)
class Quota:
    limit: int
    per: Per


@dataclass(frozen=True, slots=True)
class UsagePlan:
    """What one caller may do. `limit` counts all its calls; `methods` (`POST /orders`) holds further limits."""

    limit: Limit | None = None
    quota: Quota | None = None
    methods: Mapping[str, Limit] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Throttling:
    """Settings of an API, or of one of its stages.

    `limit` is that of each method, not of all together; `methods` (`POST /orders`) has other limits for some. `plans`:
    by the ARN of a role, or EVERY_OTHER.
    """

    limit: Limit | None = None
    methods: Mapping[str, Limit] = field(default_factory=dict)
    plans: Mapping[str, UsagePlan] = field(default_factory=dict)


UNLIMITED = Throttling()
