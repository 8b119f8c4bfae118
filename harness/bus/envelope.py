"""The event as a target gets it. Source: EventBridge user guide, "Event structure"."""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson

from harness.bus.model import Envelope
from harness.bus.shaping.json_text import dumps
from harness.clock import extended_iso


def new_event_id() -> str:
    """A random UUID (RFC 9562, version 4), written without the detour over an object: one is made for each event."""
    digits = os.urandom(16).hex()
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


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
