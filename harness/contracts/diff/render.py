"""A diff for people and for programs."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from harness.contracts.diff.document import Diff
from harness.contracts.diff.settings import Ignored
from harness.contracts.finding import Example, Finding, Level, Place, Source

MAX_EXAMPLE: Final = 400
MAX_PLACES: Final = 4


def as_text(diff: Diff, old: str, new: str) -> str:
    """Grouped by level, the worst first; what is said alike of several places is said once."""
    return "\n".join(_lines(diff, old, new))


def _lines(diff: Diff, old: str, new: str) -> Iterator[str]:
    counts = [f"{len(found)} {level}" for level in Level if (found := _of(diff.findings, level))]
    yield f"{old} -> {new}: {', '.join(counts) or 'no changes that matter'}"
    for level in Level:
        groups = _grouped(_of(diff.findings, level))
        if groups:
            yield ""
            yield level.upper()
        for group in groups:
            yield from _group(group)
    if diff.ignored:
        yield ""
        yield "IGNORED"
        yield from (_ignored(entry) for entry in diff.ignored)


def _of(findings: Sequence[Finding], level: Level) -> list[Finding]:
    return [finding for finding in findings if finding.level is level]


def _grouped(findings: Sequence[Finding]) -> list[list[Finding]]:
    groups: dict[tuple[str, str, Source | None, Source | None], list[Finding]] = {}
    for finding in findings:
        # A field of a shared schema is one change, wherever it is reached from.
        what = finding.place.field[-1] if finding.place.field and finding.old and finding.new else finding.text
        groups.setdefault((finding.rule, what, finding.old, finding.new), []).append(finding)
    return list(groups.values())


def _group(group: list[Finding]) -> Iterator[str]:
    first = group[0]
    yield f"  {first.place.label}: {first.text}  [{first.rule}]"
    if len(group) > 1:
        others = [finding.place.label for finding in group[1:]]
        more = f" and {len(others) - MAX_PLACES} more" if len(others) > MAX_PLACES else ""
        yield f"    also {', '.join(others[:MAX_PLACES])}{more}"
    yield f"    {_sources(first)}"
    if first.level is Level.SAFE:
        return
    if first.example:
        yield f"    {_example(first, first.example)}"
    if first.reason:
        yield f"    not proven: {first.reason}"


def _sources(finding: Finding) -> str:
    sides = [f"{name} {source}" for name, source in (("old", finding.old), ("new", finding.new)) if source]
    return ", ".join(sides)


def _example(finding: Finding, example: Example) -> str:
    text = str(example)
    text = text if len(text) <= MAX_EXAMPLE else text[: MAX_EXAMPLE - 1] + "…"
    if finding.place.kind == "event":
        side = (
            "of the old schema, refused by the new one"
            if example.accepted_by == "old"
            else ("of the new schema, refused by the old one")
        )
        return f"an event {side}: {text}"
    if example.accepted_by == "old":
        return f"accepted before, refused now: {text}"
    return f"may be given now, and was never promised: {text}"


def _ignored(entry: Ignored) -> str:
    finding, ignore = entry.finding, entry.ignore
    return f"  {finding.place.label}: {finding.text}  [{finding.rule}] until {ignore.until}: {ignore.reason}"


def as_json(diff: Diff, old: str, new: str) -> dict[str, Any]:
    return {
        "old": old,
        "new": new,
        "counts": {str(level): len(_of(diff.findings, level)) for level in Level},
        "findings": [finding_json(finding) for finding in diff.findings],
        "ignored": [
            {**finding_json(entry.finding), "until": entry.ignore.until.isoformat(), "because": entry.ignore.reason}
            for entry in diff.ignored
        ],
    }


def finding_json(finding: Finding) -> dict[str, Any]:
    """What is absent is left out."""
    said: dict[str, Any] = {
        "rule": finding.rule,
        "level": str(finding.level),
        "text": finding.text,
        "place": _place_json(finding.place),
        "old": _source_json(finding.old),
        "new": _source_json(finding.new),
        "reason": finding.reason,
    }
    if finding.example:
        said["example"] = {"value": finding.example.value, "acceptedBy": finding.example.accepted_by}
    return {key: value for key, value in said.items() if value not in ("", None)}


def _place_json(place: Place) -> dict[str, Any]:
    said = {
        "label": place.label,
        "kind": place.kind,
        "part": place.part,
        "method": place.method,
        "path": place.path,
        "parameter": dict(zip(("in", "name"), place.parameter, strict=True)) if place.parameter else None,
        "status": place.status,
        "mediaType": place.media_type,
        "field": list(place.field),
        "detailType": place.detail_type,
    }
    return {key: value for key, value in said.items() if value}


def _source_json(source: Source | None) -> dict[str, Any] | None:
    return {"file": source.file, "line": source.line} if source else None
