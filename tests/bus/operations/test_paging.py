"""`Limit` and `NextToken`: pages that belong together, and tokens that belong to their request."""

from typing import Any

import pytest

from tests.bus.operations.conftest import STOCK_ADMIN, Bench

RULE = {"EventPattern": '{"source": ["a"]}'}


@pytest.fixture
def filled(bench: Bench) -> Bench:
    for name in ("e", "c", "a", "d", "b"):
        bench.ask("PutRule", {"Name": name, **RULE})
    return bench


def names(answer: dict[str, Any]) -> list[str]:
    return [rule["Name"] for rule in answer["Rules"]]


def test_pages_together_are_all_in_order(filled: Bench) -> None:
    pages = filled.client().get_paginator("list_rules").paginate(PaginationConfig={"PageSize": 2})
    assert [names(page) for page in pages] == [["a", "b"], ["c", "d"], ["e"]]


def test_a_page_that_holds_the_last_has_no_token(filled: Bench) -> None:
    assert "NextToken" not in filled.ask("ListRules", {"Limit": 5})


def test_a_page_goes_on_behind_an_item_that_is_gone(filled: Bench) -> None:
    token = filled.ask("ListRules", {"Limit": 2})["NextToken"]
    filled.ask("DeleteRule", {"Name": "b"})
    assert names(filled.ask("ListRules", {"Limit": 2, "NextToken": token})) == ["c", "d"]


def test_a_page_may_be_of_another_size(filled: Bench) -> None:
    token = filled.ask("ListRules", {"Limit": 1})["NextToken"]
    assert names(filled.ask("ListRules", {"NextToken": token})) == ["b", "c", "d", "e"]


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        pytest.param("ListRules", {"NamePrefix": "c"}, id="another filter"),
        pytest.param("ListRules", {"EventBusName": "enterprise"}, id="another bus"),
        pytest.param("ListEventBuses", {}, id="another operation"),
    ],
)
def test_a_token_of_another_request_is_refused(filled: Bench, operation: str, parameters: dict[str, Any]) -> None:
    token = filled.ask("ListRules", {"Limit": 2})["NextToken"]
    found = filled.refusal(operation, {**parameters, "NextToken": token})
    assert found == ("ValidationException", "Parameter NextToken is not valid.")


def test_a_token_of_another_account_is_refused(filled: Bench) -> None:
    token = filled.ask("ListRules", {"Limit": 2})["NextToken"]
    assert filled.refusal("ListRules", {"NextToken": token}, STOCK_ADMIN)[0] == "ValidationException"


@pytest.mark.parametrize("change", ["{}x", "x{}", "{}=", "{}\n"])
def test_a_token_that_was_changed_is_refused(filled: Bench, change: str) -> None:
    token = filled.ask("ListRules", {"Limit": 2})["NextToken"]
    assert filled.refusal("ListRules", {"NextToken": change.format(token)})[0] == "ValidationException"
