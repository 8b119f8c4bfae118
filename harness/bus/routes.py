"""The targets of a catalogue's rules, by rule and by the key of their work queue, kept up to date while it changes."""

from dataclasses import dataclass, replace

from harness.bus.archives import archive_of
from harness.bus.catalogue import Catalogue
from harness.bus.documents import ARCHIVES, RULES
from harness.bus.model import Rule, Target
from harness.bus.shaping.shape import InputShape, compile_input
from harness.bus.store import Archive, target_key
from harness.errors import FAULTS
from harness.storage.state import Key


@dataclass(frozen=True, slots=True)
class Route:
    """A target of a rule, with the key of its work queue and what it gets of an event.

    `shape` is text when the target's input is none that PutTargets would have taken. `archive`: the target is that
    one, which has no queue.
    """

    key: str
    rule: Rule
    target: Target
    shape: InputShape | str
    archive: Archive | None = None


def routes_of(rule: Rule) -> tuple[Route, ...]:
    return tuple(Route(target_key(rule.arn, target.id), rule, target, _shape(target)) for target in rule.targets)


def _shape(target: Target) -> InputShape | str:
    try:
        return compile_input({"Id": target.id, **target.settings})
    except FAULTS as error:
        return f"The input of target {target.id} cannot be read: {error!r}"


_Name = tuple[str, str]
"""Bus and name of a rule: its ARN would be written anew for each event."""


class Routes:
    """Those of disabled rules too: what they matched before is still delivered."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._by_rule: dict[_Name, tuple[Route, ...]] = {}
        self._by_key: dict[str, Route] = {}
        self._rules: dict[Key, _Name] = {}
        for rule in catalogue.managed_rules():
            self._put(_name(rule), routes_of(rule))
        for key in catalogue.rule_keys():
            self._changed(key)
        catalogue.listen(self._changed)

    def of_rule(self, rule: Rule) -> tuple[Route, ...]:
        return self._by_rule.get(_name(rule), ())

    def get(self, key: str) -> Route | None:
        """The target as it is now; None when it has been removed."""
        return self._by_key.get(key)

    def _put(self, name: _Name, routes: tuple[Route, ...]) -> None:
        for gone in self._by_rule.pop(name, ()):
            del self._by_key[gone.key]
        if routes:
            self._by_rule[name] = routes
            self._by_key.update((route.key, route) for route in routes)

    def _changed(self, key: Key) -> None:
        if key[:2] not in (RULES, ARCHIVES):
            return
        before, rule = self._rules.pop(key, None), self._catalogue.rule_of(key)
        if before is not None:
            self._put(before, ())
        # Behind a manifest's rule of the same name, one that the API made earlier is not seen.
        if rule is not None and self._catalogue.rule(rule.bus_arn, rule.name) is rule:
            self._rules[key] = _name(rule)
            self._put(_name(rule), self._routes_of(key, rule))

    def _routes_of(self, key: Key, rule: Rule) -> tuple[Route, ...]:
        routes = routes_of(rule)
        if key[:2] != ARCHIVES:
            return routes
        document = self._catalogue.archive(rule.targets[0].arn)
        archive = None if document is None else archive_of(rule.targets[0].arn, document)
        return tuple(replace(route, archive=archive) for route in routes)


def _name(rule: Rule) -> _Name:
    return rule.bus_arn, rule.name
