"""The bi-directional check: does each expectation of a consumer lie inside the provider's contract?

What a provider can never do is breaking; what it need not do (an optional field, one that may be null) is risky.
"""

import json
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from harness.contracts.consumers.declared import is_free, names_at
from harness.contracts.consumers.expectation import Expected, only
from harness.contracts.consumers.given_texts import Unlike, around, unlike
from harness.contracts.consumers.places import steps_of
from harness.contracts.consumers.provider import Answer, ApiContract, EventContractFile, Operation, Provider
from harness.contracts.consumers.reading import Given, fields_to_check, presence
from harness.contracts.consumers.requests import request_faults
from harness.contracts.consumers.sent import elsewhere
from harness.contracts.consumers.statuses import answers, expects_refusal, said_of_status
from harness.contracts.consumers.templates import best_template, find_call
from harness.contracts.consumers.uses import MessageUse, PactUse, RecordedUse, Said
from harness.contracts.field_path import ELEMENT, FieldPath, show_field_path
from harness.contracts.finding import Finding, Level, Place
from harness.contracts.usage import Call
from harness.errors import did_you_mean

Tell = Callable[[str, Level, Place, str], Finding]


class _TextRules(NamedTuple):
    """The rules about what is given as text."""

    impossible: str
    wider: str


_HEADER: Final = _TextRules("expected-header-impossible", "expected-header-wider")
_METADATA: Final = _TextRules("expected-metadata-impossible", "expected-metadata-wider")


def unmet(use: PactUse | RecordedUse | MessageUse, provider: Provider) -> tuple[Finding, ...]:
    """Findings about one use. Of what is pending nothing is breaking."""
    found = tuple(_CHECKS[type(use)](use, provider))  # type: ignore[operator]
    if not use.said.pending:
        return found
    return tuple(_softened(finding) for finding in found)


def _softened(finding: Finding) -> Finding:
    if finding.level is not Level.BREAKING:
        return finding
    reason = "the consumer says that this expectation is pending"
    return Finding(finding.rule, Level.RISKY, finding.place, finding.text, new=finding.new, reason=reason)


def _teller(said: Said) -> Tell:
    def tell(rule: str, level: Level, place: Place, text: str) -> Finding:
        return Finding(rule, level, place, f"{said.consumer} ({said.text}) {text}", new=said.source)

    return tell


def _pact(use: PactUse, provider: Provider) -> Iterator[Finding]:
    tell = _teller(use.said)
    if not use.calls:
        yield _no_operation(use, provider, tell)
        return
    versions = [provider.versions[call.version] for call in use.calls if call.version in provider.versions]
    each = [list(_in_version(use, call, version, tell)) for call, version in zip(use.calls, versions, strict=True)]
    # A path without a version holds where it holds; the version with the fewest findings is the one meant.
    yield from min(each, key=_badness)
    if len(each) > 1:
        names = ", ".join(call.version for call in use.calls)
        text = f"names no version, and {names} have {use.http.method} {use.calls[0].path}: begin its path with /vN"
        yield tell("expected-version-unclear", Level.RISKY, _operation_place(use.calls[0]), text)


def _no_operation(use: PactUse, provider: Provider, tell: Tell) -> Finding:
    wanted = f"{use.http.method} {use.http.path}"
    place = Place("api", "operation", use.http.method, use.http.path)
    for version in provider.versions.values():
        below = use.http.path.removeprefix(f"/{version.version}") or "/"
        templates = [template for _, template in version.operations]
        template = best_template(below, templates)
        if template is not None:
            methods = ", ".join(method for method, path in version.operations if path == template)
            text = f"calls {wanted}, and {version.version} has {template} with {methods} alone"
            return tell("expected-operation-missing", Level.BREAKING, place, text)
    known = [f"/{version.version}{path}" for version in provider.versions.values() for _, path in version.operations]
    text = f"calls {wanted}, which no version of {provider.name} has{did_you_mean(use.http.path, known)}"
    return tell("expected-operation-missing", Level.BREAKING, place, text)


def _operation_place(call: Call) -> Place:
    return Place("api", "operation", call.method, call.path)


