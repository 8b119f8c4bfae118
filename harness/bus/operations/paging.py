"""`Limit` and `NextToken`: which items an answer holds, and where the next one goes on."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from harness.bus.operations.call import Answer, Call, invalid

DEFAULT_ITEMS: Final = 100
_PAGING = ("Limit", "NextToken")

T = TypeVar("T")


def page(
    call: Call, member: str, items: Iterable[T], *, name: Callable[[T], str], show: Callable[[T], object]
) -> Answer:
    """`items` in the order of their names. A page goes on behind a name, also one that is gone meanwhile."""
    found = list(items)
    token = call.request.get("NextToken")
    if token is not None:
        after = _open(call, token)
        if after is None:
            return invalid("Parameter NextToken is not valid.")
        found = [item for item in found if name(item) > after]
    limit = call.request.get("Limit", DEFAULT_ITEMS)
    answer: dict[str, object] = {member: [show(item) for item in found[:limit]]}
    return answer if len(found) <= limit else {**answer, "NextToken": _seal(call, name(found[limit - 1]))}


def _seal(call: Call, name: str) -> str:
    return urlsafe_b64encode(f"{_digest(call)}:{name}".encode()).decode()


def _open(call: Call, token: str) -> str | None:
    """A token belongs to the request that it was given for; with another it is refused."""
    try:
        name = urlsafe_b64decode(token.encode()).decode().partition(":")[2]
    except (Base64Error, ValueError):
        return None
    return name if token == _seal(call, name) else None


def _digest(call: Call) -> str:
    asked = sorted((name, str(value)) for name, value in call.request.items() if name not in _PAGING)
    return hashlib.sha256(repr((call.operation, call.account, asked)).encode()).hexdigest()[:24]
