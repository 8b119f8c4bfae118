"""A domain's own PostgreSQL: engine, sessions, migrations."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

Sessions = sessionmaker[Session]

MIGRATION_LOCK = 7_205_114_302
"""Key of the advisory lock that two starting processes of one domain take turns on."""

log = logging.getLogger(__name__)


def create(database_url: str, *, application_name: str) -> Engine:
    """`database_url` is a plain `postgresql://` or `postgres://` URL; psycopg 3 is the driver."""
    url = make_url(database_url.replace("postgres://", "postgresql://", 1))
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=5,
        max_overflow=15,
        pool_timeout=10,
        # The server may have been restarted since; a dead connection is replaced, not handed out.
        pool_pre_ping=True,
        connect_args={"application_name": application_name, "connect_timeout": 5},
    )


def sessions_of(engine: Engine) -> Sessions:
    return sessionmaker(engine, expire_on_commit=False)


def wait_until_reachable(engine: Engine, *, seconds: float = 30.0, pause: Callable[[float], None] = time.sleep) -> None:
    """Raises the last OperationalError when the database does not answer in time."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            with engine.connect() as connection:
                connection.execute(text("SELECT 1"))
            return
        except OperationalError:
            if time.monotonic() >= deadline:
                raise
            log.warning("the database does not answer yet")
            pause(0.5)


def migrate(engine: Engine, folder: Path) -> None:
    """Brings the schema to the newest revision of the Alembic environment in `folder`."""
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    with engine.connect() as connection:
        # Of the session, not of the transaction: a migration may commit in between.
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
            connection.commit()


def answers(engine: Engine) -> bool:
    """Whether the database answers now."""
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except OperationalError:
        log.warning("the database does not answer")
        return False
    return True
