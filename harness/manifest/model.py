"""A landscape as read: accounts, roles, buses and domains, everything compiled and every reference resolved."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from harness.bus.limits import Limits
from harness.bus.model import Bus, RetryPolicy, Rule, Target
from harness.bus.patterns.pattern import Pattern
from harness.contracts.events import EventContract
from harness.errors import InputError, Problem, did_you_mean
from harness.gateway.limits import UNLIMITED, Limit, Throttling
from harness.identity.model import Directory, Membership, OidcProvider, Role
from harness.manifest.queues import with_senders
from harness.policy.document import Document
from harness.queues.declared import Declared
from harness.topics.declared import Declared as DeclaredTopic
from harness.topics.model import topic_arn
from harness.wire import INTEGRATION_TIMEOUT_SECONDS, NetworkPlace, PlaceKind, function_arn, queue_arn

TARGET_ID = "domain"


@dataclass(frozen=True, slots=True)
class Ports:
    """0 means any free port."""

    workbench: int
    public: int


@dataclass(frozen=True, slots=True)
class Account:
    """`id` is twelve digits; `port` is that of its listener, 0 for any free one.

    `vpc` is where its services run, `endpoint` what their calls go through. A shared endpoint is another account's, and
    `endpoint_vpc` is the VPC that the endpoint is in.
    """

    name: str
    id: str
    vpc: str
    endpoint: str
    endpoint_vpc: str
    port: int = 0
    throttle: Limit | None = None


@dataclass(frozen=True, slots=True)
class Workbench:
    """The developer's own place in the network. `account` is twelve digits, or empty."""

    vpc: str
    endpoint: str
    account: str = ""


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """`name` is the stage (`v1`); `openapi` is the parsed contract, dates in it left as text."""

    name: str
    contract: Path
    openapi: Mapping[str, Any]
    deprecated: date | None = None
    sunset: date | None = None
    throttling: Throttling = UNLIMITED


