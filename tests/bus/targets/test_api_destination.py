"""API destinations over real HTTPS: credentials, what is tried again, and what never leaves a secret behind."""

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest

from harness.access import Authority
from harness.bus.catalogue import Catalogue
from harness.bus.documents import (
    api_destination_arn,
    api_destination_key,
    connection_arn,
    connection_key,
    seal_secret,
    secret_key,
)
from harness.bus.faults import Patience
from harness.bus.model import Rule, Target
from harness.bus.routes import Route, routes_of
from harness.bus.store import Delivery
from harness.bus.targets import credentials
from harness.bus.targets.api_destination import ApiDestinationDelivery, Pace, judged, retry_after
from harness.bus.targets.authorizer import Authorizer
from harness.bus.targets.credentials import Tokens
from harness.bus.targets.roles import Roles
from harness.http_client import Answer, HttpClient
from harness.identity import Directory, SecretBox
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from harness.storage.state import Key
from harness.wire import bus_arn
from tests.bus.https_endpoint import Certificates, Endpoint, an_answer, certificates, running
from tests.bus.targets.test_targets import FORWARDER, PLATFORM, WEAK, a_role

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
BOX = SecretBox(bytes(range(32)))
INVOKER = a_role("invoker", may="events:InvokeApiDestination")
DIRECTORY = Directory("eu-west-1", "o-acme", {PLATFORM: "platform"}, {r.arn: r for r in (INVOKER, WEAK, FORWARDER)})
DELIVERY = Delivery("id-1", "key", b'{"order":17}', NOON, "Root=1-2", event=b'{"id":"id-1"}')
HOOK = api_destination_arn("eu-west-1", PLATFORM, "hook", "d-1")
BASIC = {"BasicAuthParameters": {"Username": "me", "Password": "hunter2"}}
API_KEY = {"ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "hunter2"}}


def oauth(url: str, **more: Any) -> dict[str, Any]:
    client = {"ClientID": "me", "ClientSecret": "hunter2"}
    return {
        "OAuthParameters": {
            "ClientParameters": client,
            "AuthorizationEndpoint": f"{url}/token?tenant=t-1",
            "HttpMethod": "POST",
            **more,
        }
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("certificates"))


@dataclass
class World:
    """A destination `hook` with a connection `to-hook`, and what they answer."""

    endpoint: Endpoint
    replica: Replica
    deliver: ApiDestinationDelivery
    tokens: Tokens
    clock: list[float] = field(default_factory=lambda: [0.0])

    async def set(
        self, parameters: Mapping[str, Any] = BASIC, *, kind: str = "BASIC", state: str = "AUTHORIZED", **more: Any
    ) -> None:
        key = secret_key(PLATFORM, "s-1")
        await self.replica.put(key, seal_secret(BOX, key, parameters))
        connection = {"Id": "c-1", "AuthorizationType": kind, "Secret": "s-1", "ConnectionState": state}
        await self.replica.put(connection_key(PLATFORM, "to-hook"), orjson.dumps(connection))
        destination = {
            "Id": "d-1",
            "ConnectionArn": connection_arn("eu-west-1", PLATFORM, "to-hook", "c-1"),
            "InvocationEndpoint": f"{self.endpoint.url}/in",
            "HttpMethod": "POST",
            **more,
        }
        await self.replica.put(api_destination_key(PLATFORM, "hook"), orjson.dumps(destination))

    async def state(self) -> dict[str, Any]:
        entry = self.replica.get(connection_key(PLATFORM, "to-hook"))
        assert entry is not None
        document: dict[str, Any] = orjson.loads(entry.value)
        return document


@asynccontextmanager
async def a_world(made: Certificates, *answers: bytes, timeout: float = 60) -> AsyncIterator[World]:
    client = HttpClient(tls=ssl.create_default_context(cafile=str(made.authority)))
    endpoint = Endpoint(list(answers) or [an_answer()])
    clock = [0.0]
    async with running(endpoint, made), Replica(MemoryState()).running() as replica:
        tokens = Tokens(client, time=lambda: clock[0])
        catalogue = Catalogue(replica, region="eu-west-1", accounts=[PLATFORM])
        roles = Roles(Authority(DIRECTORY, None))
        deliver = ApiDestinationDelivery(client, catalogue, roles, BOX, tokens, timeout=timeout)
        yield World(endpoint, replica, deliver, tokens, clock)
        await client.close()


def a_route(arn: str = HOOK, *, role: str = INVOKER.arn, **settings: Any) -> Route:
    target = Target("t", arn, role_arn=role, settings=settings)
    rule = Rule("hooked", bus_arn("eu-west-1", PLATFORM, "enterprise"), PLATFORM, None, (target,))
    (route,) = routes_of(rule)
    return route


async def test_an_event_is_sent_with_the_headers_of_the_service(made: Certificates) -> None:
    async with a_world(made) as world:
        await world.set()
        assert await world.deliver(a_route(HttpParameters={"HeaderParameters": {"X-Id": "$.id"}}), DELIVERY) is None
    (sent,) = world.endpoint.requests
    assert sent.line == "POST /in HTTP/1.1"
    assert sent.body == b'{"order":17}'
    assert sent.headers == {
        "host": world.endpoint.url.removeprefix("https://"),
        "content-length": "12",
        "User-Agent": "Amazon/EventBridge/ApiDestinations",
        "Range": "bytes=0-1048575",
        "Content-Type": "application/json; charset=utf-8",
        "Accept-Encoding": "gzip,deflate",
        "X-Id": "id-1",
        "X-Amzn-Trace-Id": "Root=1-2",
        "Authorization": "Basic bWU6aHVudGVyMg==",
    }


async def test_an_api_key_is_a_header(made: Certificates) -> None:
    async with a_world(made) as world:
        await world.set(API_KEY, kind="API_KEY")
        assert await world.deliver(a_route(), DELIVERY) is None
    assert world.endpoint.requests[0].headers["X-Key"] == "hunter2"


TOKEN = an_answer(body=b'{"access_token":"t-1","token_type":"bearer","expires_in":3600}')
TOKEN_2 = an_answer(body=b'{"access_token":"t-2","expires_in":3600}')


async def test_a_token_is_got_once_and_used_again(made: Certificates) -> None:
    async with a_world(made, TOKEN, an_answer()) as world:
        more = {"OAuthHttpParameters": {"BodyParameters": [{"Key": "scope", "Value": "in"}]}}
        await world.set(oauth(world.endpoint.url, **more), kind="OAUTH_CLIENT_CREDENTIALS")
        assert await asyncio.gather(*(world.deliver(a_route(), DELIVERY) for _ in range(5))) == [None] * 5
    asked, *sent = world.endpoint.requests
    assert asked.line == "POST /token?tenant=t-1 HTTP/1.1"
    assert asked.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(asked.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["me"],
        "client_secret": ["hunter2"],
        "scope": ["in"],
    }
    assert [each.headers["Authorization"] for each in sent] == ["Bearer t-1"] * 5


async def test_tokens_of_connections_without_number_take_no_room_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "MOST_TOKENS", 2)
    client = HttpClient()
    tokens = Tokens(client, time=time.monotonic)
    for number in range(5):
        await tokens.credentials(f"s-{number}", "OAUTH_CLIENT_CREDENTIALS", oauth("http://127.0.0.1:1"))
    assert tokens.remembered == 2
    await client.close()


