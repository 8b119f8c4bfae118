"""Records what consumers use: the edge notes each answered call, a task in the background makes usage of the notes.

No call waits for it. Notes wait in a bounded queue, the task takes a tenth of the time at most, and what finds no room
is counted and said; files are written in a thread.
"""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from harness.audit.recorder import Recorder, Sink, Writer
from harness.contracts.usage import Call, Usage, merge
from harness.errors import InputError
from harness.wire import HttpRequest, NetworkPlace

if TYPE_CHECKING:  # an edge that records nothing has no use for the schemas of contracts
    from harness.contracts.recording import CallReader

log = logging.getLogger("harness.recording")

MOST_WAITING = 8192
MOST_WAITING_BYTES = 33_554_432
# Of a larger body the fields are not recorded; the call is.
MOST_BODY_BYTES = 262_144
WORK_SECONDS = 0.01
REST_SECONDS = 0.09
WRITE_SECONDS = 2.0

Readers = Mapping[str, Mapping[str, "CallReader"]]
"""By API and version."""


class Files(Protocol):
    def add(self, provider: str, consumer: str, usages: list[Usage]) -> None: ...


_Usages = dict[tuple[str, str], dict[Call, Usage]]
"""By provider and consumer."""


class _Note(NamedTuple):
    at: datetime
    request: HttpRequest
    api: str
    method: str
    status: int
    size: int


class UsageRecorder:
    """`consumer_of` names the sender of a request, or answers an empty text."""

    def __init__(
        self,
        readers: Readers,
        consumer_of: Callable[[HttpRequest], str],
        files: Files,
        *,
        write_seconds: float = WRITE_SECONDS,
    ) -> None:
        self._readers = readers
        self._consumer_of = consumer_of
        self._files = files
        self._write_seconds = write_seconds
        self._notes: deque[_Note] = deque()
        self._waiting_bytes = 0
        self._usage: _Usages = {}
        self.dropped = 0
        self._said = 0

    def note(self, at: datetime, request: HttpRequest, api: str, method: str, status: int) -> None:
        """A call that its API answered. On the way of every call."""
        head = (
            len(request.raw_path)
            + len(request.raw_query)
            + sum(len(name) + len(value) for name, value in request.headers)
        )
        size = len(request.body)
        if len(self._notes) >= MOST_WAITING or self._waiting_bytes + head + size > MOST_WAITING_BYTES:
            self.dropped += 1
            return
        if size > MOST_BODY_BYTES:
            request = HttpRequest(
                request.method, request.raw_path, request.raw_query, request.headers, b"", request.request_id
            )
            size = 0
        self._waiting_bytes += head + size
        self._notes.append(_Note(at, request, api, method, status, head + size))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Works until the end, and then brings all that was noted into the files."""
        stop = asyncio.Event()
        task = asyncio.create_task(self._run(stop))
        try:
            yield
        finally:
            stop.set()
            await task

    async def _run(self, stop: asyncio.Event) -> None:
        written = time.monotonic()
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), REST_SECONDS)
            self.read(until=time.monotonic() + WORK_SECONDS)
            if time.monotonic() - written >= self._write_seconds:
                await self._write()
                written = time.monotonic()
        self.read()
        await self._write()

    def read(self, *, until: float = math.inf) -> None:
        """Makes usage of the notes, oldest first, until that moment of the monotonic clock."""
        while self._notes:
            note = self._notes.popleft()
            self._waiting_bytes -= note.size
            self._add(note)
            if time.monotonic() > until:
                return

    async def _write(self) -> None:
        """In a thread; what cannot be written stays for the next time."""
        usage, self._usage = self._usage, {}
        for key, calls in (await asyncio.to_thread(self._kept_back, usage)).items():
            for each in calls.values():
                self._count(key, each)
        if self.dropped > self._said:
            log.warning("%d calls were not recorded: too many waited", self.dropped - self._said)
            self._said = self.dropped

    def _kept_back(self, usage: _Usages) -> _Usages:
        """Writes; answers what could not be written."""
        left: _Usages = {}
        for key, calls in usage.items():
            try:
                self._files.add(*key, list(calls.values()))
            except (OSError, InputError) as error:
                log.error("what %s uses of %s could not be written: %s", key[1], key[0], error)
                left[key] = calls
        return left

    def _add(self, note: _Note) -> None:
        version = note.request.raw_path.decode("latin-1").removeprefix("/").partition("/")[0]
        reader = self._readers.get(note.api, {}).get(version)
        consumer = self._consumer_of(note.request)
        if reader is None or not consumer:
            return
        usage = reader.used(note.request, note.method, note.status, note.at.astimezone(UTC).date())
        if usage is not None:
            self._count((note.api, consumer), usage)

    def _count(self, key: tuple[str, str], usage: Usage) -> None:
        calls = self._usage.setdefault(key, {})
        known = calls.get(usage.call)
        calls[usage.call] = usage if known is None else merge((known, usage))[0]


class RecorderOfUsage(Recorder):
    """The audit's recorder, which also tells of each call that passed."""

    def __init__(self, write: Writer, sink: Sink, usage: UsageRecorder) -> None:
        super().__init__(write, sink)
        self._usage = usage

    def passed(
        self, at: datetime, request: HttpRequest, place: NetworkPlace, api: str, method: str, status: int
    ) -> None:
        super().passed(at, request, place, api, method, status)
        self._usage.note(at, request, api, method, status)
