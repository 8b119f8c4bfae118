"""What jsonschema-rs proves about canonical schemas. None: it does not know, or has no form for the question."""

from jsonschema_rs import CanonicalSchema, canonical

_CONTAINED = {canonical.Containment.YES: True, canonical.Containment.NO: False}


def covers(wide: CanonicalSchema, narrow: CanonicalSchema) -> bool | None:
    try:
        return _CONTAINED.get(wide.covers(narrow))
    except canonical.CanonicalizationError:  # "operand is not supported in canonical form"
        return None


def disjoint(one: CanonicalSchema, other: CanonicalSchema) -> bool | None:
    """True when no value is valid for both. False is never proven here."""
    try:
        return True if one.intersect(other).satisfiability() == canonical.Satisfiability.NO else None
    except canonical.CanonicalizationError:
        return None