async def test_a_token_is_renewed_before_it_ends(made: Certificates) -> None:
    async with a_world(made, TOKEN, an_answer(), TOKEN_2, an_answer()) as world:
        await world.set(oauth(world.endpoint.url), kind="OAUTH_CLIENT_CREDENTIALS")
        await world.deliver(a_route(), DELIVERY)
        world.clock[0] = 3541
        await world.deliver(a_route(), DELIVERY)
    assert world.endpoint.requests[-1].headers["Authorization"] == "Bearer t-2"


@pytest.mark.parametrize("status", ["401 Unauthorized", "407 Proxy Authentication Required"])
async def test_a_token_that_is_refused_is_renewed_at_the_next_attempt(made: Certificates, status: str) -> None:
    async with a_world(made, TOKEN, an_answer(), an_answer(status), TOKEN_2, an_answer()) as world:
        await world.set(oauth(world.endpoint.url), kind="OAUTH_CLIENT_CREDENTIALS")
        outcomes = [await world.deliver(a_route(), DELIVERY) for _ in range(3)]
    assert outcomes[1] is not None
    assert [outcomes[0], outcomes[1].retryable, outcomes[2]] == [None, True, None]
    assert world.endpoint.requests[-1].headers["Authorization"] == "Bearer t-2"


async def test_a_new_token_that_is_refused_ends_the_attempts(made: Certificates) -> None:
    async with a_world(made, TOKEN, an_answer("401 Unauthorized")) as world:
        await world.set(oauth(world.endpoint.url), kind="OAUTH_CLIENT_CREDENTIALS")
        failure = await world.deliver(a_route(), DELIVERY)
    assert failure is not None
    assert not failure.retryable