def _in_version(use: PactUse, call: Call, version: ApiContract, tell: Tell) -> Iterator[Finding]:
    operation = version.operation(call.method, call.path)
    if operation is None:
        text = f"calls {call}, which is not there"
        yield tell("expected-operation-missing", Level.BREAKING, _operation_place(call), text)
        return
    # Whoever expects a refusal of the request sends what is refused.
    if not expects_refusal(use.http):
        for fault in request_faults(operation, use.http):
            part = "parameter" if fault.parameter else "request-body"
            place = Place("api", part, call.method, call.path, parameter=fault.parameter, field=steps_of(fault.field))
            level = Level.RISKY if fault.possible else Level.BREAKING
            yield tell(f"expected-{fault.rule}", level, place, fault.text)
        yield from _elsewhere(use, call, version, tell)
    found = answers(operation, use.http)
    if not found:
        known = ", ".join(operation.answers)
        place = Place("api", "response", call.method, call.path, status=str(use.http.status))
        text = f"expects status {said_of_status(use.http)} of {call}, which has {known}"
        yield tell("expected-status-missing", Level.BREAKING, place, text)
        return
    each = [list(_answer(use, operation, status, answer, tell)) for status, answer in found.items()]
    # Of the answers that a matcher takes, the one with the fewest findings is the one meant.
    yield from min(each, key=_badness)


def _elsewhere(use: PactUse, call: Call, version: ApiContract, tell: Tell) -> Iterator[Finding]:
    known = {version.version: version.operations}
    path = elsewhere(
        use.http.request.rules_of("path"), use.http.path, lambda path: bool(find_call(use.http.method, path, known))
    )
    if path is not None:
        text = (
            f"may call {use.http.method} {path} by its matcher of the path, and {version.version} has no such operation"
        )
        yield tell("expected-operation-missing", Level.BREAKING, _operation_place(call), text)


def _badness(found: list[Finding]) -> tuple[int, int]:
    return sum(one.level is Level.BREAKING for one in found), len(found)


def _answer(use: PactUse, operation: Operation, status: int, answer: Answer, tell: Tell) -> Iterator[Finding]:
    call = operation.call
    place = Place("api", "response", call.method, call.path, status=str(status))
    yield from _headers(use, answer, operation, tell)
    if use.expected is None:
        return
    media_type = use.http.response.media_type or "application/json"
    found = answer.content.of(media_type)
    if found is None:
        known = ", ".join(answer.content.media) or "no body"
        text = f"expects {media_type} with status {status} of {call}, which has {known}"
        yield tell("expected-media-type-missing", Level.BREAKING, place, text)
    elif found[1] is not None:

        def at(path: FieldPath) -> Place:
            return Place(
                "api",
                "response",
                call.method,
                call.path,
                status=answer.status,
                media_type=found[0],
                field=steps_of(path),
            )

        yield from read_findings(use.expected, Given(found[1]), f"{call} {status}", at, tell)


def _headers(use: PactUse, answer: Answer, operation: Operation, tell: Tell) -> Iterator[Finding]:
    call = operation.call
    rules = use.http.response.rules_of("header")
    for name, values in use.http.response.headers.items():
        place = Place("api", "response-header", call.method, call.path, ("header", name), answer.status)
        of = f"the header {name} of {call} {answer.status}"
        if name == "content-type":
            continue  # which bodies there are says it
        if name not in answer.headers:
            text = f"reads {of}, which the contract does not have"
            yield tell("expected-header-unknown", Level.RISKY, place, text)
            continue
        given = answer.headers[name].value
        if given is not None and values:
            found = unlike(rules, name, ", ".join(values), given)
            yield from _unlike(_HEADER, found, of, place, tell)


def _unlike(rules: _TextRules, found: Unlike | None, of: str, place: Place, tell: Tell) -> Iterator[Finding]:
    if found is None:
        return
    if found.never:
        text = f"expects {found.said} in {of}, and the contract never gives that: it gives {found.such}"
        yield tell(rules.impossible, Level.BREAKING, place, text)
    else:
        text = f"expects {found.said} in {of}, and the contract allows others, such as {found.such}"
        yield tell(rules.wider, Level.RISKY, place, text)


