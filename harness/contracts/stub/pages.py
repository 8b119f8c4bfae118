"""A list's page: what was created, filtered and cut as the query says."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, Final

from harness.contracts.stub.compose import Composer
from harness.contracts.stub.generate import Shape
from harness.contracts.stub.operations import Operation, Response
from harness.contracts.stub.resources import list_member

LIMITS: Final = ("limit", "page_size", "pageSize", "per_page", "max_results")
CURSORS: Final = ("cursor", "page_token", "pageToken", "next_token", "after")
NEXT: Final = ("next", "next_page_token", "nextPageToken", "next_cursor", "nextCursor", "next_token", "nextToken")
TOTALS: Final = ("total", "total_count", "totalCount", "total_size", "totalSize")

# Of a list that does not fit as a whole, each is tried by itself, and this many at most.
_MOST_TRIED: Final = 200

NewCursor = Callable[[Shape, int], str | None]


def page(
    operation: Operation,
    response: Response,
    query: Mapping[str, Any],
    items: Sequence[Mapping[str, Any]],
    composer: Composer,
    cursors: MutableMapping[str, int],
    new_cursor: NewCursor,
) -> Any:
    """The body; the example itself where no list is found in it. A cursor that was never given out leads to the end."""
    base = response.example()
    member = list_member(base)
    if member is None or response.shape is None:
        return base
    kept = [each for each in items if _matches(each, query)]
    start = 0
    for name in CURSORS:
        if name in query:
            start = cursors.get(str(query[name]), len(kept))
    limit = _limit(operation, query)
    shown = kept[start : start + limit] if limit is not None else kept[start:]
    template = base[member] if member else base
    listed = _listed(response.shape, base, member, template, shown, composer)
    if not member:
        return listed
    end = start + len(shown)
    token = _token(operation, end, new_cursor) if end < len(kept) else None
    known = {name: limit for name in LIMITS if limit is not None} | {name: token for name in NEXT}
    known |= {name: len(kept) for name in TOTALS}
    return _with(response.shape, listed, known)


def _listed(
    shape: Shape,
    base: Any,
    member: str,
    template: Sequence[Any],
    shown: Sequence[Mapping[str, Any]],
    composer: Composer,
) -> Any:
    """Each item put over the example's first one; as many of them as the schema takes."""
    whole: Callable[[list[Any]], Any] = (lambda found: {**base, member: found}) if member else (lambda found: found)
    made = whole([])
    if not shape.fits(made) and not shown:
        return base
    composed = [composer.item(shape, member, template, each) for each in shown]
    if shape.fits(whole(composed)):
        return whole(composed)
    found: list[Any] = []
    for put, each in zip(composed[:_MOST_TRIED], shown, strict=False):
        candidates = (put, dict(each), *template[:1])
        chosen = next((one for one in candidates if shape.fits(whole([*found, one]))), None)
        if chosen is not None:
            found.append(chosen)
    return whole(found) if shape.fits(whole(found)) else base


def _with(shape: Shape, body: Any, known: Mapping[str, Any]) -> Any:
    """The page's own numbers, at the top or one level below (`page.limit`), where the example has such names."""
    made = body
    for name, value in known.items():
        if name in made and not isinstance(made[name], dict | list):
            candidate = {**made, name: value}
            made = candidate if shape.fits(candidate) else made
        for outer, inner in list(made.items()):
            if isinstance(inner, dict) and name in inner and not isinstance(inner[name], dict | list):
                candidate = {**made, outer: {**inner, name: value}}
                made = candidate if shape.fits(candidate) else made
    return made


def _limit(operation: Operation, query: Mapping[str, Any]) -> int | None:
    for parameter in operation.of_place("query"):
        if parameter.name in LIMITS:
            value = query.get(parameter.name, parameter.shape.schema.get("default"))
            return value if isinstance(value, int) and value >= 0 else None
    return None


def _token(operation: Operation, position: int, new_cursor: NewCursor) -> str | None:
    for parameter in operation.of_place("query"):
        if parameter.name in CURSORS:
            return new_cursor(parameter.shape, position)
    return None


def _matches(item: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    """A query parameter with the name of a member filters by it."""
    return all(
        item[name] == value
        for name, value in query.items()
        if name in item and not isinstance(item[name], dict | list) and name not in (*LIMITS, *CURSORS)
    )
