"""Inbox: what one consumer has handled, written in the transaction of what it did. At least once becomes once."""

from uuid import UUID

from sqlalchemy import Column, DateTime, MetaData, Table, Text, Uuid, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

metadata = MetaData()

inbox = Table(
    "inbox",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("handled_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)


def first_time(session: Session, *, consumer: str, event_id: UUID) -> bool:
    """False when this consumer has handled the event.

    Of two deliveries at once, the second waits here until the first commits (False) or rolls back (True).
    """
    added = session.execute(
        insert(inbox).values(consumer=consumer, event_id=event_id).on_conflict_do_nothing().returning(inbox.c.event_id)
    )
    return added.first() is not None
