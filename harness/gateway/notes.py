"""What is kept of a call that is over: a record for the audit, and a line in the log when it was refused."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from harness.audit.recorder import Recorder, Refusal, body_hash
from harness.clock import Clock
from harness.gateway.admission import Refused
from harness.gateway.refusals import REFUSALS
from harness.sigv4 import FaultKind
from harness.wire import HttpRequest, NetworkPlace

logger = logging.getLogger("harness.gateway")


class Notes:
    """The one place where finished calls of APIs are noted."""

    __slots__ = ("_clock", "recorder")

    def __init__(self, recorder: Recorder | None, clock: Clock) -> None:
        self.recorder = recorder
        self._clock = clock

    def passed(
        self, at: datetime, request: HttpRequest, place: NetworkPlace, api_id: str, method: str, status: int
    ) -> None:
        """`method` as routed, `status` the container's."""
        if self.recorder is not None:
            self.recorder.passed(at, request, place, api_id, method, status)

    def refused(
        self,
        scope: Mapping[str, Any],
        place: NetworkPlace | None,
        api_id: str,
        refused: Refused,
        request_id: str,
        body: bytes,
    ) -> None:
        """`body`: as far as it was read; of a signature that does not match, its hash is noted."""
        row = REFUSALS[refused.cause]
        if self.recorder is not None:
            digest = body_hash(body) if refused.cause is FaultKind.MISMATCH else ""
            why = Refusal(row.error_type, refused.cause.value, refused.reason, digest)
            self.recorder.refused(self._clock(), scope, place, api_id, row.status, why, request_id)
        log(request_id, scope, api_id, row.status, refused)


def log(request_id: str, scope: Mapping[str, Any], api_id: str, status: int, refused: Refused) -> None:
    """One line; the path is ASCII without controls, and neither text nor headers are in it: they may hold a token."""
    logger.warning(
        "refused %s api=%s caller=%s %s %s -> %d %s: %s",
        request_id,
        api_id or "-",
        refused.caller or "-",
        scope["method"],
        scope["raw_path"].decode("ascii", "backslashreplace"),
        status,
        refused.cause.value,
        refused.reason,
    )