TOKEN_REFUSALS = {
    "an authorization endpoint that refuses": (an_answer("400 Bad Request"), "NO_PERMISSIONS", False),
    "an authorization endpoint that fails": (an_answer("503 Unavailable"), "ERROR_FROM_TARGET", True),
    "an authorization endpoint that says nothing": (an_answer(), "NO_PERMISSIONS", False),
    "a token with a line break": (an_answer(body=b'{"access_token":"a\\r\\nb"}'), "NO_PERMISSIONS", False),
    "a token that is no text": (an_answer(body=b'{"access_token":17}'), "NO_PERMISSIONS", False),
    "a list": (an_answer(body=b"[]"), "NO_PERMISSIONS", False),
}


@pytest.mark.parametrize(("answer", "code", "again"), TOKEN_REFUSALS.values(), ids=TOKEN_REFUSALS)
async def test_no_token(made: Certificates, answer: bytes, code: str, again: bool) -> None:
    async with a_world(made, answer) as world:
        await world.set(oauth(world.endpoint.url), kind="OAUTH_CLIENT_CREDENTIALS")
        failure = await world.deliver(a_route(), DELIVERY)
    assert failure is not None
    assert (failure.code, failure.retryable) == (code, again)
    assert "tenant" not in failure.message
    assert len(world.endpoint.requests) == 1


async def test_the_form_of_a_token_may_be_json_or_a_query(made: Certificates) -> None:
    headers = {"OAuthHttpParameters": {"HeaderParameters": [{"Key": "content-type", "Value": "application/json"}]}}
    async with a_world(made, TOKEN, an_answer()) as world:
        await world.set(oauth(world.endpoint.url, **headers), kind="OAUTH_CLIENT_CREDENTIALS")
        await world.deliver(a_route(), DELIVERY)
    assert orjson.loads(world.endpoint.requests[0].body)["client_secret"] == "hunter2"
    async with a_world(made, TOKEN, an_answer()) as world:
        await world.set(oauth(world.endpoint.url, HttpMethod="GET"), kind="OAUTH_CLIENT_CREDENTIALS")
        await world.deliver(a_route(), DELIVERY)
    assert "client_secret=hunter2" in world.endpoint.requests[0].line
    assert world.endpoint.requests[0].body == b""


Arranged = Callable[[World], Any]
UNUSABLE: dict[str, tuple[Arranged, Route, str]] = {
    "a destination that is gone": (
        lambda world: world.replica.delete(api_destination_key(PLATFORM, "hook")),
        a_route(),
        "NO_RESOURCE",
    ),
    "another destination of the same name": (lambda world: world.set(Id="d-2"), a_route(), "NO_RESOURCE"),
    "a connection that is gone": (
        lambda world: world.replica.delete(connection_key(PLATFORM, "to-hook")),
        a_route(),
        "NO_RESOURCE",
    ),
    "a connection that is deauthorized": (lambda world: world.set(state="DEAUTHORIZED"), a_route(), "NO_PERMISSIONS"),
    "a secret of another place": (
        lambda world: world.replica.put(secret_key(PLATFORM, "s-1"), seal_secret(BOX, ("elsewhere",), BASIC)),
        a_route(),
        "NO_PERMISSIONS",
    ),
    "plain http": (
        lambda world: world.set(InvocationEndpoint="http://127.0.0.1:1/in"),
        a_route(),
        "INVALID_PARAMETER",
    ),
    "no role": (lambda world: world.set(), a_route(role=""), "NO_PERMISSIONS"),
    "a role that may not invoke": (lambda world: world.set(), a_route(role=WEAK.arn), "NO_PERMISSIONS"),
    "a path parameter too few": (
        lambda world: world.set(InvocationEndpoint="https://h/*"),
        a_route(),
        "INVALID_PARAMETER",
    ),
}


@pytest.mark.parametrize(("arrange", "route", "code"), UNUSABLE.values(), ids=UNUSABLE)
async def test_it_is_refused_for_good_and_nothing_is_sent(
    made: Certificates, arrange: Arranged, route: Route, code: str
) -> None:
    async with a_world(made) as world:
        await world.set()
        await arrange(world)
        failure = await world.deliver(route, DELIVERY)
    assert failure is not None
    assert (failure.code, failure.retryable, world.endpoint.requests) == (code, False, [])


