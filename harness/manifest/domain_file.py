"""What a domain.yaml may say: one domain's side of a landscape."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from harness.manifest import formats
from harness.manifest.fields import (
    At,
    boolean,
    integer,
    json_object,
    located,
    mapping,
    number,
    optional,
    record,
    required,
    sequence,
    shape,
    text,
    with_node,
)
from harness.manifest.queue_file import QueueEntry
from harness.manifest.roles import PATH, RoleEntry
from harness.manifest.throttle_file import ThrottleEntry, with_both
from harness.manifest.topic_file import TopicEntry
from harness.wire import INTEGRATION_TIMEOUT_SECONDS
from harness.yaml_source import Node

NAMES = sequence(located(text))
THROTTLE = with_both(record(ThrottleEntry))
# API Gateway's integration timeout.
MIN_TIMEOUT_SECONDS, MAX_TIMEOUT_SECONDS = 0.05, 29


@shape
class RunEntry:
    command: tuple[str, ...] = required(
        sequence(text, at_least=1),
        instead=(),
        about="program and arguments, as a list; started in this file's folder",
    )
    environment: Mapping[str, At[str]] = optional(
        mapping(formats.variable, located(text)), default={}, about="further environment variables"
    )
    dockerfile: At[Path] | None = optional(PATH, default=None, about="Dockerfile of the container (engine `docker`)")
    image: At[str] | None = optional(
        located(formats.IMAGE), default=None, about="ready image of the container, instead of a Dockerfile"
    )


@shape
class VersionEntry:
    contract: At[Path] | None = required(PATH, instead=None, about="its contract, OpenAPI 3 (file)")
    deprecated: At[date] | None = optional(
        located(formats.day), default=None, about="day from which it is deprecated (RFC 9745)"
    )
    sunset: At[date] | None = optional(
        located(formats.day), default=None, about="day after which it may be gone (RFC 8594)"
    )
    throttle: ThrottleEntry | None = optional(
        THROTTLE, default=None, about="how many requests it takes, where that differs from the API's `throttle`"
    )


@shape
class ApiEntry:
    resource_policy: At[Path] | None = required(
        PATH,
        instead=None,
        about="resource policy (file); AWS deploys none without: "
        "`Private REST API doesn't have a resource policy attached to it`",
    )
    versions: Mapping[str, At[VersionEntry]] = required(
        mapping(formats.VERSION.mistake, located(record(VersionEntry)), at_least=1),
        instead={},
        about="its major versions; each is a stage of the API",
    )
    timeout_seconds: float = optional(
        number(MIN_TIMEOUT_SECONDS, MAX_TIMEOUT_SECONDS),
        default=INTEGRATION_TIMEOUT_SECONDS,
        about="time for an answer, to its last byte, before the gateway answers 504: 0.05 to 29, 29 by default",
    )
    throttle: ThrottleEntry | None = optional(
        THROTTLE, default=None, about="how many requests it takes; by default as many as come"
    )
    domain_name: At[str] | None = optional(
        located(formats.DOMAIN_NAME),
        default=None,
        about="private custom domain name that leads to it; the base path is the version, `/v1/…`",
    )


@shape
class RetryEntry:
    # EventBridge's RetryPolicy: the same limits, the same defaults.
    maximum_attempts: int = optional(integer(0, 185), default=185, about="retries; 185 by default")
    maximum_age_seconds: int = optional(
        integer(60, 86_400), default=86_400, about="age at which an event is given up; 86400 by default"
    )


@shape
class SubscriptionEntry:
    rule: At[str] = required(located(formats.RULE), instead=At("", 0), about="name of the rule, once per bus")
    bus: At[str] | None = optional(
        located(text), default=None, about="the bus to listen on; by default the domain's `bus`"
    )
    pattern: tuple[Mapping[str, Any], Node] | None = required(
        with_node(json_object), instead=None, about="event pattern, as EventBridge has it"
    )
    retry: RetryEntry = optional(record(RetryEntry), default=RetryEntry(), about="retry policy of the target")
    dead_letter: str = optional(
        formats.QUEUE, default="", about="queue for what could not be delivered; none: it is dropped"
    )


@shape
class DomainFile:
    name: At[str] = required(
        located(formats.NAME), instead=At("", 0), about="the domain's name, which is also its API's id"
    )
    account: At[str] = required(located(text), instead=At("", 0), about="the account that it lives in, alone")
    run: RunEntry = required(record(RunEntry), instead=RunEntry(command=()), about="how it is started")
    database: bool = optional(
        boolean, default=False, about="`true`: a PostgreSQL database of its own, in `DATABASE_URL`"
    )
    api: At[ApiEntry] | None = optional(located(record(ApiEntry)), default=None, about="its private API")
    roles: Mapping[str, At[RoleEntry]] = optional(
        mapping(formats.ROLE.mistake, located(record(RoleEntry))), default={}, about="roles of its account"
    )
    runs_as: At[str] = required(located(text), instead=At("", 0), about="the role whose credentials its process gets")
    bus: At[str] | None = optional(
        located(text),
        default=None,
        about="the bus in `EVENT_BUS_ARN`; may be left out where the landscape has just one",
    )
    calls: tuple[At[str], ...] = optional(
        NAMES, default=(), about="APIs that it calls; each puts `<PROVIDER>_API_URL` into its environment"
    )
    publishes: tuple[At[str], ...] = optional(
        sequence(located(formats.EVENT)), default=(), about="events that it publishes, each with a contract"
    )
    contracts: At[Path] | None = optional(
        PATH,
        default=None,
        about="folder of this domain's contracts; by default the one named like it in the landscape's",
    )
    queues: Mapping[str, At[QueueEntry]] = optional(
        mapping(formats.QUEUE_NAME.mistake, located(record(QueueEntry))),
        default={},
        about="queues of its account, by name; a name that ends in `.fifo` is that of a FIFO queue",
    )
    topics: Mapping[str, At[TopicEntry]] = optional(
        mapping(formats.TOPIC_NAME.mistake, located(record(TopicEntry))),
        default={},
        about="topics of its account, by name; a name that ends in `.fifo` is that of a FIFO topic",
    )
    subscribes: tuple[SubscriptionEntry, ...] = optional(
        sequence(record(SubscriptionEntry)), default=(), about="rules that deliver events to it"
    )
