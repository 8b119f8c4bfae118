"""`anyOf` and `oneOf` on either side, and the keywords that are compared whole."""

from collections.abc import Iterator
from typing import Any, Final

from harness.contracts.schemas.algebra import covers, disjoint
from harness.contracts.schemas.closed import identical
from harness.contracts.schemas.dialects import DEFS, Schema
from harness.contracts.schemas.difference import Kind
from harness.contracts.schemas.flat import Flat, merge, same_value, types_of
from harness.contracts.schemas.samples import for_name
from harness.contracts.schemas.schema import Compiled
from harness.contracts.schemas.walk import Node, Walk

ALTERNATIVES: Final = ("anyOf", "oneOf")
# Keywords that are compared whole, with those that they read.
WHOLE: Final[dict[str, tuple[str, ...]]] = {
    "not": ("not",),
    "if": ("if", "then", "else"),
    "contains": ("contains", "minContains", "maxContains"),
    "propertyNames": ("propertyNames",),
    "dependentRequired": ("dependentRequired",),
    "dependentSchemas": ("dependentSchemas",),
    "unevaluatedProperties": ("unevaluatedProperties",),
    "unevaluatedItems": ("unevaluatedItems",),
}


def narrow_alternatives(walk: Walk, node: Node) -> bool:
    """Each variant of the narrow schema has to be contained by itself."""
    keyword = next((keyword for keyword in ALTERNATIVES if keyword in node.ours), None)
    if keyword is None:
        return True
    rest = {key: value for key, value in node.ours.items() if key != keyword}
    variants: list[Schema] = node.ours[keyword]
    for variant in variants:
        merged = merge(rest, walk.narrow.flat(variant))
        excluded = tuple(other for other in variants if other is not variant) if keyword == "oneOf" else ()
        frame = node.frame.beside(merged, node.theirs)
        place = variant if isinstance(variant, dict) and walk.narrow.at(variant) else node.narrow
        walk.node(Node(place, node.wide, frame, (*node.excluded, *excluded)))
    return False


def wide_alternatives(walk: Walk, node: Node) -> bool:
    for keyword in ALTERNATIVES:
        if keyword in node.theirs:
            _alternatives(walk, node, keyword)
    return True


def _alternatives(walk: Walk, node: Node, keyword: str) -> None:
    variants: list[Schema] = node.theirs[keyword]
    nodes = [Node(node.narrow, variant, node.frame.beside(node.ours, walk.wide.flat(variant))) for variant in variants]
    meant = _meant(walk, node, nodes)
    # The variant that is meant goes first, and most of the others need no look: one that fits is enough.
    ordered = sorted(nodes, key=lambda inner: inner is not meant)
    possible = (inner for inner in ordered if not _told_apart(walk, node.ours, inner.theirs))
    fitting = next((inner for inner in possible if walk.tried(inner)), None)
    if fitting is None:
        if meant is not None:
            walk.node(meant)
        else:
            walk.found(Kind.VARIANT, node, _between(walk, node, variants), keyword=keyword, name=_name(node.narrow))
    elif keyword == "oneOf":
        others = (inner.wide for inner in nodes if inner is not fitting)
        overlapping = next((other for other in others if not _apart(walk, node, other)), None)
        if overlapping is not None:
            said = {"keyword": keyword, "name": _name(overlapping), "reason": _OVERLAP}
            walk.found(Kind.VARIANT, node, _between(walk, node, variants), **said)


_OVERLAP: Final = "a value that two variants of the oneOf accept is refused, and whether there is one was not decided"


def _meant(walk: Walk, node: Node, nodes: list[Node]) -> Node | None:
    """By name, by the constant that tells variants apart, or because no other has the same type."""
    name = _name(node.narrow)
    for inner in nodes:
        if name and _name(inner.wide) == name:
            return inner
    constants = _constants(walk, node.ours, ours=True)
    for inner in nodes:
        theirs = _constants(walk, inner.theirs, ours=False)
        if any(key in theirs and same_value(theirs[key], value) for key, value in constants.items()):
            return inner
    alike = [inner for inner in nodes if types_of(inner.theirs) & types_of(node.ours)]
    apart = [inner for inner in alike if not (constants.keys() & _constants(walk, inner.theirs, ours=False).keys())]
    return apart[0] if len(apart) == 1 == len(alike) else None


