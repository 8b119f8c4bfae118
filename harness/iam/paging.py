"""`MaxItems` and `Marker`: which results an answer holds, and where the next one goes on."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass

from harness.query_protocol.answers import Refusal
from harness.query_protocol.calls import Parameters

DEFAULT_ITEMS = 100
# "IAM might return fewer than the MaxItems number of results": an answer is worked out in milliseconds.
MOST_EVALUATIONS = 2000

_PAGING = ("MaxItems", "Marker")
_INVALID = Refusal("ValidationError", "Invalid Marker.")


@dataclass(frozen=True, slots=True)
class Page:
    """Results `first` to `last`, the latter excluded; `marker` is empty on the last page."""

    first: int
    last: int
    marker: str = ""


def read_page(parameters: Parameters, *, results: int, evaluations_each: int) -> Page | Refusal:
    """A marker belongs to the request that it was given for; with other parameters it is refused."""
    first = 0
    if "Marker" in parameters:
        found = _open(parameters["Marker"], parameters)
        if found is None or found >= results:
            return _INVALID
        first = found
    affordable = max(1, MOST_EVALUATIONS // evaluations_each)
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
