"""Lists page by page: the token names the last item of the page before."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from harness.schemas.requests import Refusal, bad_request

T = TypeVar("T")

MOST = 100


def page(
    items: Sequence[T], name_of: Callable[[T], str], query: Mapping[str, str]
) -> tuple[Sequence[T], dict[str, str]] | Refusal:
    """Of items in the order of their names: those of this page, and `NextToken` when there are more."""
    limit = query.get("limit", str(MOST))
    if not (limit.isascii() and limit.isdigit()) or not 1 <= int(limit[:9]) <= MOST:
        return bad_request(f"Limit must be a number from 1 to {MOST}.")
    if query.get("nextToken"):
        after = _after(query["nextToken"])
        if after is None:
            return bad_request("NextToken is not valid.")
        items = [item for item in items if name_of(item) > after]
    shown = items[: int(limit)]
    if len(shown) == len(items):
        return shown, {}
    return shown, {"NextToken": base64.urlsafe_b64encode(name_of(shown[-1]).encode()).decode()}


def _after(token: str) -> str | None:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        return None
