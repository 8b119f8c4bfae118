"""The cost of matching one event, at growing numbers of rules: all exact, and of every operator.

`bench.bus` shows these figures with its own; `.venv/bin/python -m bench.matching` shows them alone.
"""

import random
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from harness.bus.matching import RuleSet
from harness.bus.model import Rule
from harness.bus.patterns.pattern import compile_pattern
from harness.wire import bus_arn

COUNTS = (10, 100, 1000, 10_000)
ACCOUNT = "111111111111"
BUS = bus_arn("eu-west-1", ACCOUNT, "shop")
REPEATS = 2000
# A few rules match, as many at any number of rules.
EVENT = {
    "version": "0",
    "source": "orders",
    "detail-type": "OrderPlaced",
    "detail": {
        "orderId": "7",
        "total": 7.25,
        "address": "10.0.7.1",
        "path": "/7/invoices/7.pdf",
        "name": "Ann-7",
        "lines": [{"sku": "a"}, {"sku": "b"}, {"sku": "sku-7"}],
    },
}


def main() -> int:
    for kind, make in KINDS.items():
        for count, cost in costs(make).items():
            print(f"matching, {kind}, {count:>6,} rules {cost:>8.1f} µs an event")
    return 0


def exact(number: int) -> Any:
    """Each wants another order."""
    return {"source": ["orders"], "detail": {"orderId": [str(number)]}}


def mixed(number: int) -> Any:
    """All of one source; every operator on a field of the detail, ten rules in turn."""
    alternatives: list[dict[str, Any]] = [
        {"path": [{"prefix": f"/{number}/"}]},
        {"path": [{"suffix": f"/{number}.pdf"}]},
        {"path": [{"wildcard": f"*s/{number}.*"}]},
        {"name": [{"equals-ignore-case": f"ANN-{number}"}]},
        {"name": [{"prefix": {"equals-ignore-case": f"ann-{number}"}}]},
        {"total": [{"numeric": [">", number, "<=", number + 0.5]}]},
        {"address": [{"cidr": f"10.{number // 256 % 256}.{number % 256}.0/24"}]},
        {"orderId": [{"anything-but": ["x"]}], "lines": {"sku": [f"sku-{number}"]}},
        {"orderId": [{"exists": True}], "note": [{"exists": False}], "name": [f"Ann-{number}"]},
        {"$or": [{"orderId": [str(number)]}, {"path": [{"wildcard": f"/{number}/*.pdf"}]}]},
    ]
    return {"source": ["orders"], "detail": alternatives[number % len(alternatives)]}


KINDS: dict[str, Callable[[int], Any]] = {"exact": exact, "mixed": mixed}


def costs(make: Callable[[int], Any]) -> dict[int, float]:
    """Microseconds an event by number of rules; medians of rounds in which the sizes take turns."""
    sets = {count: rule_set(make, count) for count in COUNTS}
    rounds = [{count: cost(rules) for count, rules in sets.items()} for _ in range(5)]
    return {count: median(each[count] for each in rounds) for count in COUNTS}


def rule_set(make: Callable[[int], Any], count: int) -> RuleSet:
    numbers = list(range(count))
    random.Random(1).shuffle(numbers)
    return RuleSet(Rule(f"rule-{n}", BUS, ACCOUNT, compile_pattern(make(n)), ()) for n in numbers)


def cost(rules: RuleSet) -> float:
    begun = time.perf_counter()
    for _ in range(REPEATS):
        rules.matching(EVENT)
    return (time.perf_counter() - begun) / REPEATS * 1e6


if __name__ == "__main__":
    sys.exit(main())