@dataclass(frozen=True, slots=True)
class PrivateApi:
    """`id` is the domain's name, `account` the twelve digits of its owner; `domain_name` may be empty."""

    id: str
    account: str
    resource_policy: Document
    versions: Mapping[str, ApiVersion]
    domain_name: str = ""
    timeout_seconds: float = INTEGRATION_TIMEOUT_SECONDS
    throttling: Throttling = UNLIMITED


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """`name` is that of the contract (`OrderPlaced.v1`), `schema` the contract, a parsed JSON Schema.

    `source` and `detail_type` are the event's own, as the contract's `x-event` says them; by default the domain's name
    and `name`.
    """

    name: str
    contract: Path
    schema: Mapping[str, Any]
    source: str = ""
    detail_type: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A rule on `bus_arn` whose only target is the domain that subscribes. `source` is the pattern as written."""

    rule: str
    bus_arn: str
    pattern: Pattern
    source: Mapping[str, Any]
    retry: RetryPolicy
    dead_letter: str | None = None

    @property
    def rule_arn(self) -> str:
        return Rule(self.rule, self.bus_arn, "", self.pattern).arn


@dataclass(frozen=True, slots=True)
class Domain:
    """`file` is its domain.yaml and `directory` that file's folder, where `command` is started; both absolute.

    `dockerfile` is absolute; at most one of it and `image` is given. `bus` is where it publishes.
    """

    name: str
    account: Account
    file: Path
    directory: Path
    command: tuple[str, ...]
    environment: Mapping[str, str]
    runs_as: Role
    database: bool = False
    dockerfile: Path | None = None
    image: str = ""
    api: PrivateApi | None = None
    bus: Bus | None = None
    calls: tuple[str, ...] = ()
    publishes: tuple[PublishedEvent, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    queues: tuple[Declared, ...] = ()
    queue_policies: tuple[Document, ...] = ()
    topics: tuple[DeclaredTopic, ...] = ()
    topic_policies: tuple[Document, ...] = ()

    def function_arn(self, region: str) -> str:
        return function_arn(region, self.account.id, self.name)

    def queue_arn(self, region: str, queue: str) -> str:
        """Of a queue in its account."""
        return queue_arn(region, self.account.id, queue)

    def senders(self, region: str) -> dict[str, list[str]]:
        """The ARNs of its topics, by the names of its own queues that they send to."""
        found: dict[str, list[str]] = {}
        for topic in self.topics:
            arns = [arn for each in topic.subscriptions for arn in (each.queue, each.dead_letters) if arn]
            for arn in dict.fromkeys(arns):
                account, name = arn.split(":")[4:6]
                if account == self.account.id:
                    found.setdefault(name, []).append(topic_arn(region, account, topic.name))
        return found


@dataclass(frozen=True, slots=True)
class Landscape:
    """`file` is the harness.yaml, absolute; mappings are by name, `roles` by ARN, `memberships` by account id,
    `endpoint_policies` by the VPC endpoint's id.
    """

    file: Path
    organisation: str
    region: str
    ports: Ports
    workbench: Workbench
    accounts: Mapping[str, Account]
    roles: Mapping[str, Role]
    buses: Mapping[str, Bus]
    domains: Mapping[str, Domain]
    oidc: OidcProvider | None = None
    memberships: Mapping[str, Membership] = field(default_factory=dict)
    endpoint_policies: Mapping[str, Document] = field(default_factory=dict)
    ca_file: Path | None = None
    limits: Limits = field(default_factory=Limits)

    @property
    def folder(self) -> Path:
        return self.file.parent

    def directory(self) -> Directory:
        """What STS and the gateways know of the organisation."""
        accounts = {account.id: account.name for account in self.accounts.values()}
        return Directory(
            self.region,
            self.organisation,
            accounts,
            self.roles,
            self.oidc,
            memberships=self.memberships,
            endpoint_policies=self.endpoint_policies,
        )

    def apis(self) -> Mapping[str, PrivateApi]:
        return {name: domain.api for name, domain in self.domains.items() if domain.api is not None}

    def buses_by_arn(self) -> Mapping[str, Bus]:
        return {bus.arn: bus for bus in self.buses.values()}

    def containers(self, upstreams: Mapping[str, str]) -> dict[str, str]:
        """The base URL of each domain's container, by the ARN of the function that it stands for."""
        return {self.domains[name].function_arn(self.region): url for name, url in upstreams.items()}

    def quarantines_by_arn(self) -> Mapping[str, Bus]:
        """Where buses put events aside, but for those that are declared as buses. Nobody else puts events there."""
        declared = self.buses_by_arn()
        places = [
            Bus(bus.region, bus.account, bus.validation.quarantine)
            for bus in self.buses.values()
            if bus.validation.quarantine
        ]
        return {place.arn: place for place in places if place.arn not in declared}

    def event_contracts(self) -> Mapping[tuple[str, str], EventContract]:
        """By source and detail-type."""
        return {
            (event.source, event.detail_type): EventContract(
                name, event.detail_type, json.dumps(event.schema), file=str(event.contract)
            )
            for name, domain in self.domains.items()
            for event in domain.publishes
        }

    def rules(self, upstreams: Mapping[str, str]) -> tuple[Rule, ...]:
        """Every subscription of the domains that `upstreams` (domain -> base URL) has; other domains do not run."""
        owners = {bus.arn: bus.account for bus in self.buses.values()}
        return tuple(
            Rule(
                subscription.rule,
                subscription.bus_arn,
                owners[subscription.bus_arn],
                subscription.pattern,
                (
                    Target(
                        TARGET_ID,
                        domain.function_arn(self.region),
                        subscription.retry,
                        domain.queue_arn(self.region, subscription.dead_letter) if subscription.dead_letter else "",
                    ),
                ),
            )
            for name, domain in self.domains.items()
            if name in upstreams
            for subscription in domain.subscriptions
        )

    def queues(self) -> list[Declared]:
        """Those of all domains, also of those that do not run."""
        found: list[Declared] = []
        for domain in self.domains.values():
            rules: dict[str, list[str]] = {}
            for subscription in domain.subscriptions:
                if subscription.dead_letter:
                    rules.setdefault(subscription.dead_letter, []).append(subscription.rule_arn)
            found += with_senders(
                domain.queues,
                rules,
                domain.senders(self.region),
                account=domain.account.id,
                region=self.region,
                file=os.path.relpath(domain.file, self.folder),
            )
        return found

    def topics(self) -> list[DeclaredTopic]:
        """Those of all domains, also of those that do not run."""
        return [topic for domain in self.domains.values() for topic in domain.topics]

    def places(self) -> tuple[NetworkPlace, ...]:
        """Every network place that wants a listener: workbench, public, an endpoint per account, one per API called."""
        places = [
            NetworkPlace(
                "workbench",
                PlaceKind.WORKBENCH,
                self.workbench.account,
                self.workbench.endpoint,
                self.workbench.vpc,
            ),
            NetworkPlace("public", PlaceKind.PUBLIC),
        ]
        places += [endpoint_place(account) for account in self.accounts.values()]
        places += [endpoint_place(domain.account, api) for domain in self.domains.values() for api in domain.calls]
        return tuple(places)

    def files(self) -> tuple[Path, ...]:
        """Every file that the landscape was read from, absolute: manifests, policies, contracts."""
        documents = [bus.policy for bus in self.buses.values() if bus.policy]
        documents += self.endpoint_policies.values()
        for member in self.memberships.values():
            documents += [document for level in member.scps for document in level if document.file]
        for role in self.roles.values():
            documents += [role.trust, *role.policies, *([role.boundary] if role.boundary else [])]
        found = {self.file} if self.ca_file is None else {self.file, self.ca_file}
        for domain in self.domains.values():
            found.add(domain.file)
            found.update(event.contract for event in domain.publishes)
            documents += (*domain.queue_policies, *domain.topic_policies)
            if domain.api is not None:
                documents.append(domain.api.resource_policy)
                found.update(version.contract for version in domain.api.versions.values())
        found.update(Path(os.path.normpath(self.folder / document.file)) for document in documents)
        return tuple(sorted(found))

    def role(self, reference: str) -> Role:
        """The role named by its ARN, as `account/name`, or by a name that only one account has.

        Raises InputError when there is none, or more than one.
        """
        if reference in self.roles:
            return self.roles[reference]
        names = {account.id: account.name for account in self.accounts.values()}
        spelled = {f"{names[role.account]}/{role.name}": role for role in self.roles.values()}
        if reference in spelled:
            return spelled[reference]
        found = [full for full, role in spelled.items() if role.name == reference]
        if len(found) == 1:
            return spelled[found[0]]
        if found:
            text = f'the role name "{reference}" is ambiguous: say {" or ".join(sorted(found))}'
        else:
            known = [*spelled, *(role.name for role in self.roles.values())]
            hint = did_you_mean(reference, known) or f": known are {', '.join(sorted(spelled)) or 'none'}"
            text = f'unknown role "{reference}"{hint}'
        raise InputError([Problem(self.file.name, 0, text)])


def endpoint_place(account: Account, api: str = "") -> NetworkPlace:
    """An account's VPC endpoint; with `api`, that API's private custom domain seen from there."""
    name = f"{account.name} to {api}" if api else account.name
    return NetworkPlace(name, PlaceKind.ENDPOINT, account.id, account.endpoint, account.endpoint_vpc, api)


def api_url_variable(api: str) -> str:
    """The environment variable in which a domain finds the base URL of an API that it calls: `STOCK_API_URL`."""
    return f"{api.upper().replace('-', '_')}_API_URL"
