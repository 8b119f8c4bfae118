"""Sessions on a database of the test's own."""

from collections.abc import Iterator

import pytest

from kit.database import Sessions, sessions_of
from tests.domains.conftest import NewDatabase
from tests.domains.kit.database import kit_engine


@pytest.fixture
def sessions(new_database: NewDatabase) -> Iterator[Sessions]:
    with kit_engine(new_database()) as engine:
        yield sessions_of(engine)
