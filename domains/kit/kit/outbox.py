"""Transactional outbox: an event is written in the transaction that makes it true, and published after the commit.

At least once: a process killed between the publication and its mark publishes the event again, with the same
`metadata.eventId`.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    event,
    func,
    insert,
    text,
)
from sqlalchemy.orm import Session

from kit.database import Sessions
from kit.envelope import NewEvent

metadata = MetaData()

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("source", Text, nullable=False),
    Column("detail_type", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("occurred_at", DateTime(timezone=True), nullable=False),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_attempt_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("last_error", Text),
    Column("bus_event_id", Text),
    Column("sent_at", DateTime(timezone=True)),
)
Index("outbox_unsent", outbox.c.id, postgresql_where=outbox.c.sent_at.is_(None))

_WRITTEN = "kit.outbox.written"


class Outbox:
    """`source` is the domain's name on the bus (`acme.orders`), `domain` its name in `metadata.domain`."""

    def __init__(self, *, source: str, domain: str) -> None:
        self._source = source
        self._domain = domain

    def add(self, session: Session, happened: NewEvent) -> None:
        """Part of the session's transaction: rolled back with it, published once it is committed."""
        detail = json.dumps(happened.detail(self._domain), separators=(",", ":"))
        session.execute(
            insert(outbox).values(
                event_id=happened.event_id,
                source=self._source,
                detail_type=happened.detail_type,
                detail=detail,
                occurred_at=happened.occurred_at.astimezone(UTC),
            )
        )
        session.info[_WRITTEN] = True


def on_commit(sessions: Sessions, wake: Callable[[], None]) -> None:
    """Calls `wake` after each commit of a session that wrote to the outbox, so that nobody waits for a poll."""

    def committed(session: Session) -> None:
        if session.info.pop(_WRITTEN, False):
            wake()

    event.listen(sessions, "after_commit", committed)


def utc_now() -> datetime:
    return datetime.now(UTC)
