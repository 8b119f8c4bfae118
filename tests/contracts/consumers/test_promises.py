"""The bi-directional check: expectations of consumers inside the provider's contract."""

import copy
import json
from typing import Any

import pytest

from harness.contracts.consumers import Provider, published, subscription_findings, unmet
from tests.contracts.consumers.samples import api, changed, event, footprints, subscription
from tests.contracts.consumers.test_impact import ORDER_PLACED, SHOP, cases

VERSIONED = changed(
    ORDER_PLACED, {"set": {"/properties/data/properties/version": {"type": "string", "pattern": "^1\\.[0-9]+$"}}}
)
ORDER_PAID = {
    "x-event": {"source": "acme.shop"},
    "properties": {"data": {"type": "object", "properties": {"total": {"type": "number", "minimum": 0}}}},
}
PROVIDER = Provider("shop", {"v1": api(SHOP)}, {"OrderPlaced.v1": event(ORDER_PLACED)})


def found(interaction: dict[str, Any], provider: Provider = PROVIDER) -> list[Any]:
    (footprint,) = footprints(provider, {"reader": {"pact": [interaction]}})
    return [finding for use in footprint.uses for finding in unmet(use, provider)]


@pytest.mark.parametrize("case", cases("promises.json"))
def test_an_expectation(case: dict[str, Any]) -> None:
    free = {"set": {"/components/schemas/Item/properties/customer/additionalProperties": True}}
    provider = Provider("shop", {"v1": api(changed(SHOP, free))}, {}) if case.get("free") else PROVIDER

    findings = found(case["pact"], provider)

    assert [[finding.level.value, finding.rule] for finding in findings] == case["found"]
    assert case.get("said", "") in "\n".join(finding.text for finding in findings)


@pytest.mark.parametrize("case", cases("subscriptions.json"))
def test_a_rule(case: dict[str, Any]) -> None:
    events = published([event(VERSIONED), event(ORDER_PAID, "OrderPaid.v1")])

    findings = subscription_findings(subscription("reader", case["rule"]), events)

    assert [[finding.level.value, finding.rule] for finding in findings] == case["found"]
    assert case.get("said", "") in "\n".join(finding.text for finding in findings)


def test_a_path_without_version_counts_for_the_version_that_keeps_it() -> None:
    without = copy.deepcopy(SHOP)
    del without["components"]["schemas"]["Item"]["properties"]["note"]
    provider = Provider("shop", {"v1": api(without), "v2": api(SHOP, "v2")}, {})

    findings = found({"request": {"path": "/items/1"}, "response": {"status": 200, "body": {"note": "x"}}}, provider)

    rules = [(finding.level.value, finding.rule) for finding in findings]
    assert rules == [("risky", "expected-field-optional"), ("risky", "expected-version-unclear")]


def test_a_finding_is_at_the_line_of_its_interaction() -> None:
    (finding,) = found({"request": {"path": "/v1/nothing"}, "response": {"status": 200}})

    assert str(finding.new) == "reader.pact.json:1"
    assert json.loads(json.dumps(finding.text)).startswith('reader (pact "interaction 0") calls GET /v1/nothing')


def test_recorded_usage_of_what_is_gone_is_told() -> None:
    line = {
        "version": "v0",
        "method": "GET",
        "path": "/old",
        "seen": {"count": 1, "first": "2026-01-15", "last": "2026-01-15"},
    }
    (footprint,) = footprints(PROVIDER, {"reader": {"recorded": [line]}})

    (finding,) = unmet(footprint.uses[0], PROVIDER)

    assert finding.text == "reader (recorded) called GET /v0/old until 2026-01-15, and the contract does not have it"
