"""Request bodies, and the media types of bodies in both directions."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harness.contracts.contract import Operation, Part
from harness.contracts.diff.pairing import Pairing, shown
from harness.contracts.diff.schemas import SchemaDiffs, schema_findings
from harness.contracts.finding import Finding
from harness.contracts.schemas import Role


def request_body_findings(pairing: Pairing, diffs: SchemaDiffs, was: Operation, now: Operation) -> Iterator[Finding]:
    inner = pairing.at(part="request-body")
    old, new = was.body, now.body
    if old is None and new is None:
        return
    if old is not None and new is not None and pairing.same(old, new):
        return
    if old is None or new is None:
        required = new is not None and new.get("required") is True
        added = "request-required-body-added" if required else "request-body-added"
        rule = added if new else "request-body-removed"
        yield inner.finding(rule, old.named if old else None, new.named if new else None)
        return
    before, after = old.get("required") is True, new.get("required") is True
    if before is not after:
        rule = "request-body-became-required" if after else "request-body-became-optional"
        yield inner.finding(rule, _at(old, "required"), _at(new, "required"))
    yield from accepted(inner, diffs, old, new)


def _at(part: Part, key: str) -> Any:
    return part.below(key) if key in part.raw else part.at


def accepted(pairing: Pairing, diffs: SchemaDiffs, old: Part, new: Part) -> Iterator[Finding]:
    """The bodies that the client sends: of a request, or of the answer to a callback."""
    before, after = media_types(pairing.old.entries(old, "content")), media_types(pairing.new.entries(new, "content"))
    for name, media in before.items():
        covering = covers(after, name)
        inner = pairing.at(media_type=name)
        if covering is None:
            yield inner.finding("request-media-type-removed", media.named, new.at, name=name)
            continue
        other = after[covering]
        subjects = pairing.old.subject(media, Role.REQUEST), pairing.new.subject(other, Role.REQUEST)
        yield from schema_findings(inner, diffs, *subjects, Role.REQUEST)
        yield from _encodings(inner, media, other)
    for name, media in after.items():
        if covers(before, name) is None:
            yield pairing.at(media_type=name).finding("request-media-type-added", old.at, media.named, name=name)


def _encodings(pairing: Pairing, old: Part, new: Part) -> Iterator[Finding]:
    before, after = (part.get("encoding") or {} for part in (old, new))
    if not isinstance(before, dict) or not isinstance(after, dict):
        return
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            places = _at(old, "encoding"), _at(new, "encoding")
            words: dict[str, Any] = {"name": name, "was": shown(before.get(name)), "now": shown(after.get(name))}
            yield pairing.at(field=(name,)).finding("request-encoding-changed", *places, **words)


def given(pairing: Pairing, diffs: SchemaDiffs, old: Part, new: Part) -> Iterator[Finding]:
    """The bodies that the provider sends: of an answer, or of a callback's request."""
    before, after = media_types(pairing.old.entries(old, "content")), media_types(pairing.new.entries(new, "content"))
    if not before or not after:
        if before or after:
            yield pairing.finding("response-body-removed" if before else "response-body-added", old.at, new.at)
        return
    for name, media in after.items():
        promised = covers(before, name)
        inner = pairing.at(media_type=name)
        if promised is None:
            yield inner.finding("response-media-type-added", old.at, media.named, name=name)
            continue
        if promised != name:
            words: dict[str, Any] = {"was": promised, "now": name}
            yield inner.finding("response-media-type-narrowed", before[promised].named, media.named, **words)
        subjects = inner.old.subject(before[promised], Role.RESPONSE), inner.new.subject(media, Role.RESPONSE)
        yield from schema_findings(inner, diffs, *subjects, Role.RESPONSE)
    for name, media in before.items():
        if name not in after and not any(covers([name], other) for other in after):
            yield pairing.at(media_type=name).finding("response-media-type-removed", media.named, new.at, name=name)


def media_types(content: Mapping[str, Part]) -> dict[str, Part]:
    """Names in lower case, without parameters: `application/json; charset=utf-8` is JSON (RFC 9110, 8.3)."""
    return {name.partition(";")[0].strip().lower(): part for name, part in content.items()}


def covers(ranges: Iterable[str], name: str) -> str | None:
    """The range that a media type, or a narrower range, is part of: itself, `application/*` or `*/*`."""
    kind = name.partition("/")[0]
    return next((wide for wide in (name, f"{kind}/*", "*/*") if wide in ranges), None)
