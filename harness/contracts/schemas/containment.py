"""Are all values of one schema values of another? YES, NO with a value that shows it, or UNPROVEN with the reason."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from harness.contracts.schemas import leaves, members, variants
from harness.contracts.schemas.algebra import covers
from harness.contracts.schemas.closed import identical
from harness.contracts.schemas.difference import Difference, Witness
from harness.contracts.schemas.load import Subject
from harness.contracts.schemas.walk import Node, Walk

_STEPS: Final[tuple[Callable[[Walk, Node], bool], ...]] = (
    variants.narrow_alternatives,  # before a variant is chosen there are no keywords to compare
    leaves.values,
    leaves.types,
    leaves.limits,
    members.objects,
    members.arrays,
    variants.wide_alternatives,
    variants.rest,
)


class Verdict(StrEnum):
    YES = "yes"
    NO = "no"
    UNPROVEN = "unproven"


@dataclass(frozen=True, slots=True)
class Containment:
    """`differences` say where; `witness` is a value of the narrow schema that the wide one refuses.

    NO without a witness: jsonschema-rs proved it, and no value was found that shows it. UNPROVEN: neither a proof nor
    a value; the differences say what was not decided.
    """

    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    witness: Witness | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`backward`: what was valid is valid. `forward`: what will be valid was valid before."""

    backward: Containment
    forward: Containment


def compare(old: Subject, new: Subject) -> Comparison:
    return Comparison(backward=contained(old, new), forward=contained(new, old))


def contained(narrow: Subject, wide: Subject, *, shown: bool = True) -> Containment:
    """Whether `wide` accepts every value that `narrow` accepts.

    Without `shown` no witness is looked for, which is several times as fast: the verdict is UNPROVEN where one is
    needed for NO.
    """
    if identical(narrow.compiled.closed, wide.compiled.closed):
        return Containment(Verdict.YES)
    walk = Walk(narrow, wide, _STEPS, shown=shown)
    found = walk.run()
    if not found:
        return Containment(Verdict.YES)
    if all(difference.witness for difference in found) or not shown:
        witness = found[0].witness
        return Containment(Verdict.NO if witness else Verdict.UNPROVEN, tuple(found), witness)
    answer = covers(wide.compiled.canonical, narrow.compiled.canonical)
    if answer:
        return Containment(Verdict.YES)
    refuted = answer is False
    witness = next((difference.witness for difference in found if difference.witness), None)
    witness = witness or walk.witnesses.differing()
    if len(found) == 1 and witness and not found[0].witness:
        found = [replace(found[0], witness=witness)]
    verdict = Verdict.NO if witness or refuted else Verdict.UNPROVEN
    return Containment(verdict, tuple(found), witness)
