"""Pages by keyset: a cursor is the position of the last row of a page, so it is stable while rows are added."""

import base64
from collections.abc import Sequence
from typing import Annotated, Protocol, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field, StringConstraints
from pydantic.json_schema import SkipJsonSchema

from kit.strictness import DECIMAL

CURSOR_PATTERN = "^[A-Za-z0-9_-]{8}$"
"""Six bytes: every text of this form is a cursor, and none is too large for a bigint."""

DEFAULT_LIMIT = 50
MAX_LIMIT = 200

Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT), DECIMAL, Query(description="How many to answer at most.")]
Cursor = Annotated[
    Annotated[str, StringConstraints(pattern=CURSOR_PATTERN)] | SkipJsonSchema[None],
    Query(description="`page.next` of the page before; opaque."),
]


class Page(BaseModel):
    """`next` is null on the last page."""

    limit: int = Field(ge=1, le=MAX_LIMIT)
    next: str | None


class Positioned(Protocol):
    @property
    def position(self) -> int: ...


Row = TypeVar("Row", bound=Positioned)


def cursor_of(position: int) -> str:
    return base64.urlsafe_b64encode(position.to_bytes(6, "big")).decode()


def position_of(cursor: str) -> int:
    """`cursor` keeps CURSOR_PATTERN."""
    return int.from_bytes(base64.urlsafe_b64decode(cursor), "big")


def split_page(rows: Sequence[Row], limit: int) -> tuple[Sequence[Row], Page]:
    """`rows` were asked for with `limit + 1`: one too many says that there is a next page."""
    shown = rows[:limit]
    more = len(rows) > limit
    return shown, Page(limit=limit, next=cursor_of(shown[-1].position) if more else None)
