"""`/_harness/events`: the events of a bus, for the landscape's owner alone."""

import hmac
import json
from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import quote

import pytest

from harness.bus.memory import MemoryStore
from harness.bus.store import Record
from harness.local import operator
from harness.local.operator import Operator, operator_token
from harness.local.owner_routes import event_routes
from harness.storage.held import StoreUnavailable
from harness.wire import bus_arn
from tests.local.asgi import WORKBENCH, Exchange

pytestmark = pytest.mark.anyio

BUS = bus_arn("eu-west-1", "333333333333", "enterprise")
TOKEN = operator_token(bytes(32))
OWNER = (("authorization", f"Bearer {TOKEN}"),)
EVENTS = f"/_harness/events?bus={BUS}"
KEPT = f"{EVENTS}&from=start&follow=0"
TAIL = f"{EVENTS}&follow=1"


class ObservedStore(MemoryStore):
    """Counts tails that are open."""

    open_tails = 0

    async def tail(self, bus: str, *, from_start: bool) -> AsyncGenerator[bytes, None]:
        self.open_tails += 1
        try:
            async for body in super().tail(bus, from_start=from_start):
                yield body
        finally:
            self.open_tails -= 1


@pytest.fixture
async def store() -> ObservedStore:
    made = ObservedStore()
    await made.prepare([BUS])
    return made


async def edge(scope: Any, receive: Any, send: Any) -> None:
    """Stands for the gateway: 418 for whatever comes through."""
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"the edge"})


@pytest.fixture
def app(store: ObservedStore) -> Operator:
    return Operator(edge, event_routes(store, lambda: [BUS]), token=TOKEN, addresses=[WORKBENCH])


async def publish(store: MemoryStore, *names: str) -> None:
    events = [{"id": name, "detail-type": name.split("-")[0], "detail": {}} for name in names]
    await store.publish(BUS, [Record(str(event["id"]), json.dumps(event).encode()) for event in events])


def shown(exchange: Exchange) -> list[str]:
    return [json.loads(line)["id"] for line in exchange.body.splitlines()]