def _constants(walk: Walk, schema: Flat, *, ours: bool) -> dict[str, Any]:
    """Properties that can have one value alone."""
    schemas = walk.narrow if ours else walk.wide
    listed = {name: schemas.flat(inner).get("enum") for name, inner in schema.get("properties", {}).items()}
    return {name: values[0] for name, values in listed.items() if values and len(values) == 1}


def _name(schema: Schema) -> str:
    reference = schema.get("$ref") if isinstance(schema, dict) else None
    return reference.removeprefix(DEFS) if isinstance(reference, str) else ""


def _apart(walk: Walk, node: Node, other: Schema) -> bool:
    """Whether no value of the node is one of another variant too, or it was none on the narrow side either."""
    theirs = walk.wide.compiled(other)
    if _told_apart(walk, node.ours, walk.wide.flat(other)):
        return True
    if any(_covers(walk.narrow.compiled(excluded), theirs) for excluded in node.excluded):
        return True
    return disjoint(walk.narrow.compiled(node.ours).canonical, theirs.canonical) is True


def _told_apart(walk: Walk, ours: Flat, theirs: Flat) -> bool:
    """By their types, or by a property that both require and that has no value in common."""
    common = types_of(ours) & types_of(theirs)
    if common != {"object"}:
        return not common
    for name in set(ours.get("required", ())) & set(theirs.get("required", ())):
        mine = walk.narrow.flat(for_name(ours, name)).get("enum")
        other = walk.wide.flat(for_name(theirs, name)).get("enum")
        if mine and other and not any(same_value(one, value) for one in mine for value in other):
            return True
    return False


def _covers(wide: Compiled, narrow: Compiled) -> bool:
    return identical(wide.closed, narrow.closed) or covers(wide.canonical, narrow.canonical) is True


def rest(walk: Walk, node: Node) -> bool:
    """What could not be merged into the wide schema, and keywords that are compared whole."""
    for part in node.theirs.get("allOf", ()):
        walk.node(Node(node.narrow, part, node.frame.beside(node.ours, walk.wide.flat(part)), node.excluded))
    for keyword, group in WHOLE.items():
        if keyword in node.theirs:
            _whole(walk, node, keyword, {key: node.theirs[key] for key in group if key in node.theirs})
    return True


def _whole(walk: Walk, node: Node, keyword: str, wanted: Flat) -> None:
    given = {key: node.ours[key] for key in WHOLE[keyword] if key in node.ours}
    alone = not keyword.startswith("unevaluated")
    if alone and given and walk.covered(given, wanted):
        return
    if alone and walk.covered(node.ours, wanted):
        return
    reason = f"whether every value keeps `{keyword}` was not decided"
    proposals = _outside(walk, node, wanted)
    walk.found(Kind.COMPOSITION, node, proposals, keyword=keyword, reason=reason, was=given or None, now=wanted)


def _outside(walk: Walk, node: Node, wanted: Flat) -> Iterator[Any]:
    """Values that break the keyword; by the other contract's schema itself when it refers to nothing."""
    if "$ref" not in repr(wanted):  # else it is of the other contract, whose definitions are not at hand
        if isinstance(wanted.get("not"), dict):
            yield from walk.witnesses.any_of(merge(node.ours, walk.wide.flat(wanted["not"])))
        yield from walk.witnesses.any_of(merge(node.ours, {"not": wanted}))
    yield from walk.witnesses.any_of(node.ours)


def _between(walk: Walk, node: Node, variants: list[Schema]) -> Iterator[Any]:
    """Values of the node, then those that are also of one variant, which another one may accept too."""
    yield from walk.witnesses.any_of(node.ours)
    for variant in variants:
        if "$ref" not in repr(variant):
            yield from walk.witnesses.any_of(merge(node.ours, walk.wide.flat(variant)))
