"""Types, enumerations and limits: what is decided at one place, without looking further down."""

from collections.abc import Iterable
from typing import Any, Final

from jsonschema_rs import canonicalize

from harness.contracts.schemas.algebra import covers
from harness.contracts.schemas.difference import Kind
from harness.contracts.schemas.flat import Flat, merge, same_value, types_of
from harness.contracts.schemas.walk import Node, Walk

_STRING: Final = frozenset({"string"})
_NUMBER: Final = frozenset({"number", "integer"})
_ARRAY: Final = frozenset({"array"})
_OBJECT: Final = frozenset({"object"})

LEAVES: Final[dict[str, tuple[frozenset[str], Kind]]] = {
    "minLength": (_STRING, Kind.LENGTH),
    "maxLength": (_STRING, Kind.LENGTH),
    "pattern": (_STRING, Kind.PATTERN),
    "minimum": (_NUMBER, Kind.RANGE),
    "exclusiveMinimum": (_NUMBER, Kind.RANGE),
    "maximum": (_NUMBER, Kind.RANGE),
    "exclusiveMaximum": (_NUMBER, Kind.RANGE),
    "multipleOf": (_NUMBER, Kind.MULTIPLE),
    "minItems": (_ARRAY, Kind.ITEMS),
    "maxItems": (_ARRAY, Kind.ITEMS),
    "uniqueItems": (_ARRAY, Kind.ITEMS),
    "minProperties": (_OBJECT, Kind.SIZE),
    "maxProperties": (_OBJECT, Kind.SIZE),
}
_OF_NUMBERS: Final = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float", "double")
_UNDECIDED_PATTERN: Final = "whether every text of the one pattern is one of the other was not decided"
_UNDECIDED_FORMAT: Final = "no validator tells the two formats apart for certain"


def values(walk: Walk, node: Node) -> bool:
    """A finite set of values is asked one by one."""
    listed = node.ours.get("enum")
    if not isinstance(listed, list):
        return True
    ours, theirs = walk.narrow.compiled(node.ours), walk.wide.compiled(node.theirs)
    for value in listed:
        if not ours.accepts(value) or theirs.accepts(value):
            continue
        keyword = "enum"
        if "enum" not in node.theirs:
            keyword = next(iter(theirs.validator.iter_errors(value))).kind.name
        kind = LEAVES[keyword][1] if keyword in LEAVES else _KINDS.get(keyword, Kind.ENUM)
        kind = Kind.NULL if value is None else kind
        said = {"keyword": keyword, "was": listed, "now": node.theirs.get(keyword), "value": value}
        walk.found(kind, node, [value], **said)
    return False


_KINDS: Final = {"type": Kind.TYPE, "format": Kind.FORMAT}


def types(walk: Walk, node: Node) -> bool:
    ours, theirs = types_of(node.ours), types_of(node.theirs)
    missing = ours - theirs
    said = {"keyword": "type", "was": node.ours.get("type"), "now": node.theirs.get("type")}
    # Null apart, where null is said: "may be null no more" is another matter than another type.
    null = missing & {"null"} if "type" in node.ours else frozenset()
    for kind, gone in ((Kind.NULL, null), (Kind.TYPE, missing - null)):
        if gone:
            walk.found(kind, node, _of_types(walk, node, gone), **said)
    return bool(ours & theirs)


def _of_types(walk: Walk, node: Node, gone: frozenset[str]) -> Iterable[Any]:
    """Values of the types that are gone; of numbers, when integers stay, those with a fraction."""
    limited: Flat = {"type": sorted(gone - {"integer"} if "number" in gone else gone)}
    if "number" in gone and "integer" in types_of(node.theirs):
        limited["not"] = {"type": "integer"}
    yield from walk.witnesses.any_of(merge(node.ours, limited))


def limits(walk: Walk, node: Node) -> bool:
    ours, theirs = node.ours, node.theirs
    if "enum" in theirs:
        proposals = walk.witnesses.breaking(node.frame, "enum", theirs["enum"])
        walk.found(Kind.ENUM, node, proposals, keyword="enum", now=theirs["enum"])
        return True
    by_format = _format(walk, node)
    for keyword, (applies, kind) in LEAVES.items():
        relevant = applies & types_of(ours) & types_of(theirs)
        if keyword not in theirs or not relevant or same_value(ours.get(keyword), theirs[keyword]):
            continue
        if (by_format and kind is Kind.RANGE) or _covered(ours, relevant, {keyword: theirs[keyword]}):
            continue
        said = {"keyword": keyword, "was": ours.get(keyword), "now": theirs[keyword]}
        reason = _UNDECIDED_PATTERN if kind is Kind.PATTERN else ""
        walk.found(kind, node, walk.witnesses.breaking(node.frame, keyword, theirs[keyword]), reason=reason, **said)
    return True


def _format(walk: Walk, node: Node) -> bool:
    """True when a difference of formats was put down that says the bounds of numbers too."""
    was, now = node.ours.get("format"), node.theirs.get("format")
    both = types_of(node.ours) & types_of(node.theirs)
    relevant = both & (_NUMBER if now in _OF_NUMBERS else _STRING)
    if now is None or was == now or not relevant or _format_covered(was, now):
        return False
    bounds = ("maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum") if now in _OF_NUMBERS else ("format",)
    proposals = (
        value
        for keyword in bounds
        if keyword in node.theirs
        for value in walk.witnesses.breaking(node.frame, keyword, node.theirs[keyword])
    )
    said = {"keyword": "format", "was": was, "now": now, "reason": _UNDECIDED_FORMAT}
    walk.found(Kind.FORMAT, node, proposals, **said)
    return now in _OF_NUMBERS


# Formats whose every text is one of the other too (JSON Schema validation, 7.3); integers by their bits.
_FORMAT_PARTS: Final = {
    "uri": ("uri-reference", "iri", "iri-reference"),
    "uri-reference": ("iri-reference",),
    "iri": ("iri-reference",),
    "email": ("idn-email",),
    "hostname": ("idn-hostname",),
    "int8": ("int16", "int32", "int64"),
    "int16": ("int32", "int64"),
    "int32": ("int64", "double"),
    "uint8": ("int16", "uint16", "int32", "uint32", "int64", "uint64"),
    "uint16": ("int32", "uint32", "int64", "uint64"),
    "uint32": ("int64", "uint64"),
    "float": ("double",),
}


def _format_covered(was: str | None, now: str) -> bool:
    return was is not None and now in _FORMAT_PARTS.get(was, ())


def _covered(narrow: Flat, relevant: frozenset[str], wide: Flat) -> bool:
    """Whether what the narrow schema says of these types is within one limit of the wide one."""
    kept = {key: value for key, value in narrow.items() if key in LEAVES or key == "format"}
    said = sorted(relevant - ({"integer"} if "number" in relevant else set()))
    return covers(canonicalize(wide), canonicalize({**kept, "type": said})) is True
