"""Reserving: what is asked for, what is short, and why an order is rejected."""

import pytest

from stock.reserving import PlacedLine, Shortage, rejection_reason, shortages, totals

AVAILABLE = {"chair-oak": 10, "lamp-brass": 3, "globe-antique": 0}


def test_lines_of_one_item_are_added() -> None:
    lines = [PlacedLine(sku="a", quantity=1), PlacedLine(sku="b", quantity=5), PlacedLine(sku="a", quantity=2)]
    assert totals(lines) == {"a": 3, "b": 5}


@pytest.mark.parametrize(
    ("wanted", "found", "reason"),
    [
        ({"chair-oak": 10}, [], None),
        ({"chair-oak": 11}, [Shortage("chair-oak", 11, 10)], "insufficient-stock"),
        ({"chair-oak": 1, "lamp-brass": 4}, [Shortage("lamp-brass", 4, 3)], "insufficient-stock"),
        ({"globe-antique": 1}, [Shortage("globe-antique", 1, 0)], "insufficient-stock"),
        ({"sofa": 1, "lamp-brass": 4}, [Shortage("sofa", 1, None), Shortage("lamp-brass", 4, 3)], "unknown-sku"),
    ],
    ids=["just enough", "one too many", "one line of two is short", "nothing left", "an unknown item comes first"],
)
def test_an_order_is_rejected_for_what_is_short(
    wanted: dict[str, int], found: list[Shortage], reason: str | None
) -> None:
    assert shortages(wanted, AVAILABLE) == found
    assert rejection_reason(found) == reason
