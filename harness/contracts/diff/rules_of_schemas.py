"""Rules about schemas: what a difference means, by who writes the value and by which side accepts less.

`{field}` is the field as people write it, `{was}` and `{now}` are what the old and the new contract say.
"""

from typing import Final

from harness.contracts.finding import Level
from harness.contracts.schemas import Kind

B, R, S = Level.BREAKING, Level.RISKY, Level.SAFE

_NARROWED: Final = "Values that were accepted are refused."
_ACCEPTED: Final = "Everything that was accepted still is."
_WIDENED: Final = "Clients get values that they were never promised."
_PROMISED: Final = "Everything that is given was promised."

SCHEMA_RULES: Final = (
    # What the client writes
    ("request-type-narrowed", B, "{field} must be {now}; {was} was accepted", _NARROWED),
    ("request-type-widened", S, "{field} may be {now}, {was} before", _ACCEPTED),
    ("request-null-refused", B, "{field} may not be null any more", _NARROWED),
    ("request-null-accepted", S, "{field} may be null", _ACCEPTED),
    ("request-enum-value-removed", B, "{field} may not be {name} any more", _NARROWED),
    ("request-enum-value-added", S, "{field} may be {name}", _ACCEPTED),
    ("request-enum-added", B, "{field} must be one of {now}", _NARROWED),
    ("request-enum-removed", S, "{field} may be other than {was}", _ACCEPTED),
    ("request-property-became-required", B, "{field} is now required", "Requests without it are refused."),
    ("request-property-became-optional", S, "{field} is now optional", _ACCEPTED),
    ("request-required-property-added", B, "{field} is new and required", "Every request so far lacks it."),
    (
        "request-property-added",
        S,
        "{field} is new and optional",
        "Requests without it stay good. (In an object that says nothing of other properties, a client may have sent "
        "the name with another meaning: raise the level where clients do that.)",
    ),
    (
        "request-open-property-limited",
        R,
        "{field} is new; the object was open for properties of any kind",
        "`additionalProperties` invited clients to send the name with whatever value they liked.",
    ),
    ("request-property-removed", B, "{field} is refused: the object takes no such property any more", _NARROWED),
    ("request-property-dropped", R, "{field} is no longer described", "It may still be sent, and is no longer read."),
    ("request-property-renamed", B, "{was} is now called {now}", "It is looked for under another name."),
    ("request-object-closed", B, "{field} takes no other properties any more", _NARROWED),
    ("request-object-opened", S, "{field} takes other properties", _ACCEPTED),
    ("request-length-narrowed", B, "{field}: {keyword} is {now}, was {was}", _NARROWED),
    ("request-length-widened", S, "{field}: {keyword} is {now}, was {was}", _ACCEPTED),
    ("request-range-narrowed", B, "{field}: {keyword} is {now}, was {was}", _NARROWED),
    ("request-range-widened", S, "{field}: {keyword} is {now}, was {was}", _ACCEPTED),
    ("request-multiple-narrowed", B, "{field} must be a multiple of {now}, {was} before", _NARROWED),
    ("request-multiple-widened", S, "{field} must be a multiple of {now}, {was} before", _ACCEPTED),
    ("request-pattern-narrowed", B, "{field} must match {now}, {was} before", _NARROWED),
    ("request-pattern-widened", S, "{field} must match {now}, {was} before", _ACCEPTED),
    ("request-format-narrowed", B, "{field} must be of format {now}, {was} before", _NARROWED),
    ("request-format-widened", S, "{field} must be of format {now}, {was} before", _ACCEPTED),
    ("request-items-narrowed", B, "{field}: {keyword} is {now}, was {was}", _NARROWED),
    ("request-items-widened", S, "{field}: {keyword} is {now}, was {was}", _ACCEPTED),
    ("request-size-narrowed", B, "{field}: {keyword} is {now}, was {was}", _NARROWED),
    ("request-size-widened", S, "{field}: {keyword} is {now}, was {was}", _ACCEPTED),
    ("request-variant-removed", B, "{field} may not be a {name} any more", _NARROWED),
    ("request-variant-added", S, "{field} may be a {name}", _ACCEPTED),
    ("request-condition-narrowed", B, "{field}: {keyword} asks for more", _NARROWED),
    ("request-condition-widened", S, "{field}: {keyword} asks for less", _ACCEPTED),
    (
        "request-default-changed",
        B,
        "{field} counts as {now} when it is missing, {was} before",
        "Requests without it mean something else.",
    ),
    (
        "request-default-added",
        R,
        "{field} counts as {now} when it is missing",
        "What it counted as before was not said.",
    ),
    (
        "request-default-removed",
        R,
        "what {field} counts as when it is missing is no longer said ({was} before)",
        "Requests without it may mean something else.",
    ),
    ("request-property-became-read-only", R, "{field} is now read-only", "Sent, it is ignored or refused."),
    ("request-property-became-writable", S, "{field} is no longer read-only", _ACCEPTED),
    (
        "request-known-value-removed",
        R,
        "{field}: {name} is no longer among the known values",
        "It may still be sent, and is perhaps not understood.",
    ),
    # What the provider writes
    ("response-type-widened", B, "{field} may be {now}, {was} before", _WIDENED),
    ("response-type-narrowed", S, "{field} is always {now}, {was} before", _PROMISED),
    ("response-null-added", B, "{field} may be null", _WIDENED),
    ("response-null-removed", S, "{field} is never null any more", _PROMISED),
    ("response-enum-value-added", B, "{field} may be {name}", _WIDENED),
    ("response-enum-value-removed", S, "{field} is never {name} any more", _PROMISED),
    ("response-enum-removed", B, "{field} may be other than {was}", _WIDENED),
    ("response-enum-added", S, "{field} is one of {now}", _PROMISED),
    ("response-property-became-optional", B, "{field} may be missing", "It was promised in every answer."),
    ("response-property-became-required", S, "{field} is always there", _PROMISED),
    ("response-property-removed", B, "{field} is gone", "It was promised in every answer."),
    (
        "response-optional-property-removed",
        R,
        "{field} is gone",
        "It was never promised in every answer, but some may read it.",
    ),
    ("response-property-added", S, "{field} is new", "Clients ignore properties that they do not know."),
    (
        "response-property-added-to-closed-object",
        B,
        "{field} is new; the object was promised to have no other properties",
        _WIDENED,
    ),
    ("response-property-renamed", B, "{was} is now called {now}", "It is looked for under its old name."),
    ("response-object-opened", B, "{field} may have other properties", _WIDENED),
    ("response-object-closed", S, "{field} has no other properties", _PROMISED),
    ("response-length-widened", B, "{field}: {keyword} is {now}, was {was}", _WIDENED),
    ("response-length-narrowed", S, "{field}: {keyword} is {now}, was {was}", _PROMISED),
    ("response-range-widened", B, "{field}: {keyword} is {now}, was {was}", _WIDENED),
    ("response-range-narrowed", S, "{field}: {keyword} is {now}, was {was}", _PROMISED),
    ("response-multiple-widened", B, "{field} is a multiple of {now}, {was} before", _WIDENED),
    ("response-multiple-narrowed", S, "{field} is a multiple of {now}, {was} before", _PROMISED),
    ("response-pattern-widened", B, "{field} matches {now}, {was} before", _WIDENED),
    ("response-pattern-narrowed", S, "{field} matches {now}, {was} before", _PROMISED),
    ("response-format-widened", B, "{field} is of format {now}, {was} before", _WIDENED),
    ("response-format-narrowed", S, "{field} is of format {now}, {was} before", _PROMISED),
    ("response-items-widened", B, "{field}: {keyword} is {now}, was {was}", _WIDENED),
    ("response-items-narrowed", S, "{field}: {keyword} is {now}, was {was}", _PROMISED),
    ("response-size-widened", B, "{field}: {keyword} is {now}, was {was}", _WIDENED),
    ("response-size-narrowed", S, "{field}: {keyword} is {now}, was {was}", _PROMISED),
    ("response-variant-added", B, "{field} may be a {name}", _WIDENED),
    ("response-variant-removed", S, "{field} is never a {name} any more", _PROMISED),
    ("response-condition-widened", B, "{field}: {keyword} promises less", _WIDENED),
    ("response-condition-narrowed", S, "{field}: {keyword} promises more", _PROMISED),
    ("response-property-became-write-only", B, "{field} is no longer answered", "It was read."),
    ("response-property-became-readable", S, "{field} is answered", _PROMISED),
    (
        "response-known-value-added",
        S,
        "{field}: {name} is among the known values",
        "The list was open: clients expect values that they do not know.",
    ),
    # Both
    (
        "discriminator-changed",
        B,
        "{field}: variants are told apart by {now}, {was} before",
        "The property that decides is another one.",
    ),
    (
        "discriminator-value-removed",
        B,
        "{field}: {name} names no variant any more",
        "Who sends or expects it is misunderstood.",
    ),
    (
        "discriminator-value-moved",
        B,
        "{field}: {name} now means {now}, {was} before",
        "The same value means another variant.",
    ),
    (
        "discriminator-value-added",
        R,
        "{field}: {name} names a variant",
        "A reader of the old contract does not know the value.",
    ),
    ("property-deprecated", S, "{field} is deprecated", "It still works."),
    ("schema-added", R, "{field} is described for the first time", "What was accepted or given before was not said."),
    ("schema-removed", R, "{field} is no longer described", "Nothing is promised any more."),
)