async def test_an_endpoint_that_does_not_answer_times_out(made: Certificates) -> None:
    async with a_world(made, b"", timeout=0.2) as world:
        await world.set()
        failure = await world.deliver(a_route(), DELIVERY)
    assert failure is not None
    assert (failure.code, failure.retryable) == ("TIMEOUT", True)


async def test_a_certificate_that_nobody_vouches_for_is_a_connection_failure(made: Certificates) -> None:
    async with a_world(made) as world:
        await world.set()
        world.deliver._client._tls = ssl.create_default_context()
        failure = await world.deliver(a_route(), DELIVERY)
    assert failure is not None
    assert (failure.code, failure.retryable, world.endpoint.requests) == ("CONNECTION_FAILURE", True, [])


async def test_a_head_is_answered_without_a_body(made: Certificates) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n"
    async with a_world(made, head) as world:
        await world.set(HttpMethod="HEAD")
        assert await world.deliver(a_route(), DELIVERY) is None
    assert world.endpoint.requests[0].line == "HEAD /in HTTP/1.1"


async def test_no_secret_is_told_to_anybody(made: Certificates, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    query = {"InvocationHttpParameters": {"QueryStringParameters": [{"Key": "key", "Value": "hunter2"}]}}
    said = []
    for answers in ([an_answer("500 No")], [an_answer("403 No")], [b"SMTP ready\r\n\r\n"]):
        async with a_world(made, *answers) as world:
            await world.set({**BASIC, **query})
            said.append(str(await world.deliver(a_route(), DELIVERY)))
            said.append(repr(world.tokens))
            entry = world.replica.get(secret_key(PLATFORM, "s-1"))
            assert entry is not None
            assert b"hunter2" not in entry.value
    assert "hunter2" in world.endpoint.requests[0].line
    assert "hunter2" not in caplog.text + "".join(said)


JUDGED = {
    "taken": (200, "", None),
    "taken later": (202, "", None),
    "moved": (301, "", ("ERROR_FROM_TARGET", False, 0)),
    "a bad request": (400, "", ("ERROR_FROM_TARGET", False, 0)),
    "not there": (404, "", ("ERROR_FROM_TARGET", False, 0)),
    "a conflict": (409, "", ("ERROR_FROM_TARGET", False, 0)),
    "too many": (429, "", ("THROTTLING", True, 0)),
    "too many, for a while": (429, "120", ("THROTTLING", True, 120)),
    "broken": (500, "", ("ERROR_FROM_TARGET", True, 0)),
    "broken until a date": (503, "Thu, 15 Jan 2026 12:00:30 GMT", ("ERROR_FROM_TARGET", True, 30)),
    "never again": (503, "-1", ("ERROR_FROM_TARGET", False, 0)),
}


async def test_an_endpoint_that_no_dns_can_hold_is_a_failure(made: Certificates) -> None:
    async with a_world(made) as world:
        await world.set(InvocationEndpoint="https://a..b/in")
        failure = await world.deliver(a_route(), DELIVERY)
    assert failure is not None
    assert failure.code == "CONNECTION_FAILURE"


@pytest.mark.parametrize(("status", "after", "wanted"), JUDGED.values(), ids=JUDGED)
def test_an_answer_is_judged(status: int, after: str, wanted: tuple[str, bool, float] | None) -> None:
    failure = judged(Answer(status, {"retry-after": after} if after else {}, b""), "https://h", NOON)
    assert wanted == (None if failure is None else (failure.code, failure.retryable, failure.not_before))


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("", 0),
        ("soon", 0),
        ("1.5", 0),
        ("-", 0),
        ("--1", 0),
        ("٣", 0),
        ("9" * 5000, 999999999999),
        ("Thu, 15 Jan 2026 11:00:00 GMT", 0),
        ("Thu, 15 Jan 99999999999999999999 11:00:00 GMT", 0),
        ("Thu, 15 Jan 2026 11:00:00 +99999999999999", 0),
    ],
)
def test_a_retry_after_may_say_anything(value: str, seconds: float) -> None:
    assert retry_after(value, NOON) == seconds


async def test_a_rate_is_kept() -> None:
    begun = time.monotonic()
    pace = Pace(time.monotonic)
    await asyncio.gather(*(pace.wait("a", 100) for _ in range(21)), *(pace.wait("b", 1) for _ in range(1)))
    assert time.monotonic() - begun >= 0.2


