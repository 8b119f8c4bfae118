"""Matchers of what is text: paths, query parameters, headers, statuses and metadata, inside the provider's contract."""

from collections.abc import Mapping
from typing import Any

import pytest

from harness.contracts.consumers import Provider, read_pact_file, unmet
from harness.errors import InputError
from tests.contracts.consumers.samples import api, event, footprints, pact_text
from tests.contracts.consumers.test_impact import ORDER_PLACED, cases


def _contract(case: Mapping[str, Any]) -> Any:
    """One operation, with the schema of the case where the case says."""
    place, schema = case["place"], case["schema"]
    parameters = [{"name": "id", "in": "path", "required": True, "schema": schema if place == "path" else {}}]
    if place in ("query", "header"):
        parameters.append({"name": "X-P" if place == "header" else "p", "in": place, "schema": schema})
    good = {"description": "one", "headers": {"X-Given": {"schema": schema}} if place == "answer" else {}}
    get = {"operationId": "get", "parameters": parameters, "responses": {"200": good, "404": {"description": "none"}}}
    return {"openapi": "3.1.0", "info": {"title": "shop", "version": "1.0.0"}, "paths": {"/things/{id}": {"get": get}}}


def _interaction(case: Mapping[str, Any]) -> dict[str, Any]:
    place, value, rules = case["place"], case["value"], case["rules"]
    if place == "metadata":
        metadata = {"detail-type": "OrderPlaced.v1", **value}
        contents = {"content": {"data": {"orderId": "x"}}}
        return {"type": "Asynchronous/Messages", "metadata": metadata, "contents": contents, "matchingRules": rules}
    request: dict[str, Any] = {"path": f"/v1/things/{value if place == 'path' else 1}"}
    response: dict[str, Any] = {"status": value if place == "status" else 200}
    if place == "query":
        request["query"] = {"p": value if isinstance(value, list) else [value]}
    if "unknown" in case:
        request["query"] = {case["unknown"]: ["1"]}
    if place == "header":
        request["headers"] = {"X-P": value}
    if place == "answer":
        response["headers"] = {"X-Given": value}
    (response if place in ("answer", "status") else request)["matchingRules"] = rules
    return {"request": request, "response": response}


@pytest.mark.parametrize("case", cases("text_matchers.json"))
def test_a_matcher(case: dict[str, Any]) -> None:
    events = {"OrderPlaced.v1": event({**ORDER_PLACED, "x-event": {"source": "acme.shop"}})}
    provider = Provider("shop", {"v1": api(_contract(case))}, events)
    (footprint,) = footprints(provider, {"reader": {"pact": [_interaction(case)]}})

    findings = [finding for use in footprint.uses for finding in unmet(use, provider)]

    assert [[finding.level.value, finding.rule] for finding in findings] == case["found"], findings
    assert case.get("said", "") in "\n".join(finding.text for finding in findings)


@pytest.mark.parametrize("status", ["teapot", 404, [], ["404"], [True], None])
def test_a_status_matcher_that_says_nothing_known_is_refused(status: Any) -> None:
    rules = {"status": {"matchers": [{"match": "statusCode", "status": status}]}}
    response = {"status": 404, "matchingRules": rules}

    with pytest.raises(InputError, match=r"must be a list of statuses or one of information, success"):
        read_pact_file(pact_text("reader", [{"request": {}, "response": response}]), file="reader.pact.json")
