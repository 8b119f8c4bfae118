"""A database with the kit's own tables and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from kit import database, idempotency, inbox, outbox


@contextmanager
def kit_engine(url: str) -> Iterator[Engine]:
    engine = database.create(url, application_name="tests")
    for metadata in (outbox.metadata, inbox.metadata, idempotency.metadata):
        metadata.create_all(engine)
    yield engine
    engine.dispose()
