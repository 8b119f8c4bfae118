"""The buses and rules of a landscape: those of the manifests, and those that the API made, side by side.

What the API made are documents in the state (AWS's own shapes), so every process has the same; each is compiled once
and again when it changes.

    ("events", "bus", ACCOUNT, NAME)         what CreateEventBus got, and `Policy`
    ("events", "rule", ACCOUNT, BUS, NAME)   what PutRule got, and `Targets` as PutTargets got them
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

import orjson

from harness.bus.matching import RuleSet
from harness.bus.model import Bus, RetryPolicy, Rule, Target
from harness.bus.pattern import compile_pattern
from harness.policy import PolicyKind, compile_document
from harness.storage.replica import Replica
from harness.storage.state import Entry, Key
from harness.wire import bus_arn

DEFAULT = "default"
BUSES: Key = ("events", "bus")
RULES: Key = ("events", "rule")
_OF_TARGET = ("Id", "Arn", "RoleArn", "RetryPolicy", "DeadLetterConfig")

T = TypeVar("T")


def bus_key(account: str, name: str) -> Key:
    return (*BUSES, account, name)


def rule_key(account: str, bus: str, name: str) -> Key:
    return (*RULES, account, bus, name)


class Catalogue:
    """`accounts`: each has a bus `default`. `buses` and `rules` are the manifests'."""

    def __init__(
        self,
        replica: Replica,
        *,
        region: str,
        accounts: Iterable[str],
        buses: Iterable[Bus] = (),
        rules: Iterable[Rule] = (),
    ) -> None:
        self._replica = replica
        self._region = region
        self._managed: dict[str, Bus] = {}
        for bus in (*(Bus(region, account, DEFAULT) for account in accounts), *buses):
            self._managed[bus.arn] = bus
        self._managed_rules: dict[str, list[Rule]] = {}
        for rule in rules:
            self._managed_rules.setdefault(rule.bus_arn, []).append(rule)
        self._made_buses = _Compiled(self._bus)
        self._made_rules = _Compiled(self._rule)
        self._sets: dict[str, RuleSet] = {}
        replica.listen(self._changed)

    def bus(self, arn: str) -> Bus | None:
        managed = self._managed.get(arn)
        _, _, _, region, account, rest = arn.split(":", 5)
        entry = self._replica.get(bus_key(account, rest.removeprefix("event-bus/")))
        if entry is None or region != self._region:
            return managed
        made = self._made_buses.of(entry)
        # The default bus is there without being made; what the API changes of it (its policy) is kept like a made one.
        return made if managed is None or managed.name == DEFAULT else managed

    def buses(self) -> list[Bus]:
        made = [bus_arn(self._region, entry.key[2], entry.key[3]) for entry in self._replica.below(BUSES)]
        found = (self.bus(arn) for arn in sorted({*self._managed, *made}))
        return [bus for bus in found if bus is not None]

    def rules(self, arn: str) -> list[Rule]:
        """Those of a bus, the disabled too, in the order of their names."""
        account, name = arn.split(":", 5)[4], arn.split("event-bus/", 1)[1]
        made = [self._made_rules.of(entry) for entry in self._replica.below((*RULES, account, name))]
        return sorted([*self._managed_rules.get(arn, ()), *made], key=lambda rule: rule.name)

    def rule(self, arn: str, name: str) -> Rule | None:
        for rule in self._managed_rules.get(arn, ()):
            if rule.name == name:
                return rule
        entry = self._replica.get(rule_key(arn.split(":", 5)[4], arn.split("event-bus/", 1)[1], name))
        return self._made_rules.of(entry) if entry is not None else None

    def rule_set(self, arn: str) -> RuleSet:
        """What a bus's events are matched with; remembered until a rule of the bus changes."""
        rules = self._sets.get(arn)
        if rules is None:
            rules = self._sets[arn] = RuleSet(self.rules(arn))
        return rules

    def _changed(self, key: Key) -> None:
        if key[:2] == RULES:
            self._sets.pop(bus_arn(self._region, key[2], key[3]), None)

    def _bus(self, key: Key, document: Mapping[str, Any]) -> Bus:
        _, _, account, name = key
        text = document.get("Policy")
        policy = compile_document(text, kind=PolicyKind.RESOURCE, name=f"policy of the bus {name}") if text else None
        return Bus(self._region, account, name, policy, managed=False)

    def _rule(self, key: Key, document: Mapping[str, Any]) -> Rule:
        _, _, account, bus, name = key
        pattern = document.get("EventPattern")
        return Rule(
            name,
            bus_arn(self._region, account, bus),
            account,
            compile_pattern(pattern) if pattern else None,
            tuple(target_of(target) for target in document.get("Targets", ())),
            enabled=document.get("State", "ENABLED") != "DISABLED",
            schedule=document.get("ScheduleExpression", ""),
            role_arn=document.get("RoleArn", ""),
            managed=False,
        )


def target_of(given: Mapping[str, Any]) -> Target:
    """From the shape of PutTargets, which has been checked."""
    retry = given.get("RetryPolicy") or {}
    default = RetryPolicy()
    return Target(
        given["Id"],
        given["Arn"],
        RetryPolicy(
            retry.get("MaximumRetryAttempts", default.maximum_retry_attempts),
            retry.get("MaximumEventAgeInSeconds", default.maximum_event_age_seconds),
        ),
        dead_letter=(given.get("DeadLetterConfig") or {}).get("Arn", ""),
        role_arn=given.get("RoleArn", ""),
        settings={name: value for name, value in given.items() if name not in _OF_TARGET},
    )


class _Compiled(Generic[T]):
    """Values by the revision of the entries that they were compiled from."""

    def __init__(self, compile_entry: Callable[[Key, Mapping[str, Any]], T]) -> None:
        self._compile = compile_entry
        self._kept: dict[Key, tuple[int, T]] = {}

    def of(self, entry: Entry) -> T:
        kept = self._kept.get(entry.key)
        if kept is None or kept[0] != entry.revision:
            kept = self._kept[entry.key] = entry.revision, self._compile(entry.key, orjson.loads(entry.value))
        return kept[1]
