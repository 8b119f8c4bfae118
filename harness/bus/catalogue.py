"""The buses and rules of a landscape: those of the manifests, and those that the API made, side by side.

What the API made are documents in the state (`documents` says which), so every process has the same; each is compiled
once and again when it changes. A question by ARN costs a look into a dictionary.

A document that cannot be read is left out, with a line in the log, and holds up no other: its rule matches nothing, its
archive takes nothing, and its bus is closed to everybody.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Generic, TypeVar

from harness.bus import documents
from harness.bus.archives import archive_of
from harness.bus.documents import ARCHIVES, BUSES, DEFAULT, RULES, Document
from harness.bus.model import Bus, RetryPolicy, Rule, Target
from harness.bus.patterns.pattern import Pattern, compile_pattern
from harness.bus.rule_layers import RuleLayers
from harness.errors import FAULTS
from harness.policy import Document as Policy
from harness.policy import PolicyKind, compile_document
from harness.storage.replica import Replica
from harness.storage.state import Entry, Key
from harness.wire import bus_arn

log = logging.getLogger(__name__)

_OF_TARGET = ("Id", "Arn", "RoleArn", "RetryPolicy", "DeadLetterConfig")

T = TypeVar("T")


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
        self.region = region
        self._given = {bus.arn: bus for bus in (Bus(region, account, DEFAULT, managed=False) for account in accounts)}
        self._given |= {bus.arn: bus for bus in buses}
        self._managed_rules: dict[str, dict[str, Rule]] = {}
        for rule in rules:
            self._managed_rules.setdefault(rule.bus_arn, {})[rule.name] = rule
        self._made_buses = _Compiled(self._bus)
        self._made_rules = _Compiled(self._rule)
        self._partly: set[Key] = set()
        self._archives = _Compiled(self._archive_rule)
        self._known: dict[str, Bus] = {}
        self._layers: dict[str, RuleLayers] = {}
        replica.listen(self._changed)

    def bus(self, arn: str) -> Bus | None:
        known = self._known.get(arn)
        if known is None:
            known = self._find_bus(arn)
            if known is not None:  # what is not there is not remembered: anybody may ask for it
                self._known[arn] = known
        return known

    def buses(self) -> list[Bus]:
        made = [bus_arn(self.region, entry.key[2], entry.key[3]) for entry in self._replica.below(BUSES)]
        found = (self.bus(arn) for arn in sorted({*self._given, *made}))
        return [bus for bus in found if bus is not None]

    def rules(self, arn: str) -> list[Rule]:
        """Those of a bus, the disabled too, in the order of their names."""
        managed = self._managed_rules.get(arn, {})
        made = [self._made_rules.of(entry) for entry in self._replica.below((*RULES, *_place(arn)))]
        found = {rule.name: rule for rule in (*made, *self._archive_rules(arn)) if rule is not None} | managed
        return [found[name] for name in sorted(found)]

    def rule(self, arn: str, name: str) -> Rule | None:
        managed = self._managed_rules.get(arn, {}).get(name)
        if managed is not None:
            return managed
        if name.startswith(documents.ARCHIVE_RULE_PREFIX):
            for rule in self._archive_rules(arn):
                if rule.name == name:
                    return rule
        entry = self._replica.get(documents.rule_key(*_place(arn), name))
        return self._made_rules.of(entry) if entry is not None else None

    def managed_rules(self) -> list[Rule]:
        return [rule for rules in self._managed_rules.values() for rule in rules.values()]

    def rule_keys(self) -> list[Key]:
        """Of the documents that are or have rules."""
        return [entry.key for prefix in (RULES, ARCHIVES) for entry in self._replica.below(prefix)]

    def rule_of(self, key: Key) -> Rule | None:
        """The rule that a document of the state is or, as an archive does, has; None when there is none any more."""
        entry = self._replica.get(key)
        if entry is None:
            return None
        return self._archives.of(entry) if key[:2] == ARCHIVES else self._made_rules.of(entry)

    @property
    def unread(self) -> set[Key]:
        """The documents of rules and archives that cannot be read as a whole: what is kept for them is kept on."""
        return self._made_rules.unread | self._archives.unread | self._partly

    def rule_set(self, arn: str) -> RuleLayers:
        """What a bus's events are matched with, as it is now."""
        layers = self._layers.get(arn)
        if layers is None:
            layers = self._layers[arn] = RuleLayers(self.rules(arn))
        return layers

    def listen(self, listener: Callable[[Key], None]) -> None:
        """Called with the key of each document that has changed, once the catalogue answers as it is now."""
        self._replica.listen(listener)

    @property
    def newest(self) -> int:
        """The revision that whoever matches an event of now has to know."""
        return self._replica.newest

    def archive(self, arn: str) -> Document | None:
        """What an archive's ARN names."""
        _, _, _, _, account, rest = arn.split(":", 5)
        return self.document(documents.archive_key(account, rest.removeprefix("archive/")))

    def document(self, key: Key) -> Document | None:
        entry = self.entry(key)
        return documents.read(entry) if entry is not None else None

    def entry(self, key: Key) -> Entry | None:
        return self._replica.get(key)

    def below(self, prefix: Key) -> list[Entry]:
        return self._replica.below(prefix)

    async def reach(self, revision: int) -> None:
        """Waits until the catalogue knows all that was known at `revision`; StoreUnavailable if that does not come."""
        await self._replica.reach(revision)

    def _find_bus(self, arn: str) -> Bus | None:
        given = self._given.get(arn)
        if not arn.startswith(f"arn:aws:events:{self.region}:") or ":event-bus/" not in arn:
            return None
        entry = self._replica.get(documents.bus_key(*_place(arn)))
        # The default bus is there without being made; what the API changes of it (its policy) is kept like a made one.
        if entry is None or (given is not None and given.managed):
            return given
        return self._made_buses.of(entry) or Bus(self.region, *_place(arn), _nobody(), managed=False)

    def _archive_rules(self, arn: str) -> list[Rule]:
        account = _place(arn)[0]
        found = (self._archives.of(entry) for entry in self._replica.below((*ARCHIVES, account)))
        return [rule for rule in found if rule is not None and rule.bus_arn == arn]

    def _changed(self, key: Key) -> None:
        match key[:2]:
            case documents.BUSES:
                self._known.clear()
                self._made_buses.forget(key, self._replica)
            case documents.RULES:
                self._made_rules.forget(key, self._replica)
                self._partly.discard(key)
                self._rule_changed(bus_arn(self.region, key[2], key[3]), key[4])
            case documents.ARCHIVES:
                self._layers.clear()
                self._archives.forget(key, self._replica)

    def _rule_changed(self, bus: str, name: str) -> None:
        layers = self._layers.get(bus)
        if layers is not None:
            layers.change(name, self.rule(bus, name))

    def _bus(self, key: Key, document: Document) -> Bus:
        _, _, account, name = key
        text = document.get("Policy")
        policy = compile_document(text, kind=PolicyKind.RESOURCE, name=f"policy of the bus {name}") if text else None
        return Bus(self.region, account, name, policy, managed=False)

    def _rule(self, key: Key, document: Document) -> Rule:
        _, _, account, bus, name = key
        pattern = document.get("EventPattern")
        targets = [_target(key, given) for given in document.get("Targets", ())]
        if None in targets:
            self._partly.add(key)
        return Rule(
            name,
            bus_arn(self.region, account, bus),
            account,
            compile_pattern(pattern, characters=None) if pattern else None,
            tuple(target for target in targets if target is not None),
            enabled=document.get("State", "ENABLED") != "DISABLED",
            schedule=document.get("ScheduleExpression", ""),
            role_arn=document.get("RoleArn", ""),
            managed=False,
            creator=document.get("CreatedBy", account),
        )

    def _archive_rule(self, key: Key, document: Document) -> Rule:
        _, _, account, name = key
        archive = archive_of(documents.archive_arn(self.region, account, name), document)
        bus = bus_arn(self.region, *_place(document["EventSourceArn"]))
        pattern = archive_pattern(document.get("EventPattern"))
        return Rule(documents.archive_rule(name), bus, account, pattern, (Target(name, archive.arn),))


