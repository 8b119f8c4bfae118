"""What leaves is what was signed."""

import pytest
import requests

from harness import wire
from harness.identity import Credentials
from harness.sigv4 import read_authorization, verify
from harness.sigv4.model import Presented
from harness.verify.signing import signed_session
from tests.verify.conftest import NOON, Provider


def verified(provider: Provider, secret: str = "secret") -> bool:
    """Whether the last request, as it arrived, carries a valid signature."""
    method, target, headers, body = provider.requests[-1]
    path, _, query = target.partition("?")
    request = wire.HttpRequest(
        method=method,
        raw_path=path.encode(),
        raw_query=query.encode(),
        headers=[(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        body=body,
    )
    presented = read_authorization(request)
    assert isinstance(presented, Presented)
    return verify(request, presented, secret) is None


@pytest.mark.parametrize(
    "target",
    [
        pytest.param("/v1/things", id="a plain path"),
        pytest.param("/v1/things/a%20b", id="a space in the path"),
        pytest.param("/v1/things?q=a b", id="a space in the query"),
        pytest.param("/v1/things?q=a%2Bb", id="a plus in the query"),
        pytest.param("/v1/things?b=2&a=1&a=0&c", id="repeated, unsorted and empty parameters"),
        pytest.param("/v1/things?q=é", id="text beyond ASCII"),
    ],
)
def test_the_signature_holds_for_what_arrives(target: str, provider: Provider, credentials: Credentials) -> None:
    session = signed_session("things", lambda: credentials, region="eu-west-1", now=lambda: NOON)

    session.get(provider.url + target, timeout=60)

    assert verified(provider)


def test_a_space_in_the_query_leaves_as_percent_20(provider: Provider, credentials: Credentials) -> None:
    session = signed_session("things", lambda: credentials, region="eu-west-1", now=lambda: NOON)

    session.get(provider.url + "/v1/things", params={"q": "a b"}, timeout=60)

    assert provider.requests[-1][1] == "/v1/things?q=a%20b"
    assert verified(provider)


def test_a_body_is_covered(provider: Provider, credentials: Credentials) -> None:
    session = signed_session("things", lambda: credentials, region="eu-west-1", now=lambda: NOON)
    session.post(provider.url + "/v1/things", json={"size": 3}, timeout=60)
    method, target, headers, body = provider.requests[-1]
    assert verified(provider)

    provider.requests.append((method, target, headers, body.replace(b"3", b"4")))

    assert not verified(provider)


def test_the_api_is_named_by_a_signed_header(provider: Provider, credentials: Credentials) -> None:
    session = signed_session("things", lambda: credentials, region="eu-west-1", now=lambda: NOON)

    session.get(provider.url + "/v1/things", timeout=60)

    headers = {name.lower(): value for name, value in provider.requests[-1][2].items()}
    assert headers["x-apigw-api-id"] == "things"
    assert "x-apigw-api-id" in headers["authorization"]


def test_a_streamed_body_is_refused_before_it_is_sent(provider: Provider, credentials: Credentials) -> None:
    session = signed_session("things", lambda: credentials, region="eu-west-1", now=lambda: NOON)

    with pytest.raises(TypeError, match="streamed body"):
        session.post(provider.url + "/v1/things", data=iter([b"x"]), timeout=60)

    assert provider.requests == []


def test_rotated_credentials_are_used_for_the_next_request(provider: Provider, credentials: Credentials) -> None:
    rotating = [credentials, Credentials("ASIAOTHER", "second secret", "token 2", credentials.expiration)]
    session: requests.Session = signed_session("things", lambda: rotating.pop(0), region="eu-west-1", now=lambda: NOON)
    session.get(provider.url + "/v1/things", timeout=60)
    assert verified(provider)

    session.get(provider.url + "/v1/things", timeout=60)

    assert verified(provider, secret="second secret")
