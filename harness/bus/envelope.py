"""The event as a target gets it. Source: EventBridge user guide, "Event structure"."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from harness.bus.model import Envelope
from harness.clock import extended_iso


def new_event_id() -> str:
    return str(uuid.uuid4())


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
        "time": extended_iso(time),
        "region": region,
        "resources": list(resources),
        "detail": detail,
    }


def to_bytes(envelope: Envelope) -> bytes:
    return orjson.dumps(envelope)


def from_bytes(body: bytes) -> Envelope:
    envelope: Envelope = orjson.loads(body)
    return envelope
