"""Provider states: mistakes in the file, calls that are refused, values that are captured."""

from typing import Any

import pytest
import requests

from harness.errors import InputError
from harness.verify.provider_states import StateError, reach, read_states
from tests.verify.conftest import Provider

GOOD = """
a thing exists:
  - api: things
    request: POST /v1/things
    body: {size: 7}
    capture: {thingId: /id}
"""


def reached(provider: Provider, text: str, name: str) -> dict[str, Any]:
    states = read_states(text, file="states.yaml")
    return reach(name, states, session_for=lambda api: requests.Session(), base_url=provider.url)


def test_the_calls_are_made_and_values_captured(provider: Provider) -> None:
    assert reached(provider, GOOD, "a thing exists") == {"thingId": "a"}
    assert [(method, target) for method, target, _, _ in provider.requests] == [("POST", "/v1/things")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("a: [b", "states.yaml:1: not YAML", id="no YAML"),
        pytest.param("- a", "must map each state's name", id="a list"),
        pytest.param("a: [{api: b, request: GET /c, bdy: 1}]", 'unknown key "bdy" (did you mean "body"?)', id="typo"),
        pytest.param("a: [{request: GET /c}]", "`api` must name the API", id="no api"),
        pytest.param("a: [{api: b}]", "`request` must be a method and a path", id="no request"),
        pytest.param("a: [{api: b, request: get c}]", "`request` must be a method and a path", id="half a request"),
        pytest.param("a: [{api: b, request: GET /c, capture: 1}]", "are mappings", id="capture of a wrong type"),
    ],
)
def test_a_mistake_in_the_file_is_told(text: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        read_states(text, file="states.yaml")

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "state", "said"),
    [
        pytest.param(GOOD, "a thing exist", 'did you mean "a thing exists"?', id="an unknown state"),
        pytest.param(GOOD.replace("7", "700"), "a thing exists", "answered 400", id="a call that is refused"),
        pytest.param(GOOD.replace("/id", "/key"), "a thing exists", "nothing at /key", id="a value that is not there"),
    ],
)
def test_a_state_that_cannot_be_reached_says_why(text: str, state: str, said: str, provider: Provider) -> None:
    with pytest.raises(StateError) as failed:
        reached(provider, text, state)

    assert said in str(failed.value)
