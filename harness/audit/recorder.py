"""Takes note of every call at the edge, cheaply; a background task makes lines of the notes and hands them to a sink.

Nothing waits for the record: where the sink fails, lines wait in a bounded queue, and what finds no room is counted.
"""

import asyncio
import hashlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, NamedTuple

from harness.access import Question, asked
from harness.wire import HttpRequest, HttpResponse, NetworkPlace

log = logging.getLogger("harness.audit")

Sink = Callable[[Sequence[bytes]], Awaitable[bool]]
"""Keeps lines of JSON; False when it cannot now."""

FLUSH_SECONDS = 0.25
LAST_SECONDS = 2.0
MOST_WAITING = 8192
MOST_LINES = 16_384
LINES_AT_ONCE = 128
# A service's request is read for its parameters; a larger one is recorded without them.
MOST_SERVICE_BYTES = 262_144


class Refusal(NamedTuple):
    """`code`: as in `x-amzn-ErrorType`. `cause` and `reason`: the edge's own words, without anything secret.

    `body_hash`: hex SHA-256 of the body, of a signature that does not match.
    """

    code: str
    cause: str
    reason: str
    body_hash: str = ""


class Seen(NamedTuple):
    """One call. `service` is empty for an API's; `request` has a body only when it is a service's."""

    at: datetime
    request: HttpRequest
    place: NetworkPlace | None
    api: str
    method: str
    status: int
    refusal: Refusal | None
    service: str
    answer: HttpResponse | None
    questions: Sequence[Question]


_Passed = tuple[datetime, tuple[Any, ...], NetworkPlace, str, str, int]
"""The same of a call that passed, its request as arguments of `HttpRequest`."""

Writer = Callable[[Sequence[Seen]], list[bytes]]
_NO_QUESTIONS: tuple[Question, ...] = ()


class Recorder:
    """`write` turns notes into lines; it runs in the background task, never in a call."""

    def __init__(
        self, write: Writer, sink: Sink, *, size: int = MOST_WAITING, flush_seconds: float = FLUSH_SECONDS
    ) -> None:
        self._write = write
        self._sink = sink
        self._seen: deque[Seen | _Passed] = deque(maxlen=size)
        self._lines: deque[bytes] = deque(maxlen=MOST_LINES)
        self._size = size
        self.flush_seconds = flush_seconds
        self._flushing = asyncio.Lock()
        self._said = 0
        self.dropped = 0

    def passed(
        self, at: datetime, request: HttpRequest, place: NetworkPlace, api: str, method: str, status: int
    ) -> None:
        """A call that its API answered. On the way of every call: a plain tuple, and no body."""
        if len(self._seen) == self._size:
            self.dropped += 1
        self._seen.append(
            (
                at,
                (
                    request.method,
                    request.raw_path,
                    request.raw_query,
                    request.headers,
                    b"",
                    request.request_id,
                    request.client_ip,
                ),
                place,
                api,
                method,
                status,
            )
        )

    def refused(
        self,
        at: datetime,
        scope: Mapping[str, Any],
        place: NetworkPlace | None,
        api: str,
        status: int,
        why: Refusal,
        request_id: str,
    ) -> None:
        """`scope` is ASGI's."""
        client = scope.get("client") or ("",)
        headers = list(scope["headers"])
        method = scope["method"]
        request = HttpRequest(method, scope["raw_path"], scope["query_string"], headers, b"", request_id, client[0])
        method = (request.header(b"x-http-method-override") or method.encode()).decode("latin-1").upper()
        self._note(Seen(at, request, place, api, method, status, why, "", None, _NO_QUESTIONS))

    @contextmanager
    def asking(self) -> Iterator[list[Question]]:
        """The questions that are decided in this context."""
        questions: list[Question] = []
        token = asked.set(questions)
        try:
            yield questions
        finally:
            asked.reset(token)

    def served(
        self,
        at: datetime,
        request: HttpRequest,
        place: NetworkPlace,
        service: str,
        answer: HttpResponse,
        questions: Sequence[Question],
    ) -> None:
        """A call that an AWS service's endpoint answered, with or without an error."""
        if len(request.body) > MOST_SERVICE_BYTES:
            request = _without_body(request)
        self._note(Seen(at, request, place, "", request.method, answer.status, None, service, answer, questions))

    def _note(self, seen: Seen) -> None:
        if len(self._seen) == self._size:
            self.dropped += 1
        self._seen.append(seen)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; then what is left is written once more, in two seconds at most."""
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.flush_seconds)
            if not stop.is_set():
                await self.flush()
        with suppress(TimeoutError):
            await asyncio.wait_for(self.flush(), LAST_SECONDS)

    async def flush(self) -> bool:
        """Whether all that was noted before has been kept."""
        async with self._flushing:
            while self._seen:
                batch = [_seen(self._seen.popleft()) for _ in range(min(LINES_AT_ONCE, len(self._seen)))]
                self._keep(self._write(batch))
                await asyncio.sleep(0)  # calls go first
            while self._lines:
                batch_of_lines = list(self._lines)[:LINES_AT_ONCE]
                if not await self._sink(batch_of_lines):
                    return False
                for _ in batch_of_lines:
                    self._lines.popleft()
            self._say_dropped()
            return True

    def _keep(self, lines: Sequence[bytes]) -> None:
        self.dropped += max(0, len(self._lines) + len(lines) - MOST_LINES)
        self._lines.extend(lines)

    def _say_dropped(self) -> None:
        if self.dropped > self._said:
            log.warning("%d calls were not recorded: too many waited", self.dropped - self._said)
            self._said = self.dropped


def _seen(noted: Seen | _Passed) -> Seen:
    if isinstance(noted, Seen):
        return noted
    at, request, place, api, method, status = noted
    return Seen(at, HttpRequest(*request), place, api, method, status, None, "", None, _NO_QUESTIONS)


def body_hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _without_body(request: HttpRequest) -> HttpRequest:
    return HttpRequest(
        request.method,
        request.raw_path,
        request.raw_query,
        request.headers,
        b"",
        request.request_id,
        request.client_ip,
    )
