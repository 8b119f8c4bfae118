"""Publishes what the outbox holds: PutEvents in batches, each entry marked by its own result.

Several relays may run beside each other; each takes rows that no other holds.
"""

import logging
import random
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from kit.credentials import CredentialsMissing
from kit.database import Sessions
from kit.outbox import outbox

BATCH = 10
"""PutEvents takes ten entries (EventBridge, quotas)."""

POLL_SECONDS = 0.5
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30.0
LONGEST_OUTAGE_PAUSE_SECONDS = 2.0
KEEP_SENT = timedelta(days=7)

log = logging.getLogger(__name__)


class EventsClient(Protocol):
    """The part of boto3's `events` client that a relay uses."""

    def put_events(self, *, Entries: Sequence[dict[str, Any]]) -> dict[str, Any]: ...


class Unreachable(Exception):
    """The bus refused or missed a whole call: nothing of it was published, as far as anyone knows."""


class Relay:
    """`connect` makes the client on first use, so that a bus that is not up yet stops nobody from starting."""

    def __init__(
        self,
        sessions: Sessions,
        connect: Callable[[], EventsClient],
        *,
        bus_arn: str,
        poll_seconds: float = POLL_SECONDS,
        on_death: Callable[[], None] = lambda: None,
    ) -> None:
        self._sessions = sessions
        self._connect = connect
        self._client: EventsClient | None = None
        self._bus_arn = bus_arn
        self._poll_seconds = poll_seconds
        self._on_death = on_death
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._outages = 0

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="outbox-relay", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def stop(self, *, seconds: float = 4.0) -> None:
        """Lets a publication under way end. What is left is published by the next process."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(seconds)

    @property
    def running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._connect_early()
            while not self._stop.is_set():
                self._wake.wait(self._round())
                self._wake.clear()
        finally:
            if not self._stop.is_set():
                log.critical("the outbox relay died")
                self._on_death()

    def _connect_early(self) -> None:
        """Making a client takes a good part of a second; the first event need not wait for it."""
        try:
            self._client = self._connect()
        except (BotoCoreError, CredentialsMissing) as error:
            log.warning("no client for the bus yet: %s", error)

    def _round(self) -> float:
        """Empties the outbox as far as it goes now; answers for how many seconds to rest."""
        try:
            while not self._stop.is_set() and self.publish_batch() == BATCH:
                pass
            self._forget_old()
        except (Unreachable, DBAPIError, PoolTimeout) as error:
            self._outages += 1
            log.warning("publishing waits: %s", error)
            return _pause(self._outages, LONGEST_OUTAGE_PAUSE_SECONDS)
        self._outages = 0
        return self._poll_seconds

    def publish_batch(self) -> int:
        """Publishes up to ten due events; answers how many it tried. Raises `Unreachable` when the call failed."""
        with self._sessions.begin() as session:
            rows = session.execute(
                select(outbox)
                .where(outbox.c.sent_at.is_(None), outbox.c.next_attempt_at <= func.now())
                .order_by(outbox.c.id)
                .limit(BATCH)
                .with_for_update(skip_locked=True)
            ).all()
            if rows:
                for row, result in zip(rows, self._put(rows), strict=True):
                    _mark(session, row, result)
            return len(rows)

    def _put(self, rows: Sequence[Row[Any]]) -> list[dict[str, Any]]:
        entries = [
            {
                "EventBusName": self._bus_arn,
                "Source": row.source,
                "DetailType": row.detail_type,
                "Detail": row.detail,
                "Time": row.occurred_at,
            }
            for row in rows
        ]
        try:
            if self._client is None:
                self._client = self._connect()
            answer = self._client.put_events(Entries=entries)
        except (BotoCoreError, ClientError, CredentialsMissing) as error:
            raise Unreachable(str(error)) from error
        results: list[dict[str, Any]] = answer["Entries"]
        if len(results) != len(entries):
            raise Unreachable(f"{len(entries)} entries sent, {len(results)} results answered")
        return results

    def _forget_old(self) -> None:
        with self._sessions.begin() as session:
            session.execute(delete(outbox).where(outbox.c.sent_at < func.now() - KEEP_SENT))


def _mark(session: Session, row: Row[Any], result: dict[str, Any]) -> None:
    this = update(outbox).where(outbox.c.id == row.id)
    attempts = row.attempts + 1
    if "EventId" in result:
        session.execute(
            this.values(sent_at=func.now(), attempts=attempts, bus_event_id=result["EventId"], last_error=None)
        )
        return
    reason = f"{result.get('ErrorCode')}: {result.get('ErrorMessage')}"
    log.warning("%s %s was not accepted: %s", row.detail_type, row.event_id, reason)
    pause = timedelta(seconds=_pause(attempts, LONGEST_PAUSE_SECONDS))
    session.execute(this.values(attempts=attempts, last_error=reason, next_attempt_at=func.clock_timestamp() + pause))


def _pause(attempts: int, longest: float) -> float:
    """Twice as long each time, between half and the whole of it, so that relays do not march in step."""
    whole = min(FIRST_PAUSE_SECONDS * 2.0 ** min(attempts - 1, 16), longest)
    return whole * random.uniform(0.5, 1.0)
