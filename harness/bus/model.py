"""Buses, rules, targets and events as EventBridge names them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from harness import wire
from harness.bus.patterns.pattern import QUOTA_CHARACTERS, Pattern

if TYPE_CHECKING:
    from harness.policy.document import Document


class ValidationMode(StrEnum):
    """What happens to an event that breaks its contract when it is put."""

    OFF = "off"
    WARN = "warn"
    REJECT = "reject"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class Validation:
    """`strict`: an event without a contract breaks it too. `quarantine` names where QUARANTINE puts events aside: a
    bus of the same account that no rule listens on unless one is made for it.
    """

    mode: ValidationMode = ValidationMode.OFF
    strict: bool = False
    quarantine: str = ""


@dataclass(frozen=True, slots=True)
class Bus:
    """`account` is twelve digits. `policy` None: only the owning account may put events.

    `managed`: a manifest's, which the API cannot change. `pattern_characters`: the quota of its rules' patterns.
    """

    region: str
    account: str
    name: str
    policy: "Document | None" = None
    managed: bool = True
    validation: Validation = field(default_factory=Validation)
    pattern_characters: int = QUOTA_CHARACTERS

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
    """`arn` says what it is: a function (a domain's container), a queue, a bus, an API destination, a log group.

    `dead_letter` is a queue's ARN; empty: the event is dropped after the last try. `settings` is the rest of what
    PutTargets got (Input, InputPath, InputTransformer, SqsParameters, HttpParameters, …), in AWS's shape.
    """

    id: str
    arn: str
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    dead_letter: str = ""
    role_arn: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the bus `bus_arn`, in the bus's account. `pattern` None: a schedule alone.

    `managed`: a manifest's, which the API cannot change. `creator`: the account that made it through the API.
    """

    name: str
    bus_arn: str
    account: str
    pattern: Pattern | None
    targets: tuple[Target, ...] = ()
    enabled: bool = True
    schedule: str = ""
    role_arn: str = ""
    managed: bool = True
    creator: str = ""

    @property
    def arn(self) -> str:
        _, _, _, region, account, rest = self.bus_arn.split(":", 5)
        return wire.rule_arn(region, account, rest.removeprefix("event-bus/"), self.name)


Envelope = dict[str, Any]
"""An event as targets get it.

Keys in EventBridge's order: version, id, detail-type, source, account, time, region, resources, detail.
"""
