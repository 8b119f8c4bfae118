"""`patternProperties`: names are compared by what every pattern that they match says of them."""

import re
from typing import Final

from harness.contracts.schemas.dialects import Schema
from harness.contracts.schemas.difference import Kind
from harness.contracts.schemas.flat import Flat, matches
from harness.contracts.schemas.regular import texts
from harness.contracts.schemas.walk import Node, Walk
from harness.contracts.schemas.witness import ITEM, AnyName

_PREFIX: Final = re.compile(r"\^[A-Za-z0-9_-]*")
"""A pattern that asks for a beginning and nothing else."""


def name_patterns(walk: Walk, node: Node) -> None:
    ours, theirs = (flat.get("patternProperties", {}) for flat in (node.ours, node.theirs))
    for pattern in dict.fromkeys((*ours, *theirs)):
        _compare(walk, node, _said(node.ours, pattern), _said(node.theirs, pattern), pattern)
    for pattern in ours:
        for other in theirs:  # a name may match both
            if not (_implies(pattern, other) or _implies(other, pattern) or _apart(pattern, other)):
                _compare(walk, node, _said(node.ours, pattern), _said(node.theirs, other), pattern, other)


def _said(schema: Flat, pattern: str) -> Schema:
    """Of a name that matches the pattern, and no other that the pattern does not imply."""
    said = [inner for other, inner in schema.get("patternProperties", {}).items() if _implies(pattern, other)]
    if not said:
        rest: Schema = schema.get("additionalProperties", True)
        return rest
    return said[0] if len(said) == 1 else {"allOf": said}


def _implies(pattern: str, other: str) -> bool:
    """Whether every name that matches `pattern` is seen to match `other` too."""
    return pattern == other or bool(_PREFIX.fullmatch(other) and _PREFIX.match(pattern) and _begins(pattern, other))


def _begins(pattern: str, other: str) -> bool:
    # What follows the beginning must not make its last character optional: "^ab?" does not begin with "ab".
    return (
        pattern.startswith(other) and not pattern[len(other) :].startswith(("*", "?", "{", "|")) and "|" not in pattern
    )


def _apart(pattern: str, other: str) -> bool:
    """Whether no name is seen to match both."""
    return bool(_PREFIX.fullmatch(pattern) and _PREFIX.fullmatch(other))  # neither is the beginning of the other


def _compare(walk: Walk, node: Node, inner: Schema, outer: Schema, pattern: str, also: str = "") -> None:
    """One name stands for all that match; where it shows nothing, nothing is proven."""
    if inner is False or outer is True or walk.covered(inner, outer):
        return
    known = {**node.ours.get("properties", {}), **node.theirs.get("properties", {})}
    drawn = [name for name in (*texts(pattern), *texts(also)) if matches(pattern, name) and matches(also, name)]
    name = next((name for name in drawn if name not in known), None)
    before = len(walk.differences)
    if name is not None:
        walk.pair(inner, outer, node.frame, AnyName(name))
    if len(walk.differences) == before:
        reason = f"what names that match {' and '.join(filter(None, (pattern, also)))} may hold was not decided"
        path = (*node.frame.path, ITEM)
        walk.found(Kind.COMPOSITION, node, (), keyword="patternProperties", name=pattern, path=path, reason=reason)
