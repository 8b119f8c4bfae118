"""What consumers use of a provider, each use with who says so: pacts, recorded usage, rules. Together a footprint."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from harness.contracts.consumers.expectation import Expected, expectation
from harness.contracts.consumers.pact_file import ABSENT, HttpExpectation, MessageExpectation, PactFile
from harness.contracts.consumers.templates import find_call
from harness.contracts.field_path import FieldPath, fields_of
from harness.contracts.finding import Source
from harness.contracts.usage import Call, Usage

ANY_DETAIL = ("detail",)


@dataclass(frozen=True, slots=True)
class Said:
    """Who relies on whom, and where that is written. `text`: `pact "an order by id"`, `rule "on-orders"`, `recorded`.

    `pending`: the consumer says of itself that it is not there yet.
    """

    consumer: str
    provider: str
    text: str
    source: Source
    pending: bool = False


@dataclass(frozen=True, slots=True)
class PactUse:
    """`calls`: the operations that the request may be for, more than one where its path names no version.

    `expected`: of a JSON body in the answer; None where the pact says nothing of one.
    """

    said: Said
    http: HttpExpectation
    calls: tuple[Call, ...]
    expected: Expected | None
    request_fields: frozenset[FieldPath]


@dataclass(frozen=True, slots=True)
class RecordedUse:
    said: Said
    usage: Usage


@dataclass(frozen=True, slots=True)
class MessageUse:
    """`detail_type` is empty where the pact does not say which event it is about."""

    said: Said
    message: MessageExpectation
    detail_type: str
    expected: Expected | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A rule of a consumer as plain values. `reads`: paths into the event that its target gets (`$.detail.data.total`).

    None: the target gets the whole event. `transformer` names them for messages, as `InputPathsMap` does.
    """

    consumer: str
    rule: str
    pattern: Mapping[str, Any]
    source: Source
    reads: Mapping[str, FieldPath] | None = None


Use = PactUse | RecordedUse | MessageUse


@dataclass(frozen=True, slots=True)
class Footprint:
    """All uses of one provider by one consumer."""

    consumer: str
    provider: str
    uses: tuple[Use, ...] = ()
    subscriptions: tuple[Subscription, ...] = field(default=())

    def about(self, call: Call) -> tuple[PactUse | RecordedUse, ...]:
        """Those of one operation."""
        found: list[PactUse | RecordedUse] = []
        for use in self.uses:
            if (isinstance(use, PactUse) and call in use.calls) or (
                isinstance(use, RecordedUse) and use.usage.call == call
            ):
                found.append(use)
        return tuple(found)


def pact_uses(
    pact: PactFile, operations: Mapping[str, Iterable[tuple[str, str]]], events: Iterable[str]
) -> tuple[Use, ...]:
    """`operations` by version and `events` are the provider's, as they were when the pact was good."""
    known = tuple(events)
    uses: list[Use] = []
    for http in pact.http:
        said = _said(pact, http.description, http.line, pending=http.pending)
        uses.append(
            PactUse(
                said,
                http,
                find_call(http.method, http.path, operations),
                _expected(http.response.body, http.response.rules_of("body")),
                frozenset(fields_of(http.request.body)) if http.request.body is not ABSENT else frozenset(),
            )
        )
    for message in pact.messages:
        said = _said(pact, message.description, message.line, pending=message.pending)
        detail_type, expected = _event(message, known)
        uses.append(MessageUse(said, message, detail_type, expected))
    return tuple(uses)


def _said(pact: PactFile, description: str, line: int, *, pending: bool) -> Said:
    return Said(pact.consumer, pact.provider, f'pact "{description}"', Source(pact.file, line), pending)


def _expected(body: Any, rules: Any) -> Expected | None:
    """Text that is no JSON has no fields; JSON text does not come here as text."""
    if body is ABSENT or isinstance(body, str):
        return None
    return expectation(body, rules)


def _event(message: MessageExpectation, known: tuple[str, ...]) -> tuple[str, Expected | None]:
    """Which event, and what is expected of its detail. A message may be the whole event or the detail alone."""
    part = message.message
    expected = _expected(part.body, part.rules_of("body"))
    if isinstance(part.body, Mapping) and {"detail-type", "detail"} <= set(part.body):
        return str(part.body["detail-type"]), expected.below(ANY_DETAIL) if expected else None
    for name in ("detail-type", "detailtype"):
        if name in part.headers:
            return part.headers[name][0], expected
    return next((event for event in known if event in message.description), ""), expected


def recorded_uses(
    consumer: str, provider: str, file: str, usages: Iterable[Usage], *, today: date, forget_after_days: int
) -> tuple[RecordedUse, ...]:
    """What was last seen longer ago than that is forgotten, also single parameters and fields of what is in use."""
    oldest = today - timedelta(days=forget_after_days)
    said = Said(consumer, provider, "recorded", Source(file, 0))
    return tuple(RecordedUse(said, _recent(usage, oldest)) for usage in usages if usage.seen.last >= oldest)


def _recent(usage: Usage, oldest: date) -> Usage:
    def kept(names: Mapping[Any, Any]) -> dict[Any, Any]:
        return {name: seen for name, seen in names.items() if seen.last >= oldest}

    return Usage(
        usage.call,
        usage.seen,
        {place: kept(names) for place, names in usage.parameters.items()},
        kept(usage.request_fields),
        # Where every field that was chosen is forgotten, nothing may seem to be read at all.
        kept(usage.response_fields) or {(): usage.seen},
        kept(usage.statuses),
    )