class TestWho:
    @pytest.mark.parametrize(
        "headers",
        [
            pytest.param((), id="no token"),
            pytest.param((("authorization", "Bearer " + "0" * 64),), id="another token"),
            pytest.param((("authorization", f"Bearer {TOKEN[:-1]}"),), id="a token that is cut short"),
            pytest.param((("authorization", f"Bearer {TOKEN}0"),), id="a token with something after it"),
            pytest.param((("authorization", f"bearer {TOKEN}"),), id="another scheme"),
            pytest.param((("authorization", TOKEN),), id="no scheme"),
            pytest.param((("authorization", "Bearer ü"),), id="a token outside of ASCII"),
            pytest.param((("x-authorization", f"Bearer {TOKEN}"),), id="the token in another header"),
            pytest.param((("authorization", "x"), *OWNER), id="the token in a second header"),
        ],
    )
    async def test_without_the_owners_token_is_refused_and_shown_nothing(
        self, app: Operator, store: ObservedStore, headers: tuple[tuple[str, str], ...]
    ) -> None:
        await publish(store, "A-1")

        refused = await Exchange(app, KEPT, headers=headers).end()

        assert (refused.status, json.loads(refused.body)) == (403, {"message": "Forbidden"})

    async def test_the_token_is_compared_in_constant_time(self, app: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
        compared: list[tuple[bytes, bytes]] = []

        class Watched:
            @staticmethod
            def compare_digest(one: bytes, other: bytes) -> bool:
                compared.append((one, other))
                return hmac.compare_digest(one, other)

        monkeypatch.setattr(operator, "hmac", Watched)

        await Exchange(app, KEPT, headers=(("authorization", "Bearer wrong"),)).end()

        assert compared == [(b"Bearer wrong", f"Bearer {TOKEN}".encode())]

    @pytest.mark.parametrize(
        "server",
        [
            pytest.param(("127.0.0.1", 4567), id="the public internet"),
            pytest.param(("10.0.0.1", 4566), id="the workbench's port on another address"),
        ],
    )
    async def test_only_the_workbench_has_it(self, app: Operator, server: tuple[str, int]) -> None:
        answer = await Exchange(app, KEPT, headers=OWNER, server=server).end()

        assert answer.status == 418

    @pytest.mark.parametrize("path", ["/_harness/event", "/_harness/events/", "/v2/orders", "/"])
    async def test_every_other_path_is_the_edges(self, app: Operator, path: str) -> None:
        assert (await Exchange(app, path, headers=OWNER).end()).status == 418

    async def test_the_token_is_not_the_key_it_comes_from(self) -> None:
        assert operator_token(bytes(32)) != operator_token(b"\1" * 32)
        assert bytes(32).hex() not in operator_token(bytes(32))


class TestQuestion:
    @pytest.mark.parametrize(
        ("query", "words"),
        [
            pytest.param("bus=nowhere", "unknown bus nowhere", id="an unknown bus"),
            pytest.param("follow=0", "unknown bus", id="no bus"),
            pytest.param(f"bus={BUS}&pattern=" + quote("{"), "Filter is not valid JSON", id="no JSON"),
            pytest.param(f"bus={BUS}&pattern=" + quote('{"a":"b"}'), "must be", id="no pattern"),
            pytest.param(f"bus={BUS}&follow=1&pattern=" + quote('{"id":[{"prefx":"A"}]}'), "prefx", id="no matcher"),
        ],
    )
    async def test_that_makes_no_sense_is_told_why(self, app: Operator, query: str, words: str) -> None:
        answer = await Exchange(app, f"/_harness/events?{query}", headers=OWNER).end()

        assert answer.status == 400
        assert words in json.loads(answer.body)["message"]

    async def test_is_asked_by_get_alone(self, app: Operator) -> None:
        assert (await Exchange(app, KEPT, method="POST", headers=OWNER).end()).status == 405


class TestWhatIsKept:
    async def test_is_shown_to_its_end_in_order(self, app: Operator, store: ObservedStore) -> None:
        await publish(store, "A-1", "B-2", "A-3")

        answer = await Exchange(app, KEPT, headers=OWNER).end()

        assert (answer.status, answer.ended, shown(answer)) == (200, True, ["A-1", "B-2", "A-3"])

    async def test_may_be_narrowed_by_a_pattern(self, app: Operator, store: ObservedStore) -> None:
        await publish(store, "A-1", "B-2", "A-3")
        pattern = quote('{"detail-type": ["A"]}')

        answer = await Exchange(app, f"{KEPT}&pattern={pattern}", headers=OWNER).end()

        assert shown(answer) == ["A-1", "A-3"]

    async def test_may_be_nothing(self, app: Operator) -> None:
        answer = await Exchange(app, KEPT, headers=OWNER).end()

        assert (answer.status, answer.ended, answer.body) == (200, True, b"")

    async def test_is_read_to_its_end_though_some_is_forgotten_meanwhile(self) -> None:
        class ForgetfulStore(MemoryStore):
            """Trims its oldest events while they are read."""

            async def kept(self, bus: str) -> AsyncGenerator[bytes, None]:
                async for body in super().kept(bus):
                    await self.trim(bus)
                    yield body

            async def trim(self, bus: str) -> None:
                del self._buses[bus].history[:1]

        store = ForgetfulStore()
        await store.prepare([BUS])
        await publish(store, *(f"A-{number}" for number in range(50)))
        app = Operator(edge, event_routes(store, lambda: [BUS]), token=TOKEN, addresses=[WORKBENCH])

        answer = await Exchange(app, KEPT, headers=OWNER).end()

        assert answer.ended
        assert len(shown(answer)) == 50


class TestTail:
    async def test_shows_what_comes_from_now_on(self, app: Operator, store: ObservedStore) -> None:
        await publish(store, "A-1")
        exchange = Exchange(app, f"{TAIL}&from=start", headers=OWNER)
        await exchange.until(lines=1)

        await publish(store, "A-2")
        await exchange.until(lines=2)

        assert shown(exchange) == ["A-1", "A-2"]
        assert not exchange.ended
        exchange.disconnect()
        await exchange.end()

    async def test_ends_with_the_client_and_leaves_nothing_open(self, app: Operator, store: ObservedStore) -> None:
        exchange = Exchange(app, f"{TAIL}&from=start", headers=OWNER)
        await publish(store, "A-1")
        await exchange.until(lines=1)
        assert store.open_tails == 1

        exchange.disconnect()
        await exchange.end()

        assert store.open_tails == 0

    async def test_breaks_off_when_the_store_does(self) -> None:
        class BrokenStore(ObservedStore):
            async def tail(self, bus: str, *, from_start: bool) -> AsyncGenerator[bytes, None]:
                yield b'{"id": "A-1"}'
                raise StoreUnavailable("gone")

        store = BrokenStore()
        await store.prepare([BUS])
        app = Operator(edge, event_routes(store, lambda: [BUS]), token=TOKEN, addresses=[WORKBENCH])
        exchange = Exchange(app, TAIL, headers=OWNER)

        with pytest.raises(StoreUnavailable):
            await exchange.end()

        # The client must not take the part for the whole.
        assert not exchange.ended