def archive_pattern(text: str | None, *, characters: int | None = None) -> Pattern:
    """What an archive takes: never an event that a replay has sent. Raises PatternError. `characters`: the quota."""
    given = compile_pattern(text, characters=characters).source if text else {}
    return compile_pattern({**given, "replay-name": [{"exists": False}]}, characters=None)


def _place(arn: str) -> tuple[str, str]:
    """Account and name of a bus."""
    _, _, _, _, account, rest = arn.split(":", 5)
    return account, rest.removeprefix("event-bus/")


def _target(key: Key, given: Mapping[str, Any]) -> Target | None:
    try:
        return target_of(given)
    except FAULTS as error:
        log.error("a target of %s cannot be read and gets nothing: %r", "/".join(key), error)
        return None


@lru_cache(maxsize=1)
def _nobody() -> Policy:
    """The policy of a bus whose own cannot be read."""
    text = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}'
    return compile_document(text, kind=PolicyKind.RESOURCE, name="a policy that cannot be read")


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

    def __init__(self, compile_entry: Callable[[Key, Document], T]) -> None:
        self._compile = compile_entry
        self._kept: dict[Key, tuple[int, T | None]] = {}
        self.unread: set[Key] = set()

    def of(self, entry: Entry) -> T | None:
        """None when the entry cannot be read."""
        kept = self._kept.get(entry.key)
        if kept is None or kept[0] != entry.revision:
            kept = self._kept[entry.key] = entry.revision, self._read(entry)
        return kept[1]

    def _read(self, entry: Entry) -> T | None:
        self.unread.discard(entry.key)
        try:
            return self._compile(entry.key, documents.read(entry))
        except FAULTS as error:
            log.error("%s cannot be read and is left out: %r", "/".join(entry.key), error)
            self.unread.add(entry.key)
            return None

    def forget(self, key: Key, replica: Replica) -> None:
        if replica.get(key) is None:
            self._kept.pop(key, None)
            self.unread.discard(key)
