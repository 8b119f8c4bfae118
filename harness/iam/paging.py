"""`MaxItems` and `Marker`: which results an answer holds, and where the next one goes on."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass

from harness.query_protocol.answers import Refusal
from harness.query_protocol.calls import Parameters

DEFAULT_ITEMS = 100
# "IAM might return fewer than the MaxItems number of results": a page is worked out in a fraction of a second. The
# unit is about a nanosecond, see `cost`.
PAGE_BUDGET = 200_000_000
RESULT_LIMIT = 500_000_000

_PAGING = ("MaxItems", "Marker")
_INVALID = Refusal("ValidationError", "Invalid Marker.")
_TOO_MUCH = Refusal(
    "InvalidInput",
    "The simulation is too large for the harness: name fewer resources, or give shorter policies and context values.",
)


@dataclass(frozen=True, slots=True)
class Page:
    """Results `first` to `last`, the latter excluded; `marker` is empty on the last page."""

    first: int
    last: int
    marker: str = ""


def cost(*, resources: int, policy_characters: int, value_characters: int) -> int:
    """How much work one action is: every pattern of the policies may be held against every character of the values."""
    return resources * (100_000 + policy_characters * value_characters)


def read_page(parameters: Parameters, *, results: int, cost_each: int) -> Page | Refusal:
    """A marker belongs to the request that it was given for; with other parameters it is refused."""
    if cost_each > RESULT_LIMIT:
        return _TOO_MUCH
    first = 0
    if "Marker" in parameters:
        found = _open(parameters["Marker"], parameters)
        if found is None or found >= results:
            return _INVALID
        first = found
    affordable = max(1, PAGE_BUDGET // cost_each)
    last = min(results, first + min(int(parameters.get("MaxItems", DEFAULT_ITEMS)), affordable))
    return Page(first, last, "" if last == results else _seal(last, parameters))


def _seal(offset: int, parameters: Parameters) -> str:
    return urlsafe_b64encode(f"{offset}:{_digest(parameters)}".encode()).decode()


def _open(marker: str, parameters: Parameters) -> int | None:
    try:
        offset, _, digest = urlsafe_b64decode(marker.encode()).decode().partition(":")
    except (Base64Error, ValueError):
        return None
    if digest != _digest(parameters) or not (offset.isascii() and offset.isdecimal()):
        return None
    return int(offset)


def _digest(parameters: Parameters) -> str:
    asked = sorted((name, value) for name, value in parameters.items() if name not in _PAGING)
    return hashlib.sha256(repr(asked).encode()).hexdigest()[:32]
