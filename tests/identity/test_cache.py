"""The cache forgets what was used longest ago."""

import pytest

from harness.identity import RecentlyUsed


def test_what_was_used_longest_ago_goes_first() -> None:
    cache: RecentlyUsed[str, int] = RecentlyUsed(2)
    cache.put("a", 1)
    cache.put("b", 2)
    cache.get("a")
    cache.put("c", 3)

    assert (cache.get("a"), cache.get("b"), cache.get("c")) == (1, None, 3)


def test_an_entry_written_again_takes_no_second_place() -> None:
    cache: RecentlyUsed[str, int] = RecentlyUsed(2)
    cache.put("a", 1)
    cache.put("a", 2)

    assert len(cache) == 1
    assert cache.get("a") == 2


def test_a_cache_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        RecentlyUsed(0)
