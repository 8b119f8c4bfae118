"""Migrations lead to the tables that the code has in mind, and may be run by two processes at once."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData

import orders.application
import orders.model
import stock.application
import stock.model
from kit import database, idempotency, inbox, outbox
from tests.domains.conftest import NewDatabase

DOMAINS = {
    "orders": (
        orders.application.MIGRATIONS,
        [orders.model.Base.metadata, outbox.metadata, inbox.metadata, idempotency.metadata],
    ),
    "stock": (stock.application.MIGRATIONS, [stock.model.Base.metadata, outbox.metadata, inbox.metadata]),
}


@pytest.mark.parametrize(("folder", "metadata"), DOMAINS.values(), ids=list(DOMAINS))
def test_the_migrated_schema_is_the_one_in_the_code(
    new_database: NewDatabase, folder: Path, metadata: list[MetaData]
) -> None:
    engine = database.create(new_database(), application_name="tests")
    database.migrate(engine, folder)
    whole = MetaData()
    for part in metadata:
        for table in part.tables.values():
            table.to_metadata(whole)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, whole) == []
    engine.dispose()


def test_two_processes_may_start_at_once(new_database: NewDatabase) -> None:
    url = new_database()

    def start(_: int) -> None:
        engine = database.create(url, application_name="tests")
        database.migrate(engine, orders.application.MIGRATIONS)
        engine.dispose()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(start, range(3)))


def test_a_plain_url_gets_the_driver() -> None:
    for scheme in ("postgres", "postgresql"):
        engine = database.create(f"{scheme}://orders@127.0.0.1/orders", application_name="tests")
        assert engine.dialect.driver == "psycopg"