def read_findings(
    expected: Expected, given: Given, where: str, at: Callable[[FieldPath], Place], tell: Tell
) -> Iterator[Finding]:
    """About the fields that a consumer reads of a body or an event."""
    told: list[FieldPath] = []
    for path in fields_to_check(expected):
        if any(path[: len(above)] == above for above in told):
            continue
        shown = f"{show_field_path(path)} of {where}"
        if not given.declares(path):
            yield _unknown_field(given, path, shown, at, tell)
            told.append(path)
        elif path[-1] is not ELEMENT and not given.is_within(presence(path)) and given.is_within(presence(path[:-1])):
            text = f"reads {shown}, which the contract does not promise: it may be missing"
            yield tell("expected-field-optional", Level.RISKY, at(path), text)
    for path in fields_to_check(expected):
        if any(path[: len(above)] == above for above in told) or _has_members(expected, path):
            continue
        full, shape = only(expected, path, shape=False), only(expected, path, shape=True)
        assert full is not None
        assert shape is not None
        if given.never(full):
            text = f"expects of {show_field_path(path)} of {where} what the contract never gives"
            yield tell("expected-field-impossible", Level.BREAKING, at(path), text)
        elif not _is_exact(expected, path) and given.is_within(presence(path)) and not given.is_within(shape):
            witness = given.within(shape).witness
            such = f", such as {witness_at(witness.value, path)}" if witness else ""
            text = f"reads {show_field_path(path)} of {where} as one type, and the contract allows others{such}"
            yield tell("expected-field-wider", Level.RISKY, at(path), text)


def _unknown_field(given: Given, path: FieldPath, shown: str, at: Callable[[FieldPath], Place], tell: Tell) -> Finding:
    document = given.subject.compiled.closed
    if isinstance(path[-1], str) and is_free(document, path[:-1]):
        text = f"reads {shown}, which the contract allows and does not describe"
        return tell("expected-field-undescribed", Level.RISKY, at(path), text)
    hint = did_you_mean(path[-1], names_at(document, path[:-1])) if isinstance(path[-1], str) else ""
    text = f"reads {shown}, which the contract lacks{hint}"
    return tell("expected-field-unknown", Level.BREAKING, at(path), text)


def _has_members(expected: Expected, path: FieldPath) -> bool:
    below = expected.below(path)
    return below is not None and bool(below.members)


def _is_exact(expected: Expected, path: FieldPath) -> bool:
    below = expected.below(path)
    return below is not None and below.exact


def witness_at(value: object, path: FieldPath) -> str:
    """The part of an example that a path leads to, as JSON; all of it where the path does not lead on."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str) and step in value:
            value = value[step]
        elif isinstance(value, list) and step is ELEMENT and value:
            value = value[0]
        else:
            break
    return json.dumps(value, ensure_ascii=False)


def _recorded(use: RecordedUse, provider: Provider) -> Iterator[Finding]:
    """What was recorded is no expectation; but whoever used what is not there has been left behind."""
    tell = _teller(use.said)
    call = use.usage.call
    version = provider.versions.get(call.version)
    operation = version.operation(call.method, call.path) if version else None
    if operation is None:
        text = f"called {call} until {use.usage.seen.last}, and the contract does not have it"
        yield tell("recorded-operation-missing", Level.RISKY, _operation_place(call), text)


def _message(use: MessageUse, provider: Provider) -> Iterator[Finding]:
    tell = _teller(use.said)
    if not use.detail_type:
        known = ", ".join(provider.events) or "none"
        text = (
            'does not say which event it expects: give the message the metadata {"detail-type": …}; '
            f"{provider.name} publishes {known}"
        )
        yield tell("expected-event-unclear", Level.BREAKING, Place("event", "event"), text)
        return
    place = Place("event", "event", detail_type=use.detail_type)
    event = provider.events.get(use.detail_type)
    if event is None:
        hint = did_you_mean(use.detail_type, tuple(provider.events))
        text = f"expects {use.detail_type}, which {provider.name} does not publish{hint}"
        yield tell("expected-event-missing", Level.BREAKING, place, text)
        return
    yield from _metadata(use, event, place, tell)
    if use.expected is None:
        return

    def at(path: FieldPath) -> Place:
        return Place("event", "event-detail", detail_type=use.detail_type, field=steps_of(path))

    yield from read_findings(use.expected, Given(event.detail), use.detail_type, at, tell)


def _metadata(use: MessageUse, event: EventContractFile, place: Place, tell: Tell) -> Iterator[Finding]:
    """What is expected of what surrounds the detail. Names that the bus does not have are the test's own."""
    known = around(event)
    rules = use.message.message.rules_of("metadata")
    for name, values in use.message.message.headers.items():
        given = known(name)
        if given is not None and values:
            found = unlike(rules, name, values[0], given)
            yield from _unlike(_METADATA, found, f"{name} of {use.detail_type}", place, tell)


_CHECKS = {PactUse: _pact, RecordedUse: _recorded, MessageUse: _message}
