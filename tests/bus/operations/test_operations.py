"""Every management operation as boto3 sees it: what it answers, and every way in which it refuses."""

from datetime import datetime
from typing import Any

import pytest
from botocore.session import get_session

from harness.bus.operations.table import OPERATIONS
from tests.bus.cases import load_operations, operations_of_cases
from tests.bus.operations.conftest import ROLES, Bench

# Global endpoints and partner sources are not played here.
LEFT_OUT = ("Endpoint", "Partner", "EventSource")


@pytest.mark.parametrize("case", load_operations())
def test_operations(bench: Bench, case: dict[str, Any]) -> None:
    for operation, parameters in case.get("before", ()):
        bench.ask(operation, filled(parameters, bench))
    operation, parameters = case["call"]
    role = ROLES[case.get("as", "admin")]
    asked = filled(parameters, bench)
    if "refused" in case:
        assert bench.refusal(operation, asked, role) == tuple(case["refused"])
    else:
        assert shown(bench.ask(operation, asked, role)) == case["answer"]
    for operation, parameters, answer in case.get("after", ()):
        assert shown(bench.ask(operation, filled(parameters, bench))) == answer


def filled(value: Any, bench: Bench) -> Any:
    """`<connection NAME>` stands for the ARN of a connection that has been made."""
    if isinstance(value, dict):
        return {name: filled(item, bench) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, bench) for item in value]
    if isinstance(value, str) and value.startswith("<connection "):
        return bench.ask("DescribeConnection", {"Name": value[12:-1]})["ConnectionArn"]
    if isinstance(value, str) and value.startswith("<api-destination "):
        return bench.ask("DescribeApiDestination", {"Name": value[17:-1]})["ApiDestinationArn"]
    return value


def shown(value: Any) -> Any:
    """Times and identifiers, which differ from run to run, by their kind."""
    if isinstance(value, dict):
        return {name: shown(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shown(item) for item in value]
    if isinstance(value, datetime):
        return "<time>"
    if isinstance(value, str) and ("connection/" in value or ":api-destination/" in value):
        return value[: value.rindex("/")] + "/<id>"
    return value


def test_every_operation_has_a_case_that_answers_and_one_that_refuses() -> None:
    answered, refused = operations_of_cases()
    never_refuses = {"ListEventBuses", "ListConnections", "ListApiDestinations"}
    assert (set(OPERATIONS) - answered, set(OPERATIONS) - refused - never_refuses) == (set(), set())


def test_every_operation_of_the_model_is_there_but_endpoints_and_partner_sources() -> None:
    names = get_session().get_service_model("events").operation_names
    wanted = {name for name in names if not any(word in name for word in LEFT_OUT)}
    assert wanted == {*OPERATIONS, "PutEvents"}