async def authorized(made: Certificates, *answers: bytes) -> tuple[World, dict[str, Any]]:
    async with a_world(made, *answers) as world:
        await world.set(oauth(world.endpoint.url), kind="OAUTH_CLIENT_CREDENTIALS", state="AUTHORIZING")
        stop = asyncio.Event()
        authorizer = Authorizer(world.replica, BOX, world.tokens, clock=lambda: NOON + timedelta(hours=1))
        running_ = asyncio.create_task(authorizer.run(stop))
        async with asyncio.timeout(60):
            while (await world.state())["ConnectionState"] == "AUTHORIZING":  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            stop.set()
            await running_
        return world, await world.state()


async def test_a_connection_is_authorized_with_its_first_token(made: Certificates) -> None:
    _, state = await authorized(made, TOKEN)
    assert state["ConnectionState"] == "AUTHORIZED"
    assert state["LastAuthorizedTime"] == (NOON + timedelta(hours=1)).timestamp()


async def test_a_connection_that_gets_no_token_is_deauthorized_and_says_why(made: Certificates) -> None:
    world, state = await authorized(made, an_answer("403 Forbidden"))
    assert state["ConnectionState"] == "DEAUTHORIZED"
    assert state["StateReason"] == f"the authorization endpoint {world.endpoint.url}/token answered 403"


async def a_connection(world: World, name: str, document: bytes, parameters: bytes | None = None) -> None:
    if parameters is not None:
        key = secret_key(PLATFORM, f"s-{name}")
        await world.replica.put(key, BOX.seal(parameters, place="/".join(key)))
    await world.replica.put(connection_key(PLATFORM, name), document)


def authorizing(name: str, **more: Any) -> bytes:
    kind = "OAUTH_CLIENT_CREDENTIALS"
    return orjson.dumps(
        {"AuthorizationType": kind, "Secret": f"s-{name}", "ConnectionState": "AUTHORIZING", "Id": "c", **more}
    )


BROKEN: dict[str, tuple[bytes, bytes | None]] = {
    "it is no JSON": (b"no JSON", None),
    "it is no object": (b"[]", None),
    "its secret has no id": (authorizing("broken", Secret=["s"]), None),
    "its secret is none of ours": (authorizing("broken"), b'"hunter2"'),
    "its secret has no client": (authorizing("broken"), b'{"OAuthParameters":{"hunter2":1}}'),
}


@pytest.mark.parametrize(("document", "parameters"), BROKEN.values(), ids=BROKEN)
async def test_a_connection_that_is_broken_holds_up_no_other_and_is_tried_once_it_is_mended(
    made: Certificates, document: bytes, parameters: bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_world(made, TOKEN) as world:
        await a_connection(world, "broken", document, parameters)
        good = orjson.dumps(oauth(world.endpoint.url))
        stop = asyncio.Event()
        patience: Patience[Key] = Patience(first=600, most=600)
        running_ = asyncio.create_task(Authorizer(world.replica, BOX, world.tokens, patience=patience).run(stop))

        async def state(name: str) -> str:
            async with asyncio.timeout(30):
                while True:
                    entry = world.replica.get(connection_key(PLATFORM, name))
                    assert entry is not None
                    if b"AUTHORIZED" in entry.value:
                        return str(orjson.loads(entry.value)["ConnectionState"])
                    await asyncio.sleep(0.01)

        await a_connection(world, "good", authorizing("good"), good)
        assert await state("good") == "AUTHORIZED"
        assert "broken cannot be authorized" in caplog.text
        await a_connection(world, "broken", authorizing("broken"), good)
        assert await state("broken") == "AUTHORIZED"
        stop.set()
        await running_
    assert "hunter2" not in caplog.text


async def test_an_endpoint_that_does_not_answer_holds_up_no_other_connection(made: Certificates) -> None:
    class Slow(Tokens):
        async def credentials(self, secret_id: str, kind: str, parameters: Any) -> Any:
            if secret_id == "s-slow":
                await asyncio.Event().wait()
            return await super().credentials(secret_id, kind, parameters)

    async with a_world(made, TOKEN) as world:
        tokens = Slow(HttpClient(), time=lambda: 0)
        for name in ("slow", "zero"):
            await a_connection(world, name, authorizing(name, AuthorizationType="BASIC"), orjson.dumps(BASIC))
        running_ = asyncio.create_task(Authorizer(world.replica, BOX, tokens).run(asyncio.Event()))
        async with asyncio.timeout(30):
            while b"AUTHORIZED" not in world.replica.below(connection_key(PLATFORM, "zero"))[0].value:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        running_.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running_
