"""Permissions that were never used, and calls that were refused, by role."""

from typing import Any

from harness.audit.usage import shown, usage
from tests.access.landscape import STOREFRONT, a_role, allow
from tests.gateway.landscape import API_ARN, INVOKE

READS, PLACES = f"{API_ARN}/v2/GET/*", f"{API_ARN}/v2/POST/orders"
ROLE = a_role(STOREFRONT, "storefront", allow(INVOKE, READS), allow([INVOKE, "sts:AssumeRole"], PLACES))


def record(
    number: int, *, action: str = INVOKE, resource: str = f"{API_ARN}/v2/GET/orders", allowed: bool = True
) -> Any:
    return {
        "requestID": f"request-{number}",
        "userIdentity": {"sessionContext": {"sessionIssuer": {"arn": ROLE.arn}}},
        "additionalEventData": {"questions": [{"action": action, "resource": resource, "allowed": allowed}]},
    }


def of_role(*records: Any) -> Any:
    [row] = usage(records, {ROLE.arn: ROLE})
    return row


def test_without_calls_every_permission_is_unused() -> None:
    row = of_role()

    assert [(each["action"], each["resource"]) for each in row["unused"]] == [
        (INVOKE, READS),
        (INVOKE, PLACES),
        ("sts:AssumeRole", PLACES),
    ]
    assert row["calls"] == 0


def test_a_call_uses_the_permission_that_it_needed_alone() -> None:
    row = of_role(record(1), record(2))

    assert [each["resource"] for each in row["unused"]] == [PLACES, PLACES]
    assert row["calls"] == 2


def test_a_record_that_was_stored_twice_counts_once() -> None:
    assert of_role(record(1), record(1))["calls"] == 1


def test_a_refused_call_uses_nothing_and_is_counted_with_its_latest_id() -> None:
    row = of_role(record(1, allowed=False), record(2, allowed=False))

    assert len(row["unused"]) == 3
    assert row["refused"] == [
        {"action": INVOKE, "resource": f"{API_ARN}/v2/GET/orders", "count": 2, "latest": "request-2"}
    ]
    assert "why: harness explain request-2" in shown([row])


def test_calls_of_nobody_known_count_for_nobody() -> None:
    unknown = {**record(1), "userIdentity": {"type": "Unknown"}}

    assert of_role(unknown)["calls"] == 0
