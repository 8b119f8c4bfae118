"""The event as a target gets it. Source: EventBridge user guide, "Event structure"."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from harness.bus.model import Envelope
from harness.bus.shaping.json_text import dumps
from harness.clock import extended_iso

ENVELOPE = frozenset({"version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail"})
"""The keys that every event has."""


def make_envelope(
    *,
    event_id: str,
    detail_type: str,
    source: str,
    account: str,
    time: datetime,
    region: str,
    resources: Sequence[str],
    detail: Mapping[str, Any],
) -> Envelope:
    """`account` is the caller's, whoever owns the bus. `time` loses its fraction. The order of the keys is AWS's."""
    return {
        "version": "0",
        "id": event_id,
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": _whole_second(time.replace(microsecond=0)),
        "region": region,
        "resources": list(resources),
        "detail": detail,
    }


@lru_cache(maxsize=64)
def _whole_second(instant: datetime) -> str:
    return extended_iso(instant)


def to_bytes(envelope: Envelope) -> bytes:
    return dumps(envelope)


def from_bytes(body: bytes) -> Envelope:
    envelope: Envelope = orjson.loads(body)
    return envelope
