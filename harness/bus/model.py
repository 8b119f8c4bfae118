"""Buses, rules, targets and events as EventBridge names them."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness import wire
from harness.bus.pattern import Pattern

if TYPE_CHECKING:
    from harness.policy.document import Document


@dataclass(frozen=True, slots=True)
class Bus:
    """`account` is twelve digits. `policy` None: only the owning account may put events."""

    region: str
    account: str
    name: str
    policy: "Document | None" = None

    @property
    def arn(self) -> str:
        return wire.bus_arn(self.region, self.account, self.name)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """EventBridge's RetryPolicy: attempts 0-185, age 60-86,400 seconds."""

    maximum_retry_attempts: int = 185
    maximum_event_age_seconds: int = 86_400


@dataclass(frozen=True, slots=True)
class Target:
    """A domain's container: events go to `POST {url}/events`.

    `dead_letter` names a queue; None drops the event after the last try.
    """

    id: str
    domain: str
    url: str
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    dead_letter: str | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the bus `bus_arn`, owned by the account whose manifest made it."""

    name: str
    bus_arn: str
    account: str
    pattern: Pattern
    targets: tuple[Target, ...]

    @property
    def arn(self) -> str:
        _, _, _, region, account, rest = self.bus_arn.split(":", 5)
        return wire.rule_arn(region, account, rest.removeprefix("event-bus/"), self.name)


Envelope = dict[str, Any]
"""An event as targets get it.

Keys in EventBridge's order: version, id, detail-type, source, account, time, region, resources, detail.
"""
