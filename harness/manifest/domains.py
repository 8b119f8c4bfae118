"""Each domain of a landscape: its API, its events, and what it depends on."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness import wire
from harness.bus.model import Bus, RetryPolicy
from harness.bus.patterns.pattern import QUOTA_CHARACTERS, PatternError, compile_pattern
from harness.gateway.limits import Throttling
from harness.gateway.routes import RouteTable
from harness.identity.model import Role
from harness.manifest.contracts import event_type, read_event_schema, read_openapi
from harness.manifest.domain_file import ApiEntry, SubscriptionEntry, VersionEntry
from harness.manifest.fields import At, Where
from harness.manifest.model import (
    Account,
    ApiVersion,
    Domain,
    PrivateApi,
    PublishedEvent,
    Subscription,
    api_url_variable,
)
from harness.manifest.organisation import Roles
from harness.manifest.policies import PolicyFiles
from harness.manifest.queues import Queues, link_queues
from harness.manifest.references import Claim, known, once, repeated
from harness.manifest.throttle_file import ThrottleEntry
from harness.manifest.throttling import link_throttling
from harness.manifest.topics import Topics, link_topics
from harness.manifest.written import Source, Written
from harness.policy.model import PolicyKind
from harness.yaml_source import line_of

RESERVED: Final = ("edge", "keys", "nats", "postgres", "router", "supervisor")
"""Names of the harness's own processes, which stand beside the domains' in `status` and `logs`."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a domain may refer to."""

    written: Written
    policies: PolicyFiles
    accounts: Mapping[str, Account]
    buses: Mapping[str, Bus]
    roles: Roles


def link_domains(around: Surroundings) -> Mapping[str, Domain]:
    """The domains that could be built, by name."""
    _check_names(around.written)
    domains = [_Linker(source, around).domain() for source in around.written.domains]
    _check_rules(around)
    return {domain.name: domain for domain in domains if domain is not None}


def _check_names(written: Written) -> None:
    names, accounts, domain_names = [], [], []
    for source in written.domains:
        name, account = source.entry.name, source.entry.account
        names.append(Claim(name.value, name.value, source.where, name.line))
        accounts.append(Claim(account.value, name.value, source.where, account.line))
        if name.value in RESERVED:
            source.where.problem(name.line, f'"{name.value}" is the name of a process of the harness: choose another')
        api = source.entry.api
        if api is not None and api.value.domain_name is not None:
            domain_name = api.value.domain_name
            domain_names.append(Claim(domain_name.value, name.value, source.where, domain_name.line))
    once('there is already a domain "{key}"', names)
    once('the domain name "{key}" is already that of "{owner}"', domain_names)
    once('the account "{key}" is already that of the domain "{owner}": give each domain its own', accounts)


def _check_rules(around: Surroundings) -> None:
    claims = []
    for source in around.written.domains:
        default = source.entry.bus.value if source.entry.bus else "".join(list(around.buses)[:1])
        for item in source.entry.subscribes:
            bus = item.bus.value if item.bus else default
            key = f"{bus}/{item.rule.value}" if item.rule.value else ""
            claims.append(Claim(key, f'"{item.rule.value}" on the bus "{bus}"', source.where, item.rule.line))
    once("there is already a rule {owner}: names of rules are per bus", claims)


