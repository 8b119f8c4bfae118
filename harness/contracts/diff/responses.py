"""Answers: statuses, bodies, headers and links. The new contract may give only what the old one promised."""

from collections.abc import Iterator, Mapping
from typing import Any

from harness.contracts.contract import Operation, Part
from harness.contracts.diff.bodies import given
from harness.contracts.diff.pairing import Pairing, shown
from harness.contracts.diff.parameters import header_written
from harness.contracts.diff.schemas import SchemaDiffs, schema_findings
from harness.contracts.finding import Finding, Level
from harness.contracts.schemas import Role

Responses = Mapping[str, Part]


def response_findings(pairing: Pairing, diffs: SchemaDiffs, was: Operation, now: Operation) -> Iterator[Finding]:
    inner = pairing.at(part="response")
    before, after = _statuses(was.responses), _statuses(now.responses)
    for status, new in after.items():
        promised = _covering(before, status)
        if promised is None:
            yield _new_status(inner.at(status=status), before, status, new)
            continue
        if promised == "default" and status[0] in "123":
            words: dict[str, Any] = {
                "name": status,
                "reason": "the default answer speaks of it, which most take for errors",
            }
            places = before[promised].named, new.named
            yield inner.at(status=status).finding("response-success-status-added", *places, level=Level.RISKY, **words)
        if not inner.same(before[promised], new):
            yield from _answer(inner.at(status=status), diffs, before[promised], new)
    for status, old in before.items():
        if status == "default" or status in after:
            continue
        if not any(_within(other, status) or _within(status, other) for other in after if other != "default"):
            success = status[0] in "123"
            rule = "response-success-status-removed" if success else "response-error-status-removed"
            yield inner.at(status=status).finding(rule, old.named, None, name=status)


def _statuses(responses: Responses) -> dict[str, Part]:
    return {status.upper() if status != "default" else status: part for status, part in responses.items()}


def _within(status: str, wide: str) -> bool:
    return status != wide and wide.endswith("XX") and status[:1] == wide[:1]


def _covering(responses: Responses, status: str) -> str | None:
    """Which of the promised answers speaks of a status: the exact one, its range, the default (OpenAPI, 4.8.16)."""
    wanted = (status, f"{status[:1]}XX", "default") if status != "default" else ("default",)
    return next((key for key in wanted if key in responses), None)


def _new_status(pairing: Pairing, before: Responses, status: str, new: Part) -> Finding:
    narrower = [other for other in before if _within(other, status)]
    if narrower:
        words: dict[str, Any] = {"name": status, "was": " or ".join(narrower)}
        return pairing.finding("response-status-widened", before[narrower[0]].named, new.named, **words)
    if status == "default" or status[0] in "45":
        known = [other for other in before if status == "default" or other[0] == status[0]]
        if known or status == "default":
            return pairing.finding("response-error-status-added", None, new.named, name=status)
        words = {"name": status, "was": f"{status[0]}xx"}
        return pairing.finding("response-error-class-added", None, new.named, **words)
    return pairing.finding("response-success-status-added", None, new.named, name=status)


def _answer(pairing: Pairing, diffs: SchemaDiffs, old: Part, new: Part) -> Iterator[Finding]:
    yield from _headers(pairing, diffs, old, new)
    yield from _links(pairing, old, new)
    yield from given(pairing, diffs, old, new)


def _headers(pairing: Pairing, diffs: SchemaDiffs, old: Part, new: Part) -> Iterator[Finding]:
    before, after = ({name.lower(): part for name, part in headers.items()} for headers in _both(pairing, old, new))
    for name, part in before.items():
        inner = pairing.at(part="response-header", parameter=("header", name))
        required = part.get("required") is True
        if name not in after:
            rule = "response-required-header-removed" if required else "response-header-removed"
            yield inner.finding(rule, part.named, new.at, name=name)
            continue
        other = after[name]
        if required is not (other.get("required") is True):
            rule = "response-header-became-optional" if required else "response-header-became-required"
            yield inner.finding(rule, part.at, other.at, name=name)
        was, now = header_written(part), header_written(other)
        if was != now:
            yield inner.finding("response-header-style-changed", part.at, other.at, name=name, was=was, now=now)
        subjects = inner.old.value_of(part, Role.RESPONSE), inner.new.value_of(other, Role.RESPONSE)
        yield from schema_findings(inner, diffs, *subjects, Role.RESPONSE, on_wire="content" not in part.raw)
    for name, part in after.items():
        if name not in before:
            inner = pairing.at(part="response-header", parameter=("header", name))
            yield inner.finding("response-header-added", old.at, part.named, name=name)


def _both(pairing: Pairing, old: Part, new: Part) -> Iterator[dict[str, Part]]:
    """The headers of both sides; Content-Type is said by `content` (OpenAPI 3.1, 4.8.17)."""
    for contract, part in ((pairing.old, old), (pairing.new, new)):
        headers = contract.entries(part, "headers")
        yield {name: header for name, header in headers.items() if name.lower() != "content-type"}


def _links(pairing: Pairing, old: Part, new: Part) -> Iterator[Finding]:
    before, after = pairing.old.entries(old, "links"), pairing.new.entries(new, "links")
    inner = pairing.at(part="link")
    for name, part in before.items():
        if name not in after:
            yield inner.finding("response-link-removed", part.named, new.at, name=name)
            continue
        was, now = (
            {key: value for key, value in side.raw.items() if key != "description" and not key.startswith("x-")}
            for side in (part, after[name])
        )
        if was != now:
            words: dict[str, Any] = {"name": name, "was": shown(was), "now": shown(now)}
            yield inner.finding("response-link-changed", part.at, after[name].at, **words)
    for name, part in after.items():
        if name not in before:
            yield inner.finding("response-link-added", old.at, part.named, name=name)