# For each kind of difference: the rule when the client's values are refused, when more of them are accepted; when the
# provider gives more than was promised, when it gives less.
BY_KIND: Final[dict[Kind, tuple[str, str, str, str]]] = {
    Kind.TYPE: ("request-type-narrowed", "request-type-widened", "response-type-widened", "response-type-narrowed"),
    Kind.NULL: ("request-null-refused", "request-null-accepted", "response-null-added", "response-null-removed"),
    Kind.ENUM: (
        "request-enum-value-removed",
        "request-enum-value-added",
        "response-enum-value-added",
        "response-enum-value-removed",
    ),
    Kind.REQUIRED: (
        "request-property-became-required",
        "request-property-became-optional",
        "response-property-became-optional",
        "response-property-became-required",
    ),
    Kind.REQUIRED_UNKNOWN: (
        "request-required-property-added",
        "request-property-dropped",
        "response-property-removed",
        "response-property-added",
    ),
    Kind.UNDECLARED: (
        "request-property-added",
        "request-property-dropped",
        "response-optional-property-removed",
        "response-property-added",
    ),
    Kind.FORBIDDEN: (
        "request-property-removed",
        "request-property-added",
        "response-property-added-to-closed-object",
        "response-optional-property-removed",
    ),
    Kind.CLOSED: ("request-object-closed", "request-object-opened", "response-object-opened", "response-object-closed"),
    Kind.LENGTH: (
        "request-length-narrowed",
        "request-length-widened",
        "response-length-widened",
        "response-length-narrowed",
    ),
    Kind.RANGE: (
        "request-range-narrowed",
        "request-range-widened",
        "response-range-widened",
        "response-range-narrowed",
    ),
    Kind.MULTIPLE: (
        "request-multiple-narrowed",
        "request-multiple-widened",
        "response-multiple-widened",
        "response-multiple-narrowed",
    ),
    Kind.PATTERN: (
        "request-pattern-narrowed",
        "request-pattern-widened",
        "response-pattern-widened",
        "response-pattern-narrowed",
    ),
    Kind.FORMAT: (
        "request-format-narrowed",
        "request-format-widened",
        "response-format-widened",
        "response-format-narrowed",
    ),
    Kind.ITEMS: (
        "request-items-narrowed",
        "request-items-widened",
        "response-items-widened",
        "response-items-narrowed",
    ),
    Kind.SIZE: ("request-size-narrowed", "request-size-widened", "response-size-widened", "response-size-narrowed"),
    Kind.VARIANT: (
        "request-variant-removed",
        "request-variant-added",
        "response-variant-added",
        "response-variant-removed",
    ),
    Kind.COMPOSITION: (
        "request-condition-narrowed",
        "request-condition-widened",
        "response-condition-widened",
        "response-condition-narrowed",
    ),
}
# An enumeration that came or went as a whole, in the same order.
WHOLE_ENUM: Final = ("request-enum-added", "request-enum-removed", "response-enum-removed", "response-enum-added")
