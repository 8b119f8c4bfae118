"""What schemas say beside what is valid: defaults, read-only and deprecated properties, discriminators, open lists."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from harness.contracts.diff.pairing import Pairing, shown
from harness.contracts.finding import Finding
from harness.contracts.schemas import Subject
from harness.contracts.schemas.closed import identical
from harness.contracts.schemas.dialects import Schema
from harness.contracts.schemas.flat import Flat, same_value
from harness.contracts.schemas.samples import for_index, for_name

MAX_DEPTH: Final = 24


def annotations(pairing: Pairing, old: Subject, new: Subject, *, written: bool) -> Iterator[Finding]:
    """Fields that both sides have are looked at in pairs; `written`: the client writes the value."""
    pairs = _aligned(old, new, old.schema, new.schema, (), frozenset())
    for path, was, now in pairs:
        ours, theirs = old.schemas.flat(was), new.schemas.flat(now)
        places = old.schemas.at(was), new.schemas.at(now)
        inner = pairing.at(field=path)
        field = ".".join(path).replace(".*", "[]") or "the value"
        for check in _CHECKS:
            for rule, words in check(ours, theirs, written):
                said: dict[str, Any] = {"field": field, **words}
                yield inner.finding(rule, *places, **said)


def _aligned(
    old: Subject, new: Subject, was: Schema, now: Schema, path: tuple[str, ...], seen: frozenset[tuple[int, int]]
) -> Iterator[tuple[tuple[str, ...], Schema, Schema]]:
    ours, theirs = old.schemas.flat(was), new.schemas.flat(now)
    key = id(ours), id(theirs)
    alike = identical(old.schemas.compiled(was).closed, new.schemas.compiled(now).closed)
    if key in seen or len(path) > MAX_DEPTH or alike:
        return
    yield path, was, now
    seen |= {key}
    for name in ours.get("properties", {}):
        if name in theirs.get("properties", {}):
            yield from _aligned(old, new, for_name(ours, name), for_name(theirs, name), (*path, name), seen)
    if any("items" in flat for flat in (ours, theirs)):
        yield from _aligned(old, new, for_index(ours, 0), for_index(theirs, 0), (*path, "*"), seen)
    rest, other = (flat.get("additionalProperties") for flat in (ours, theirs))
    if isinstance(rest, dict) and isinstance(other, dict):
        yield from _aligned(old, new, rest, other, (*path, "*"), seen)
    for keyword in ("anyOf", "oneOf"):
        yield from _variants(old, new, ours.get(keyword, []), theirs.get(keyword, []), path, seen)


def _variants(
    old: Subject, new: Subject, ours: list[Any], theirs: list[Any], path: tuple[str, ...], seen: Any
) -> Iterator[tuple[tuple[str, ...], Schema, Schema]]:
    """By the name that they refer to, else by their place in lists of one length."""
    by_name = {other["$ref"]: other for other in theirs if isinstance(other, dict) and "$ref" in other}
    for index, variant in enumerate(ours):
        name = variant.get("$ref") if isinstance(variant, dict) else None
        other = by_name.get(name) if name else theirs[index] if len(ours) == len(theirs) else None
        if other is not None:
            yield from _aligned(old, new, variant, other, path, seen)


Said = Iterator[tuple[str, dict[str, str]]]


def _default(ours: Flat, theirs: Flat, written: bool) -> Said:
    if not written or same_value(ours.get("default"), theirs.get("default")):
        return
    words: dict[str, Any] = {
        "was": shown(ours.get("default"), otherwise="null"),
        "now": shown(theirs.get("default"), otherwise="null"),
    }
    if "default" not in ours:
        yield "request-default-added", words
    elif "default" not in theirs:
        yield "request-default-removed", words
    else:
        yield "request-default-changed", words


def _access(ours: Flat, theirs: Flat, written: bool) -> Said:
    flag = "readOnly" if written else "writeOnly"
    names = _BY_FLAG[flag]
    if ours.get(flag) is not True and theirs.get(flag) is True:
        yield names[0], {}
    elif ours.get(flag) is True and theirs.get(flag) is not True:
        yield names[1], {}


_BY_FLAG: Final = {
    "readOnly": ("request-property-became-read-only", "request-property-became-writable"),
    "writeOnly": ("response-property-became-write-only", "response-property-became-readable"),
}


def _deprecated(ours: Flat, theirs: Flat, written: bool) -> Said:
    if theirs.get("deprecated") is True and ours.get("deprecated") is not True:
        yield "property-deprecated", {}


def _known_values(ours: Flat, theirs: Flat, written: bool) -> Said:
    was, now = ours.get("x-extensible-enum"), theirs.get("x-extensible-enum")
    if not isinstance(was, list) or not isinstance(now, list):
        return
    if written:
        yield from (("request-known-value-removed", {"name": shown(value)}) for value in was if value not in now)
    else:
        yield from (("response-known-value-added", {"name": shown(value)}) for value in now if value not in was)


def _discriminator(ours: Flat, theirs: Flat, written: bool) -> Said:
    was, now = ours.get("discriminator"), theirs.get("discriminator")
    if not isinstance(was, dict):
        return
    if not isinstance(now, dict) or was.get("propertyName") != now.get("propertyName"):
        told = now.get("propertyName") if isinstance(now, dict) else None
        yield "discriminator-changed", {"was": shown(was.get("propertyName")), "now": shown(told)}
        return
    before, after = _mapping(was, ours), _mapping(now, theirs)
    for value, target in before.items():
        if value not in after:
            yield "discriminator-value-removed", {"name": shown(value)}
        elif after[value] != target:
            yield "discriminator-value-moved", {"name": shown(value), "was": target, "now": after[value]}
    for value in after.keys() - before.keys():
        yield "discriminator-value-added", {"name": shown(value)}


def _mapping(said: dict[str, Any], schema: Flat) -> dict[str, str]:
    """Value -> name of the schema. Without a mapping each variant's own name is its value (OpenAPI 3.1, 4.8.25)."""
    mapping = said.get("mapping")
    written = mapping if isinstance(mapping, dict) else {}
    named = {value: str(target).rpartition("/")[2] for value, target in written.items()}
    variants = [*schema.get("oneOf", ()), *schema.get("anyOf", ())]
    tails = [
        variant["$ref"].rpartition("/")[2] for variant in variants if isinstance(variant, dict) and "$ref" in variant
    ]
    return {**{tail: tail for tail in tails if tail not in named.values()}, **named}


_CHECKS: Final[tuple[Callable[[Flat, Flat, bool], Said], ...]] = (
    _default,
    _access,
    _deprecated,
    _known_values,
    _discriminator,
)
