"""Operations of an OpenAPI document and interactions of a pact file, as the plugin's items."""

import json
from typing import Any

import pytest

from harness.contracts import operations, read_pact
from harness.errors import InputError


def test_every_operation_is_listed_in_the_documents_order() -> None:
    document = {
        "paths": {
            "/orders": {"parameters": [], "post": {"operationId": "placeOrder"}, "get": {"operationId": "listOrders"}},
            "/orders/{orderId}": {"summary": "one", "get": {}},
        }
    }

    labels = [operation.label for operation in operations(document)]

    assert labels == ["GET /orders", "POST /orders", "GET /orders/{orderId}"]


def test_a_document_without_paths_has_no_operations() -> None:
    assert list(operations({"openapi": "3.1.0"})) == []


def pact(**interaction: Any) -> str:
    return json.dumps(
        {
            "consumer": {"name": "storefront"},
            "provider": {"name": "orders"},
            "interactions": [{"description": "an order by id", **interaction}],
        }
    )


@pytest.mark.parametrize(
    ("text", "states"),
    [
        pytest.param(pact(providerStates=[{"name": "a"}, {"name": "b"}]), ("a", "b"), id="a list, since version 3"),
        pytest.param(pact(providerState="a"), ("a",), id="a single one, in version 2"),
        pytest.param(pact(), (), id="none"),
    ],
)
def test_provider_states(text: str, states: tuple[str, ...]) -> None:
    assert read_pact(text, file="storefront.pact.json").interactions[0].states == states


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{", "x.pact.json:1: not JSON", id="no JSON"),
        pytest.param("{}", "x.pact.json: not a pact file: 'consumer' is missing", id="no consumer"),
        pytest.param('{"consumer": {"name": "a"}, "provider": {"name": "b"}}', "'interactions' is missing", id="none"),
        pytest.param("[]", "not a pact file", id="a list"),
    ],
)
def test_a_file_that_is_no_pact_is_refused(text: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        read_pact(text, file="x.pact.json")

    assert said in str(refused.value)


def test_messages_are_no_interactions() -> None:
    version_3 = json.dumps({"consumer": {"name": "a"}, "provider": {"name": "b"}, "messages": [{"description": "x"}]})

    assert read_pact(pact(type="Asynchronous/Messages"), file="x.pact.json").interactions == ()
    assert read_pact(version_3, file="x.pact.json").interactions == ()
