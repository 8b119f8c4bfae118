"""One PostgreSQL for the whole run of these tests, a new database for whoever asks."""

import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

DOMAINS = Path(__file__).resolve().parents[2] / "domains"
# A domain is started with its own folder and the kit's on the path; nothing of it is installed.
sys.path[:0] = [str(DOMAINS / name) for name in ("kit", "orders", "stock")]

from tests.domains.postgres_server import create_database, running_postgres  # noqa: E402
from tests.domains.stub_bus import StubBus, running_bus  # noqa: E402

NewDatabase = Callable[[], str]


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with running_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def new_database(postgres: str) -> NewDatabase:
    numbers = count(1)
    return lambda: create_database(postgres, f"test_{next(numbers)}")


@pytest.fixture
def bus() -> Iterator[StubBus]:
    with running_bus() as stub:
        yield stub
