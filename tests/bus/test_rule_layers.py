"""Rules that change one by one match as rules made at once do."""

import random
from collections.abc import Mapping

import pytest

from harness.bus import rule_layers
from harness.bus.matching import RuleSet
from harness.bus.model import Rule
from harness.bus.patterns.pattern import compile_pattern
from harness.bus.rule_layers import RuleLayers

BUS = "arn:aws:events:eu-west-1:111111111111:event-bus/shop"
EVENTS = [{"source": source, "detail": {"n": n}} for source in ("a", "b") for n in range(3)]


def a_rule(name: str, pattern: object, *, enabled: bool = True) -> Rule:
    return Rule(name, BUS, "111111111111", compile_pattern(pattern), (), enabled=enabled)


def names(layers: RuleLayers | RuleSet, event: Mapping[str, object]) -> list[str]:
    return [rule.name for rule in layers.matching(event)]


@pytest.mark.parametrize("most", [0, 3, 1000])
def test_changes_one_by_one_come_to_the_same(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(rule_layers, "MOST_CHANGED", most)
    chance = random.Random(17)
    wanted = {f"r{n}": a_rule(f"r{n}", {"source": ["a"]}) for n in range(5)}
    layers = RuleLayers(wanted.values())
    for _ in range(200):
        name = f"r{chance.randrange(12)}"
        pattern = {"source": [chance.choice("ab")], "detail": {"n": [chance.randrange(3)]}}
        if chance.random() < 0.3:
            wanted.pop(name, None)
            layers.change(name, None)
        else:
            wanted[name] = a_rule(name, pattern, enabled=chance.random() < 0.8)
            layers.change(name, wanted[name])
        fresh = RuleSet(wanted[name] for name in sorted(wanted))
        for event in EVENTS:
            assert names(layers, event) == names(fresh, event)
        assert all((layers.named(n) is not None) == (n in wanted and wanted[n].enabled) for n in ("r0", "r1", "r11"))


def test_a_change_among_many_makes_no_index_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = RuleLayers(a_rule(f"r{n}", {"source": ["a"]}) for n in range(1000))
    made: list[int] = []

    class Counted(RuleSet):
        def __init__(self, rules: object) -> None:
            given = list(rules)  # type: ignore[call-overload]
            made.append(len(given))
            super().__init__(given)

    monkeypatch.setattr(rule_layers, "RuleSet", Counted)
    layers.change("r17", a_rule("r17", {"source": ["b"]}))
    assert names(layers, {"source": "b"}) == ["r17"]
    assert len(names(layers, {"source": "a"})) == 999
    assert made == [1]
