"""Every rule of the lint: id, what it is about, why it is one, an example of what breaks it, and the check.

The ids are an interface: `x-lint-ignore` names them. docs/reference/lint.md shows this table.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from harness.contracts.lint import bodies, events, openapi_validity, operations, validity
from harness.contracts.lint.subjects import Hit


class Kind(StrEnum):
    API = "api"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class Rule:
    """`first`: asked before all others, which are only asked where it finds nothing."""

    id: str
    kind: Kind
    reason: str
    example: str
    check: Callable[[Any], Iterator[Hit]]
    first: bool = False


A, E = Kind.API, Kind.EVENT

_TABLE: Final = (
    Rule(
        "reference-resolves",
        A,
        "Nothing can be checked through a reference that leads nowhere.",
        "`$ref: '#/components/schemas/Oder'`",
        validity.references,
        first=True,
    ),
    Rule(
        "openapi-valid",
        A,
        "Every tool reads the document its own way where OpenAPI does not define it.",
        "a response without `description`",
        openapi_validity.openapi,
        first=True,
    ),
    Rule(
        "operation-id",
        A,
        "Clients, reports and policies name an operation by it.",
        "`get:` without `operationId`",
        operations.operation_id,
    ),
    Rule(
        "operation-id-form",
        A,
        "One spelling, so that generated clients read alike.",
        "`operationId: place_order`",
        operations.operation_id_form,
    ),
    Rule(
        "path-form",
        A,
        "API Gateway takes a parameter only as a whole segment; the version is the stage.",
        "`/Orders`, `/v2/orders`, `/orders/{id}.json`",
        operations.path_form,
    ),
    Rule("parameter-form", A, "One spelling across all domains.", "`?page_size=`", operations.parameter_form),
    Rule(
        "property-form",
        A,
        "One spelling across all domains. What the gateway answers by itself is left alone.",
        "`order_id: {type: string}`",
        bodies.property_form,
    ),
    Rule(
        "version-agrees",
        A,
        "A consumer that pins a version must get that one.",
        "`version: 1.4.0` in `v2/openapi.yaml`",
        operations.versions_agree,
    ),
    Rule(
        "security-declared",
        A,
        "What declares nothing reads as open to everyone.",
        "no `security`, or `security: []`",
        operations.security_declared,
    ),
    Rule(
        "security-signed",
        A,
        "API Gateway sets up IAM authorisation from it when the document is imported.",
        "`type: http, scheme: bearer`",
        operations.security_signed,
    ),
    Rule(
        "problem-errors",
        A,
        "One form of errors in all domains (RFC 9457).",
        "404 with `application/json`",
        operations.problem_errors,
    ),
    Rule(
        "problem-members",
        A,
        "Clients tell problems apart by `type`, `title` and `status`.",
        "a problem with `message` alone",
        operations.problem_members,
    ),
    Rule(
        "bad-request-documented",
        A,
        "Whoever sends something can send it wrong.",
        "`POST` without 400",
        operations.bad_request,
    ),
    Rule(
        "not-found-documented",
        A,
        "What is named may not be there.",
        "`GET /orders/{orderId}` without 404",
        operations.not_found,
    ),
    Rule(
        "gateway-documented",
        A,
        "The gateway answers 403, 429 and 504 for every operation.",
        "no 403",
        operations.gateway_answers,
    ),
    Rule(
        "gateway-form",
        A,
        "The mark keeps answers of the gateway apart from the domain's own.",
        "`x-answered-by: gateway` with `application/problem+json`",
        operations.gateway_form,
    ),
    Rule(
        "list-is-object",
        A,
        "A bare list can never carry a cursor or a count.",
        "`schema: {type: array}`",
        operations.list_is_object,
    ),
    Rule(
        "list-paginated",
        A,
        "A list without pages grows until it no longer fits an answer (10 MB).",
        "`GET /orders` without `cursor`",
        operations.list_paginated,
    ),
    Rule(
        "limit-bounded",
        A,
        "Without a bound one call may ask for everything.",
        "`limit: {type: integer}`",
        operations.limit_bounded,
    ),
    Rule(
        "created-location",
        A,
        "Who made something needs to find it.",
        "201 without `Location`",
        operations.created_location,
    ),
    Rule(
        "retry-after",
        A,
        "Clients that are not told when to come back come back at once.",
        "503 without `Retry-After`",
        operations.retry_after,
    ),
    Rule(
        "deprecation-announced",
        A,
        "Consumers see the date in the answers that they get (RFC 9745, RFC 8594).",
        "`deprecated: true` without the header `Sunset`",
        operations.deprecation_announced,
    ),
    Rule(
        "no-body",
        A,
        "Bodies of GET, HEAD and DELETE mean nothing (RFC 9110, 9.3) and are dropped on the way.",
        "`get: {requestBody: …}`",
        operations.bodiless,
    ),
    Rule(
        "input-closed",
        A,
        "A misspelt member that is ignored is an error that nobody sees.",
        "a body's object without `additionalProperties: false`",
        bodies.input_closed,
    ),
    Rule(
        "answer-open",
        A,
        "Adding a member to an answer must not break anyone.",
        "`additionalProperties: false` in an answer",
        bodies.answer_open,
    ),
    Rule(
        "example-present",
        A,
        "Stubs answer with it, and people read it first.",
        "a 200 without `example`",
        bodies.example_present,
    ),
    Rule(
        "example-valid",
        A,
        "A wrong example misleads stubs, tests and readers.",
        "`example: {quantity: '2'}` for an integer",
        bodies.example_valid,
    ),
    Rule(
        "event-reference-resolves",
        E,
        "Nothing can be checked through a reference that leads nowhere.",
        '`"$ref": "#/$defs/Lien"`',
        validity.references,
        first=True,
    ),
    Rule(
        "event-schema-valid",
        E,
        "Publishers, the bus and consumers validate with it.",
        '`"type": "objekt"`',
        validity.json_schema,
        first=True,
    ),
    Rule(
        "event-name",
        E,
        "The detail-type is the file's name: rules select versions by it.",
        "`order-placed.json`",
        events.event_name,
    ),
    Rule(
        "event-says-itself",
        E,
        "A copied file would describe another event.",
        '`"detail-type": "OrderPlaced.v1"` in `OrderPlaced.v2.json`',
        events.event_says_itself,
    ),
    Rule(
        "event-source",
        E,
        "Consumers authenticate a publisher by account and source; `aws.` is refused by PutEvents.",
        '`"source": "aws.orders"`',
        events.event_source,
    ),
    Rule(
        "event-metadata",
        E,
        "Consumers drop duplicates by `eventId` and follow a chain by the others.",
        "`metadata` without `eventId`",
        events.event_metadata,
    ),
    Rule(
        "event-version-agrees",
        E,
        "`schemaVersion` is the same major version as the detail-type.",
        "`^2\\\\.` in `OrderPlaced.v1.json`",
        events.event_version,
    ),
    Rule(
        "event-domain",
        E,
        "An event says whose it is, and cannot say another's name.",
        '`"domain": {"const": "stock"}` below `contracts/orders`',
        events.event_domain,
    ),
    Rule("event-property-form", E, "One spelling across all domains.", "`order_id`", bodies.event_property_form),
    Rule(
        "event-open",
        E,
        "Adding a member to an event must not break anyone.",
        '`"additionalProperties": false`',
        bodies.event_open,
    ),
    Rule(
        "event-example-present",
        E,
        "People read it first, and tests of consumers start from it.",
        "no `examples`",
        bodies.event_example_present,
    ),
    Rule(
        "event-example-valid",
        E,
        "A wrong example misleads tests and readers.",
        "an example without `eventId`",
        bodies.event_example_valid,
    ),
)

RULES: Final[Mapping[str, Rule]] = {rule.id: rule for rule in _TABLE}
