"""The lock of released contracts: written, read back, and appended to."""

from datetime import date

import pytest

from harness.contracts.release import Lock, Release, digest, parse_lock, serialise_lock
from harness.errors import InputError

MONDAY, TUESDAY = date(2026, 1, 12), date(2026, 1, 13)
FILE = "orders/v1/openapi.yaml"


def test_what_is_written_is_read_back() -> None:
    lock = Lock().released({FILE: "a", "orders/events/OrderPlaced.v1.json": "{}"}, MONDAY)

    assert parse_lock(serialise_lock(lock), file="released.lock") == lock


def test_a_text_that_is_released_is_not_released_again() -> None:
    lock = Lock().released({FILE: "a"}, MONDAY)

    assert lock.released({FILE: "a"}, TUESDAY) == lock


def test_a_changed_text_is_one_release_more() -> None:
    lock = Lock().released({FILE: "a"}, MONDAY).released({FILE: "b"}, TUESDAY)

    assert lock.of(FILE) == (Release(FILE, digest("a"), MONDAY), Release(FILE, digest("b"), TUESDAY))
    assert lock.latest(FILE) == Release(FILE, digest("b"), TUESDAY)


def test_releases_keep_their_order_also_on_one_day_and_between_other_files() -> None:
    lock = Lock().released({FILE: "b"}, MONDAY).released({"a/v1/openapi.yaml": "x", FILE: "a"}, MONDAY)

    assert [release.digest for release in lock.of(FILE)] == [digest("b"), digest("a")]
    assert parse_lock(serialise_lock(lock), file="released.lock") == lock


def test_a_text_that_comes_back_is_a_release() -> None:
    lock = Lock().released({FILE: "a"}, MONDAY).released({FILE: "b"}, MONDAY).released({FILE: "a"}, TUESDAY)

    assert len(lock.of(FILE)) == 3


def test_the_hash_does_not_depend_on_line_ends() -> None:
    assert digest("a\r\nb\n") == digest("a\nb\n") != digest("a\nb")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("orders/v1/openapi.yaml", "is no release: a line is PATH sha256:HASH", id="too short"),
        pytest.param(f"a sha256:{'0' * 63} 2026-01-12", "is no release", id="a short hash"),
        pytest.param(f"a sha256:{'0' * 64} 2026-02-30", "2026-02-30 is no day", id="a day that no month has"),
        pytest.param("<<<<<<< HEAD", "is no release", id="a conflict of a merge"),
    ],
)
def test_a_wrong_line_is_told(line: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_lock(f"# head\n\n{line}\n", file="contracts/released.lock")

    assert str(refused.value).startswith("contracts/released.lock:3: ")
    assert said in str(refused.value)
