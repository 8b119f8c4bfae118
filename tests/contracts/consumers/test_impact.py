"""Whom a change hurts: findings of the real diff, crossed with consumers of every kind."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.consumers.samples import changed, hurt_of_api, hurt_of_event

CASES = Path(__file__).parent / "cases"
SHOP = json.loads((CASES / "shop.json").read_text())
ORDER_PLACED = {
    "x-event": {"source": "acme.shop"},
    "type": "object",
    "required": ["data"],
    "properties": {
        "data": {
            "type": "object",
            "required": ["total", "orderId", "lines"],
            "properties": {
                "total": {"type": "number"},
                "orderId": {"type": "string"},
                "kind": {"enum": ["a", "b"]},
                "lines": {
                    "type": "array",
                    "items": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}},
                },
            },
        }
    },
}


def cases(name: str) -> list[Any]:
    return [pytest.param(each, id=each["name"]) for each in json.loads((CASES / name).read_text())]


def reader(body: Any, rules: dict[str, list[Any]], more: dict[str, Any] | None = None) -> dict[str, Any]:
    """A consumer with one pact on `GET /items/{id}`. Several matchers by name stand for `combine: OR`."""
    written = {
        path: {
            "combine": "OR" if len(matchers) > 1 else "AND",
            "matchers": [{"match": each} if isinstance(each, str) else each for each in matchers],
        }
        for path, matchers in rules.items()
    }
    response = {"status": 200, "body": body, "matchingRules": {"body": written}}
    return {"pact": [{"request": {"path": "/v1/items/1"}, "response": response, **(more or {})}]}


@pytest.mark.parametrize("case", cases("impact.json"))
def test_a_change_of_an_api(case: dict[str, Any]) -> None:
    new = changed(SHOP, case)
    if "rename" in case:
        old_name, new_name = case["rename"]
        text = json.dumps(new).replace(old_name, new_name)
        new = json.loads(text.replace('"name": "id", "in": "path"', f'"name": "{new_name[1:-1]}", "in": "path"'))
    consumers = case.get("consumers", {}) | {name: reader(*said) for name, said in case.get("reads", {}).items()}

    assert hurt_of_api(SHOP, new, consumers) == case["hurt"]


@pytest.mark.parametrize("case", cases("event_impact.json"))
def test_a_change_of_an_event(case: dict[str, Any]) -> None:
    assert hurt_of_event(ORDER_PLACED, changed(ORDER_PLACED, case), case["consumers"]) == case["hurt"]


def test_what_does_not_change_hurts_nobody() -> None:
    assert hurt_of_api(SHOP, SHOP, {"a": reader({"id": 1}, {})}) == {}
    assert hurt_of_event(ORDER_PLACED, ORDER_PLACED, {}) == {}
