"""Fuzzing finds each planted bug, says nothing of a provider that keeps its contract, and repeats itself exactly."""

from typing import Any

import pytest
from requests import PreparedRequest
from requests.auth import AuthBase

from harness.contracts import Operation
from harness.verify.fuzz import FuzzSettings, fuzz
from tests.verify.conftest import Provider

CREATE = Operation("POST", "/things", "createThing")
READ = Operation("GET", "/things/{id}", "getThing")
FEW = FuzzSettings(seed=7, max_examples=10)

pytestmark = pytest.mark.slow


class Marked(AuthBase):
    """Stands for the signature."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = "AWS4-HMAC-SHA256 top secret"
        return request


def run(provider: Provider, contract: dict[str, Any], operation: Operation) -> Any:
    return fuzz(contract, operation, base_url=f"{provider.url}/v1", auth=Marked(), settings=FEW)


def test_a_provider_that_keeps_its_contract_has_no_findings(provider: Provider, contract: dict[str, Any]) -> None:
    report = run(provider, contract, CREATE)

    assert report.failures == []
    assert report.errors == []
    assert report.cases["coverage"] > 5
    assert report.cases["fuzzing"] > 0


@pytest.mark.parametrize(
    ("bug", "title"),
    [
        pytest.param("undocumented status", "Undocumented status code", id="an undocumented status"),
        pytest.param("wrong type", "Response violates schema", id="a response field of the wrong type"),
        pytest.param("server error", "Server error", id="a server error at a boundary value"),
        pytest.param("accepts bad data", "negative_data_rejection", id="bad data that is accepted"),
    ],
)
def test_finds(bug: str, title: str, provider: Provider, contract: dict[str, Any]) -> None:
    provider.bug = bug

    report = run(provider, contract, CREATE)

    assert title in "\n".join(str(failure) for failure in report.failures)


def test_a_field_of_the_wrong_type_is_named_and_told_once(provider: Provider, contract: dict[str, Any]) -> None:
    provider.bug = "wrong type"

    titles = [failure.title for failure in run(provider, contract, CREATE).failures]

    assert titles == ["Response violates schema at /size (response_schema_conformance)"]


def test_only_the_named_operation_is_called(provider: Provider, contract: dict[str, Any]) -> None:
    run(provider, contract, CREATE)

    assert {target for method, target, _, _ in provider.requests if method == "POST"} <= {"/v1/things"} | {
        target for _, target, _, _ in provider.requests if target.startswith("/v1/things?")
    }
    assert not [target for method, target, _, _ in provider.requests if target.startswith("/v1/things/")]


def test_the_same_seed_sends_the_same_requests(provider: Provider, contract: dict[str, Any]) -> None:
    run(provider, contract, CREATE)
    first = [(method, target, body) for method, target, _, body in provider.requests]
    provider.requests.clear()

    run(provider, contract, CREATE)

    assert [(method, target, body) for method, target, _, body in provider.requests] == first


def test_a_finding_does_not_show_the_signature(provider: Provider, contract: dict[str, Any]) -> None:
    provider.bug = "wrong type"

    text = "\n".join(str(failure) for failure in run(provider, contract, CREATE).failures)

    assert "Authorization: (masked)" in text
    assert "top secret" not in text


def test_a_query_parameter_that_breaks_the_provider_is_found(provider: Provider, contract: dict[str, Any]) -> None:
    provider.bug = "server error on a query"

    assert "Server error" in "\n".join(str(failure) for failure in run(provider, contract, READ).failures)
