"""Signatures of the kit's client, checked by the verifier of the gateway: what is sent is what was signed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.session import Session

from harness.sigv4 import Fault, read_authorization, verify
from harness.wire import HttpRequest
from kit.credentials import CredentialsMissing, DefaultChain
from kit.signing import SigV4

SECRET = "not-a-secret"


class Chain(DefaultChain):
    """A default chain that finds `credentials`."""

    def __init__(self, credentials: Any) -> None:
        session = Session()
        session.get_credentials = lambda: credentials
        super().__init__(session)


def sent(method: str, path: str, credentials: Any = None, **more: Any) -> HttpRequest:
    """The request as it reaches the other side."""
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(200)

    chain = Chain(credentials or Credentials("ASIAEXAMPLEEXAMPLE00", SECRET, "a-token"))
    with httpx2.Client(
        auth=SigV4(chain, region="eu-west-1"),
        transport=httpx2.MockTransport(answer),
        base_url="http://127.0.0.1:4570",
    ) as client:
        client.request(method, path, **more)
    (request,) = seen
    raw_path, _, raw_query = request.url.raw_path.partition(b"?")
    headers = [(name.lower(), value) for name, value in request.headers.raw]
    return HttpRequest(request.method, raw_path, raw_query, headers, request.content)


def fault_of(request: HttpRequest, secret: str = SECRET) -> Fault | None:
    presented = read_authorization(request)
    assert not isinstance(presented, Fault), presented
    return verify(request, presented, secret)


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("GET", "/v1/items/chair-oak", {}),
        ("GET", "/v1/items", {"params": {"limit": "5", "cursor": "AAAAAAAB"}}),
        ("GET", "/v1/items", {"params": {"q": "a b+c&d=e/ä", "empty": ""}}),
        ("GET", "/v1/items/a%20b/c%2Fd", {}),
        ("PUT", "/v1/items/chair-oak", {"json": {"onHand": 5}}),
        ("POST", "/v1/items", {"content": b"\x00\xff", "headers": {"Content-Type": "application/octet-stream"}}),
    ],
    ids=[
        "a plain path",
        "a query",
        "a query that needs encoding",
        "an encoded path",
        "a body of JSON",
        "a body of bytes",
    ],
)
def test_the_gateway_accepts_what_was_sent(method: str, path: str, more: dict[str, Any]) -> None:
    assert fault_of(sent(method, path, **more)) is None


def test_a_space_in_a_query_is_sent_as_percent_20() -> None:
    assert sent("GET", "/v1/items", params={"q": "a b"}).raw_query == b"q=a%20b"


def test_another_secret_is_refused() -> None:
    assert fault_of(sent("GET", "/v1/items"), "another-secret") is not None


def test_a_changed_body_is_refused() -> None:
    request = sent("PUT", "/v1/items/chair-oak", json={"onHand": 5})
    changed = HttpRequest(request.method, request.raw_path, request.raw_query, request.headers, b'{"onHand":6}')
    assert fault_of(changed) is not None


def test_the_session_token_is_sent() -> None:
    assert sent("GET", "/v1/items").header(b"x-amz-security-token") == b"a-token"


def test_credentials_that_have_run_out_are_fetched_anew() -> None:
    issued: list[str] = []

    def issue(seconds: int) -> dict[str, str]:
        issued.append(f"ASIAEXAMPLEEXAMPLE{len(issued):02}")
        expires = datetime.now(UTC) + timedelta(seconds=seconds)
        return {
            "access_key": issued[-1],
            "secret_key": SECRET,
            "token": "a-token",
            "expiry_time": expires.isoformat(),
        }

    rotating = RefreshableCredentials.create_from_metadata(issue(1), lambda: issue(3600), "tests")
    request = sent("GET", "/v1/items", rotating)
    assert issued[-1].encode() in (request.header(b"authorization") or b"")
    assert issued[-1] != issued[0]
    assert fault_of(request) is None


def test_no_credentials_are_an_error_of_their_own() -> None:
    session = Session()
    session.get_credentials = lambda: None
    with pytest.raises(CredentialsMissing):
        DefaultChain(session).current()