@dataclass(frozen=True, slots=True)
class _Linker:
    source: Source
    around: Surroundings

    def domain(self) -> Domain | None:
        entry = self.source.entry
        account = known("account", entry.account, self.around.accounts, self.source.where)
        bus = self._bus()
        self._check_calls()
        self._check_environment()
        api = self._api(account, entry.api) if entry.api else None
        publishes = self._published()
        subscriptions = [self._subscription(item, bus) for item in entry.subscribes]
        dockerfile = self._dockerfile()
        queues = self._queues(account)
        topics = self._topics(account)
        runs_as = self._runs_as(account) if account else None
        if account is None or runs_as is None:
            return None
        return Domain(
            name=entry.name.value,
            account=account,
            file=self.source.path,
            directory=self.source.folder,
            command=entry.run.command,
            environment={name: at.value for name, at in entry.run.environment.items()},
            runs_as=runs_as,
            database=entry.database,
            dockerfile=dockerfile,
            image=entry.run.image.value if entry.run.image else "",
            api=api,
            bus=bus,
            calls=tuple(call.value for call in entry.calls),
            publishes=publishes,
            subscriptions=tuple(item for item in subscriptions if item is not None),
            queues=queues.declared,
            queue_policies=queues.policies,
            topics=topics.declared,
            topic_policies=topics.policies,
        )

    def _runs_as(self, account: Account) -> Role | None:
        named, roles = self.source.entry.runs_as, self.around.roles
        kind = f'role of the account "{account.name}":'
        if known(kind, named, roles.declared[account.name], self.source.where) is None:
            return None
        return roles.built[account.name].get(named.value)

    def _dockerfile(self) -> Path | None:
        run, where = self.source.entry.run, self.source.where
        if run.dockerfile is None:
            return None
        if run.image is not None:
            where.problem(run.image.line, "run.image: there is a Dockerfile as well: keep one of the two")
        path = self._beside(run.dockerfile.value)
        if not path.is_file():
            where.problem(run.dockerfile.line, f"run.dockerfile: {self.around.written.root.shown(path)} does not exist")
        return path

    def _beside(self, path: Path) -> Path:
        """A path that the manifest names."""
        return Path(os.path.normpath(self.source.folder / path))

    # The API

    def _api(self, account: Account | None, at: At[ApiEntry]) -> PrivateApi | None:
        name, where, entry = self.source.entry.name.value, self.source.where, at.value
        owner = account.id if account else ""
        policy = None
        if entry.resource_policy is not None:
            region = self.around.written.entry.region
            policy = self.around.policies.read(
                entry.resource_policy,
                PolicyKind.RESOURCE,
                self.source.folder,
                where,
                api_arn=f"arn:{wire.PARTITION}:execute-api:{region}:{owner}:{name}",
            )
        contracts = [
            Claim(str(self._beside(item.value.contract.value)), version, where, item.value.contract.line)
            for version, item in entry.versions.items()
            if item.value.contract
        ]
        once('this contract is already that of "{owner}": a version has its own', contracts)
        versions = [self._version(version, item.value) for version, item in entry.versions.items()]
        found = {version.name: version for version in versions if version is not None}
        domain_name = entry.domain_name.value if entry.domain_name else ""
        if policy is None:
            return None
        operations = {each for version in found.values() for each in _operations(version.openapi)}
        return PrivateApi(
            name,
            owner,
            policy,
            found,
            domain_name,
            entry.timeout_seconds,
            self._throttling(entry.throttle, operations if None not in versions else None, "api.throttle"),
        )

    def _version(self, name: str, entry: VersionEntry) -> ApiVersion | None:
        where = self.source.where
        deprecated = entry.deprecated.value if entry.deprecated else None
        sunset = entry.sunset.value if entry.sunset else None
        if entry.sunset is not None and deprecated is not None and entry.sunset.value < deprecated:
            # RFC 9745, section 4.
            text = f"the sunset {sunset} is before the deprecation {deprecated}: it must not be earlier"
            where.problem(entry.sunset.line, text)
        if entry.contract is None:
            return None
        path = self._beside(entry.contract.value)
        openapi = read_openapi(entry.contract, path, name, self.around.written.root, where)
        key = f"api.versions.{name}.throttle"
        throttling = self._throttling(entry.throttle, _operations(openapi) if openapi is not None else None, key)
        return ApiVersion(name, path, openapi, deprecated, sunset, throttling) if openapi is not None else None

    def _throttling(self, entry: ThrottleEntry | None, operations: Collection[str] | None, key: str) -> Throttling:
        where = Where(self.source.where.file, self.source.where.problems, key)
        return link_throttling(entry, operations=operations, roles=self.around.roles, where=where)

    def _check_calls(self) -> None:
        where, calls = self.source.where, self.source.entry.calls
        domains = {other.entry.name.value: other.entry for other in self.around.written.domains}
        repeated("the API", calls, where)
        for call in calls:
            called = known("API", call, domains, where)
            if called is not None and called.api is None:
                where.problem(call.line, f'the domain "{call.value}" has no API: give it one or take the line out')

    def _check_environment(self) -> None:
        entry = self.source.entry
        taken = {api_url_variable(call.value): call.value for call in entry.calls}
        for name, at in entry.run.environment.items():
            if name in taken:
                text = f'"{name}" is set by the harness, as the domain calls "{taken[name]}": take it out'
                self.source.where.problem(at.line, f"run.environment.{name}: {text}")

    def _queues(self, account: Account | None) -> Queues:
        region = self.around.written.entry.region
        return link_queues(self.source, self.around.policies, account=account.id if account else "", region=region)

    def _topics(self, account: Account | None) -> Topics:
        around = self.around
        owner = account.id if account else ""
        return link_topics(self.source, around.written, around.policies, around.accounts, account=owner)

    # Events

    def _bus(self) -> Bus | None:
        entry, buses, where = self.source.entry, self.around.buses, self.source.where
        if entry.bus is not None:
            return known("bus", entry.bus, buses, where)
        if len(buses) == 1:
            return next(iter(buses.values()))
        lines = [event.line for event in entry.publishes]
        lines += [item.rule.line for item in entry.subscribes if item.bus is None]
        if lines:
            choice = f"the landscape has {', '.join(buses)}" if buses else "the landscape has none (buses)"
            where.problem(min(lines), f'which bus is not said by the key "bus": {choice}')
        return None

    def _published(self) -> tuple[PublishedEvent, ...]:
        entry, written = self.source.entry, self.around.written
        if entry.contracts is not None:
            folder = self.source.folder / entry.contracts.value
        else:
            folder = written.folder / written.entry.contracts.value / entry.name.value
        repeated("the event", entry.publishes, self.source.where)
        events = []
        for event in entry.publishes:
            path = Path(os.path.normpath(folder / "events" / f"{event.value}.json"))
            schema = read_event_schema(event, path, written.root, self.source.where)
            if schema is not None:
                provider, name = entry.name.value, event.value
                source, detail_type = event_type(
                    schema, written.root.shown(path), self.source.where, source=provider, name=name
                )
                events.append(PublishedEvent(name, path, schema, source, detail_type))
        return tuple(events)

    def _subscription(self, entry: SubscriptionEntry, default: Bus | None) -> Subscription | None:
        where = self.source.where
        bus = known("bus", entry.bus, self.around.buses, where) if entry.bus else default
        if entry.pattern is None:
            return None
        source, node = entry.pattern
        characters = bus.pattern_characters if bus is not None else QUOTA_CHARACTERS
        try:
            pattern = compile_pattern(source, characters=characters)
        except PatternError as error:
            where.problem(line_of(node, error.path), f'the pattern of the rule "{entry.rule.value}": {error.text}')
            return None
        if bus is None:
            return None
        retry = RetryPolicy(entry.retry.maximum_attempts, entry.retry.maximum_age_seconds)
        return Subscription(entry.rule.value, bus.arn, pattern, source, retry, entry.dead_letter or None)


def _operations(openapi: Mapping[str, Any]) -> tuple[str, ...]:
    """As a throttle names them, in the order of the contract."""
    return tuple(f"{route.method} {route.template}" for route in RouteTable.from_openapi(openapi).routes)
