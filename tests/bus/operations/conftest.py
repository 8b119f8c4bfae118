"""EventBridge's endpoint on loopback, asked by boto3: an empty state for each test, of either kind."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from harness.access import Authority
from harness.audit.recorder import Recorder
from harness.bus.api import EventsApi
from harness.bus.jetstream import JetStreamStore
from harness.bus.limits import Limits
from harness.bus.memory import MemoryStore
from harness.bus.model import Bus, Rule, Target
from harness.bus.operations.call import Desk
from harness.bus.patterns.pattern import compile_pattern
from harness.bus.store import Store
from harness.clock import utc_now
from harness.identity import Role
from harness.policy import PolicyKind
from harness.storage.connection import Connection
from harness.storage.jetstream_state import STREAM, JetStreamState
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from harness.storage.state import State
from harness.wire import Handler, HttpRequest, HttpResponse, NetworkPlace, function_arn
from tests.access.landscape import ENDPOINT, ORDERS, REGION, STOCK, a_directory, a_role, a_sealer, a_session, document
from tests.access.landscape import allow as allowing
from tests.bus.desks import a_desk
from tests.bus.endpoint import Loop, serving
from tests.storage.nats_server import NatsServer

ADMIN = a_role(ORDERS, "admin", allowing(["events:*", "iam:PassRole"]))
STOCK_ADMIN = a_role(STOCK, "stock-admin", allowing(["events:*", "iam:PassRole"]))
ROLES = {"admin": ADMIN, "stock": STOCK_ADMIN}

OPEN_TO_STOCK = document(
    PolicyKind.RESOURCE,
    {"Effect": "Allow", "Principal": {"AWS": STOCK}, "Action": "events:PutEvents", "Resource": "*"},
    name="enterprise.json",
)
ENTERPRISE = Bus(REGION, ORDERS, "enterprise", OPEN_TO_STOCK)
TO_STOCK = Rule(
    "to-stock",
    ENTERPRISE.arn,
    ORDERS,
    compile_pattern({"source": ["orders"]}),
    (Target("domain", function_arn(REGION, STOCK, "stock")),),
)
SESSION = boto3.Session()  # reads the service's model once
UNCHECKED = Config(retries={"total_max_attempts": 1}, parameter_validation=False)


class Bench:
    """One endpoint; `desk` is what is behind it now."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.sealer = a_sealer()
        self.url = ""
        self.desk: Desk
        self._api: Handler
        self._clients: dict[str, Any] = {}

    def take(
        self, state: State, store: Store, roles: Mapping[str, Role], limits: Limits, stack: AsyncExitStack
    ) -> None:
        async def start() -> Replica:
            return await stack.enter_async_context(Replica(state).running())

        authority = Authority(a_directory(*ROLES.values(), *roles.values()), self.sealer)
        self.desk = a_desk(
            authority, store, buses=[ENTERPRISE], rules=[TO_STOCK], replica=self.loop.run(start()), limits=limits
        )
        self._api = EventsApi(self.desk)

    def admit(self, role: Role) -> None:
        """One more role, from now on."""
        authority = self.desk.authority
        roles = {**authority.directory.roles, role.arn: role}
        known = Authority(replace(authority.directory, roles=roles), self.sealer)
        self.desk = replace(self.desk, authority=known)
        self._api = EventsApi(self.desk)

    def use(self, store: Store) -> None:
        """Another store, from now on."""
        self.desk = replace(self.desk, store=store)
        self._api = EventsApi(self.desk)

    @contextmanager
    def recording(self, recorder: Recorder, record: Callable[..., None]) -> Iterator[None]:
        """What is asked of policies meanwhile is recorded, as an edge does."""
        api = self._api

        async def recorded(request: HttpRequest, place: NetworkPlace) -> HttpResponse:
            with recorder.asking() as questions:
                answer = await api(request, place)
            record(request, place, answer, questions)
            return answer

        self._api = recorded
        yield
        self._api = api

    async def __call__(self, request: HttpRequest, place: NetworkPlace) -> HttpResponse:
        return await self._api(request, place)

    def client(self, role: Role = ADMIN) -> Any:
        """Sends whatever it is given: what is wrong with it is the endpoint's to say."""
        if role.arn not in self._clients or role not in ROLES.values():
            now = utc_now().replace(microsecond=0)
            credentials = self.sealer.issue(a_session(role, now=now, seconds=43_200))  # kept for the whole run
            self._clients[role.arn] = SESSION.client(
                "events",
                region_name=REGION,
                endpoint_url=self.url,
                config=UNCHECKED,
                aws_access_key_id=credentials.access_key_id,
                aws_secret_access_key=credentials.secret_access_key,
                aws_session_token=credentials.session_token,
            )
        return self._clients[role.arn]

    def ask(self, operation: str, parameters: Mapping[str, Any], role: Role = ADMIN) -> dict[str, Any]:
        """The answer without what HTTP adds."""
        answer: dict[str, Any] = getattr(self.client(role), xform_name(operation))(**parameters)
        del answer["ResponseMetadata"]
        return answer

    def refusal(self, operation: str, parameters: Mapping[str, Any], role: Role = ADMIN) -> tuple[str, str]:
        with pytest.raises(ClientError) as refused:
            self.ask(operation, parameters, role)
        error = refused.value.response["Error"]
        return error["Code"], error["Message"]


@pytest.fixture(scope="session")
def the_bench() -> Iterator[Bench]:
    loop = Loop()
    bench = Bench(loop)
    with serving(bench, ENDPOINT, loop) as bench.url:
        yield bench
    loop.close()


@pytest.fixture
def roles() -> Mapping[str, Role]:
    """More roles than the two administrators."""
    return {}


@pytest.fixture
def limits(request: pytest.FixtureRequest) -> Limits:
    """Those that a case names are lowered."""
    case = getattr(request.node, "callspec", None)
    named = case.params.get("case", {}).get("limits", {}) if case else {}
    return Limits(**named)


@pytest.fixture(params=["memory", pytest.param("jetstream", marks=pytest.mark.slow)])
def bench(
    request: pytest.FixtureRequest, the_bench: Bench, roles: Mapping[str, Role], limits: Limits
) -> Iterator[Bench]:
    loop, stack = the_bench.loop, AsyncExitStack()
    if request.param == "memory":
        the_bench.take(MemoryState(), MemoryStore(), roles, limits, stack)
    else:
        server: NatsServer = request.getfixturevalue("nats_server")
        connection = loop.run(Connection.connect(server.url))
        loop.run(connection.drop_stream(STREAM))
        stack.push_async_callback(connection.close)
        the_bench.take(JetStreamState(connection), JetStreamStore(connection), roles, limits, stack)
    yield the_bench
    loop.run(stack.aclose())
