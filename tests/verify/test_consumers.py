"""A pact verified through the signing proxy: met, broken, and with a value from its provider state."""

import json
from pathlib import Path
from typing import Any

import pytest

from harness.contracts import read_pact
from harness.identity import Credentials
from harness.verify.consumers import verify_interaction
from harness.verify.signing import signed_session
from harness.verify.signing_proxy import SigningProxy
from tests.verify.conftest import NOON, Provider

pytestmark = pytest.mark.slow

PACT = {
    "consumer": {"name": "shop"},
    "provider": {"name": "things"},
    "interactions": [
        {
            "description": "a thing (by id)",
            "providerStates": [{"name": "a thing exists"}],
            "request": {
                "method": "GET",
                "path": "/v1/things/none",
                "generators": {
                    "path": {"type": "ProviderState", "expression": "/v1/things/${thingId}", "dataType": "STRING"}
                },
            },
            "response": {
                "status": 200,
                "headers": {"Content-Type": "application/json"},
                "body": {"id": "x", "size": 1},
                "matchingRules": {
                    "body": {
                        "$.id": {"matchers": [{"match": "type"}]},
                        "$.size": {"matchers": [{"match": "integer"}]},
                    }
                },
            },
        }
    ],
    "metadata": {"pactSpecification": {"version": "3.0.0"}},
}


def verified(provider: Provider, credentials: Credentials, folder: Path, pact: dict[str, Any]) -> tuple[str, ...]:
    file = folder / "shop.pact.json"
    file.write_text(json.dumps(pact))
    parsed = read_pact(file.read_text(), file=str(file))
    session = signed_session("things", lambda: credentials, region="eu-west-1", now=lambda: NOON)

    def enter(state: str) -> dict[str, Any]:
        if state != "a thing exists":
            raise ValueError(f"no state {state}")
        return {"thingId": "seventeen"}

    with SigningProxy(session, provider.url, state=enter) as proxy:
        return verify_interaction(parsed, file, parsed.interactions[0], proxy=proxy).problems


def test_a_provider_that_meets_it_has_no_problems(provider: Provider, credentials: Credentials, tmp_path: Path) -> None:
    assert verified(provider, credentials, tmp_path, PACT) == ()


def test_the_request_carries_a_signature_and_the_states_value(
    provider: Provider, credentials: Credentials, tmp_path: Path
) -> None:
    verified(provider, credentials, tmp_path, PACT)

    _, target, headers, _ = provider.requests[-1]
    assert target == "/v1/things/seventeen"
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/")


def test_a_field_of_another_type_is_named(provider: Provider, credentials: Credentials, tmp_path: Path) -> None:
    broken = json.loads(json.dumps(PACT))
    broken["interactions"][0]["response"]["matchingRules"]["body"]["$.id"] = {"matchers": [{"match": "integer"}]}

    problems = verified(provider, credentials, tmp_path, broken)

    assert any(problem.startswith("$.id") for problem in problems), problems


def test_a_state_that_fails_is_a_problem(provider: Provider, credentials: Credentials, tmp_path: Path) -> None:
    broken = json.loads(json.dumps(PACT))
    broken["interactions"][0]["providerStates"] = [{"name": "something else"}]

    assert "no state something else" in verified(provider, credentials, tmp_path, broken)
