"""A property that is gone and one that is new, of the same schema and in the same object, are one that was renamed."""

from collections.abc import Iterator

from harness.contracts.diff.pairing import Pairing
from harness.contracts.finding import Finding, Level
from harness.contracts.schemas import Subject
from harness.contracts.schemas.closed import identical
from harness.contracts.schemas.dialects import Schema
from harness.contracts.schemas.samples import for_index

GONE = {
    "request-property-removed",
    "request-property-dropped",
    "response-property-removed",
    "response-optional-property-removed",
}
NEW = {
    "request-property-added",
    "request-required-property-added",
    "request-open-property-limited",
    "response-property-added",
    "response-property-added-to-closed-object",
}


def renamed(
    pairing: Pairing, old: Subject, new: Subject, before: list[Finding], after: list[Finding], *, written: bool
) -> Iterator[Finding]:
    """The findings, each pair that is a rename as one."""
    everything = _once([*before, *after])
    gone = [finding for finding in everything if finding.rule in GONE]
    fresh = [finding for finding in everything if finding.rule in NEW]
    pairs: dict[Finding, Finding] = {}
    for finding in gone:
        same = [other for other in fresh if _alike(finding, other, old, new)]
        rivals = [other for other in gone if same and _alike(other, same[0], old, new)]
        if len(same) == 1 and len(rivals) == 1:
            pairs[finding] = same[0]
    taken = set(pairs.values())
    for finding in everything:
        if finding in taken:
            continue
        other = pairs.get(finding)
        yield _rename(pairing, finding, other, written=written) if other else finding


def _once(findings: list[Finding]) -> list[Finding]:
    """A property that is gone may be seen from both directions; the first, worse one counts."""
    kept: dict[tuple[str, tuple[str, ...], str], Finding] = {}
    for finding in findings:
        kind = "gone" if finding.rule in GONE else "new" if finding.rule in NEW else f"{finding.rule} {finding.text}"
        kept.setdefault((kind, finding.place.field, ""), finding)
    return list(kept.values())


def _alike(gone: Finding, fresh: Finding, old: Subject, new: Subject) -> bool:
    if gone.place.field[:-1] != fresh.place.field[:-1]:
        return False
    was, now = _schema(old, gone.place.field), _schema(new, fresh.place.field)
    if was is None or now is None or was in (True, {}):
        return False
    return identical(old.schemas.compiled(was).closed, new.schemas.compiled(now).closed)


def _schema(subject: Subject, path: tuple[str, ...]) -> Schema | None:
    schema: Schema = subject.schema
    for step in path:
        flat = subject.schemas.flat(schema)
        if step in flat.get("properties", {}):
            schema = flat["properties"][step]
        elif step == "*" and "items" in flat:
            schema = for_index(flat, 0)
        else:
            return None
    return schema


def _rename(pairing: Pairing, gone: Finding, fresh: Finding, *, written: bool) -> Finding:
    rule = "request-property-renamed" if written else "response-property-renamed"
    worst = min((gone.level, fresh.level), key=list(Level).index)
    inner = pairing.at(field=gone.place.field)
    made = inner.finding(rule, None, None, was=gone.place.field[-1], now=fresh.place.field[-1])
    return Finding(
        rule=rule,
        level=worst if worst is not Level.SAFE else Level.RISKY,
        place=made.place,
        text=made.text,
        old=gone.old,
        new=fresh.new,
        example=gone.example or fresh.example,
        reason=gone.reason or fresh.reason,
    )
