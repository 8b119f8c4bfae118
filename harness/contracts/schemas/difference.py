"""One way in which values of one schema are not values of another."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from harness.contracts.schemas.documents import Location


class Kind(StrEnum):
    """What the wider schema has to say for the narrower one's values to fail it."""

    TYPE = "type"
    NULL = "null"
    ENUM = "enum"
    """A value of the narrow schema's enumeration, or any value where it has none, is not among the wide one's."""
    REQUIRED = "required"
    """The wide schema requires a property that the narrow one knows and does not require."""
    REQUIRED_UNKNOWN = "required-unknown"
    """… that the narrow one does not name."""
    UNDECLARED = "undeclared"
    """The wide schema says something of an optional property of which the narrow one, being open, says nothing."""
    FORBIDDEN = "forbidden"
    """The narrow schema names a property and the wide one, being closed, does not."""
    CLOSED = "closed"
    """The wide schema limits additional properties and the narrow one does not."""
    LENGTH = "length"
    RANGE = "range"
    MULTIPLE = "multiple"
    PATTERN = "pattern"
    FORMAT = "format"
    ITEMS = "items"
    """How many items there may be, and whether they must differ."""
    SIZE = "size"
    """How many properties there may be."""
    VARIANT = "variant"
    """A variant of the narrow schema's `oneOf` or `anyOf` is none of the wide one's."""
    HIDDEN = "hidden"
    """The narrow schema says nothing of a property because its writer leaves it out (see `Role`): of no account."""
    COMPOSITION = "composition"
    """`not`, `if`, `contains`, `dependentRequired`, … of the wide schema."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A value of the narrow schema's root that the wide schema's root refuses; both validators were asked."""

    value: Any = field(hash=False)


@dataclass(frozen=True, slots=True)
class Difference:
    """`narrow` and `wide` say where the two contracts are written about it, the owner where they say nothing.

    `name` is the property or variant meant. `was` and `now` are what the keyword says in the narrow and the wide
    schema, None where it is silent. Without a witness the difference is not proven, and `reason` says why.
    """

    kind: Kind
    path: tuple[str, ...]
    narrow: Location | None
    wide: Location | None
    keyword: str = ""
    name: str = ""
    was: Any = field(default=None, hash=False)
    now: Any = field(default=None, hash=False)
    witness: Witness | None = None
    value: Any = field(default=None, hash=False)
    """The one value of an enumeration that is refused."""
    silent: bool = False
    """The narrow schema is open only because it does not say `additionalProperties`."""
    reason: str = ""
