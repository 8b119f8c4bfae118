"""The Schemas API as boto3 sees it."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import boto3
import jsonschema_rs
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from harness.access import Authority
from harness.clock import utc_now
from harness.identity import Role
from harness.schemas.api import SchemasApi
from harness.schemas.discoverers import Discoverers
from harness.schemas.discovery import Discovery
from harness.schemas.model import Contract
from harness.schemas.registries import ContractRegistry, DiscoveredRegistry
from harness.schemas.requests import ROUTES
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from harness.wire import HttpRequest, bus_arn
from tests.access.landscape import ENDPOINT, ORDERS, REGION, STOCK, a_directory, a_role, a_sealer, a_session, allow
from tests.bus.endpoint import Loop, serving

BUS, OTHERS = bus_arn(REGION, ORDERS, "shop/eu"), bus_arn(REGION, STOCK, "shop")
OWNER = a_role(ORDERS, "owner", allow("schemas:*"))
NOBODY = a_role(ORDERS, "nobody")
NEIGHBOUR = a_role(STOCK, "neighbour", allow("schemas:*"))
READER = a_role(
    ORDERS,
    "reader",
    allow("schemas:DescribeSchema", Resource=f"arn:aws:schemas:{REGION}:{ORDERS}:schema/contracts/acme.orders@*"),
)

PLACED = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "description": "An order was placed",
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"$ref": "#/$defs/id"}, "total": {"exclusiveMinimum": 0}},
    "$defs": {"id": {"type": "integer", "minimum": 1}},
}
MODIFIED = datetime(2026, 1, 15, 12, tzinfo=UTC)
CONTRACTS = [
    Contract("acme.orders", "OrderPlaced.v1", PLACED, MODIFIED, "orders"),
    Contract("acme.orders", "Order Cancelled", {"type": "object"}, MODIFIED, "orders"),
    Contract("acme.stock", "StockReserved.v1", {"type": "object"}, MODIFIED, "stock"),
]
SESSION = boto3.Session()


class Endpoint:
    """With a bus whose events the test puts itself."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self._sealer = a_sealer()
        self.replica = Replica(MemoryState())
        self._events: asyncio.Queue[bytes] = asyncio.Queue()
        self._running = AsyncExitStack()
        self.api = SchemasApi(
            Authority(a_directory(OWNER, NOBODY, NEIGHBOUR, READER), self._sealer),
            [ContractRegistry(CONTRACTS), DiscoveredRegistry(self.replica)],
            Discoverers(self.replica),
            region=REGION,
            buses=lambda: [BUS, OTHERS],
        )
        self.followed: list[str] = []
        self.url = ""

    async def start(self) -> None:
        await self._running.enter_async_context(self.replica.running())
        await self._running.enter_async_context(Discovery(self.replica, self._tail, between=0.01).running())

    async def stop(self) -> None:
        await self._running.aclose()

    async def _tail(self, bus: str) -> AsyncGenerator[bytes, None]:
        self.followed.append(bus)
        try:
            while True:
                yield await self._events.get()
        finally:
            self.followed.remove(bus)

    def put(self, detail: Any, *, source: str = "acme.orders", detail_type: str = "Seen") -> None:
        event = {"source": source, "detail-type": detail_type, "detail": detail}
        self.loop.run(self._events.put(json.dumps(event).encode()))

    def client(self, role: Role, **settings: Any) -> Any:
        credentials = self._sealer.issue(a_session(role, now=utc_now().replace(microsecond=0)))
        keys: dict[str, Any] = {
            "aws_access_key_id": credentials.access_key_id,
            "aws_secret_access_key": credentials.secret_access_key,
            "aws_session_token": credentials.session_token,
        }
        config = Config(retries={"total_max_attempts": 1})
        chosen = {"region_name": REGION, **keys, **settings}
        return SESSION.client("schemas", endpoint_url=self.url, config=config, **chosen)

    def wait_for(self, wanted: Callable[[], bool]) -> None:
        """Until `wanted()` holds, a minute at most."""
        deadline = time.monotonic() + 60
        while not wanted():
            assert time.monotonic() < deadline, "it did not come to pass"
            self.loop.run(asyncio.sleep(0.005))


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture
def endpoint(loop: Loop) -> Iterator[Endpoint]:
    endpoint = Endpoint(loop)
    loop.run(endpoint.start())
    with serving(endpoint.api, ENDPOINT, loop) as endpoint.url:
        yield endpoint
    loop.run(endpoint.stop())


@pytest.fixture
def client(endpoint: Endpoint) -> Any:
    return endpoint.client(OWNER)


def refusal(call: Any, **parameters: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    response = refused.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


CANCELLED, ORDER_PLACED, RESERVED = (
    "acme.orders@OrderCancelled",
    "acme.orders@OrderPlaced.v1",
    "acme.stock@StockReserved.v1",
)
PLACED_ARN = f"arn:aws:schemas:{REGION}:{ORDERS}:schema/contracts/{ORDER_PLACED}"
OF_PLACED = {"RegistryName": "contracts", "SchemaName": ORDER_PLACED}


def test_there_are_two_registries(client: Any) -> None:
    arn = f"arn:aws:schemas:{REGION}:{ORDERS}:registry/contracts"
    registries = client.list_registries()["Registries"]
    assert [each["RegistryName"] for each in registries] == ["contracts", "discovered-schemas"]
    assert registries[0] == {"RegistryName": "contracts", "RegistryArn": arn, "Tags": {}}
    described = client.describe_registry(RegistryName="contracts")
    assert (described["RegistryArn"], described["Description"][:9]) == (arn, "Contracts")
    named = client.list_registries(RegistryNamePrefix="disc", Scope="LOCAL")["Registries"]
    assert [each["RegistryName"] for each in named] == ["discovered-schemas"]
    assert client.list_registries(Scope="AWS")["Registries"] == []


def test_schemas_are_listed_page_by_page(client: Any) -> None:
    pages = client.get_paginator("list_schemas").paginate(RegistryName="contracts", PaginationConfig={"PageSize": 2})
    listed = [[each["SchemaName"] for each in page["Schemas"]] for page in pages]
    assert listed == [[CANCELLED, ORDER_PLACED], [RESERVED]]
    (one,) = client.list_schemas(RegistryName="contracts", SchemaNamePrefix="acme.stock")["Schemas"]
    assert (one["SchemaName"], one["VersionCount"], one["LastModified"]) == (RESERVED, 1, MODIFIED)


def test_a_contract_is_described_as_openapi(client: Any) -> None:
    described = client.describe_schema(**OF_PLACED)
    assert (described["SchemaArn"], described["SchemaVersion"], described["Type"], described["Description"]) == (
        PLACED_ARN,
        "1",
        "OpenApi3",
        "An order was placed",
    )
    document = json.loads(described["Content"])
    event = document["components"]["schemas"]["AWSEvent"]
    assert (document["openapi"], event["x-amazon-events-source"], event["x-amazon-events-detail-type"]) == (
        "3.1.0",
        "acme.orders",
        "OrderPlaced.v1",
    )
    takes_event = jsonschema_rs.validator_for({**document, "$ref": "#/components/schemas/AWSEvent"})
    assert takes_event.is_valid(an_event({"id": 1}))
    assert not takes_event.is_valid(an_event({"id": 0}))


def an_event(detail: Any) -> dict[str, Any]:
    texts = ("version", "id", "detail-type", "source", "account", "region")
    return {**dict.fromkeys(texts, "x"), "time": "2026-01-15T12:00:00Z", "resources": [], "detail": detail}


def test_a_contract_is_exported_in_draft_4(client: Any) -> None:
    exported = client.export_schema(**OF_PLACED, SchemaVersion="1", Type="JSONSchemaDraft4")
    assert (exported["SchemaArn"], exported["Type"]) == (PLACED_ARN, "JSONSchemaDraft4")
    validator = jsonschema_rs.validator_for(json.loads(exported["Content"]))
    assert validator.is_valid(an_event({"id": 1, "total": 1}))
    assert not validator.is_valid(an_event({"id": 0}))
    assert not validator.is_valid(an_event({"id": 1, "total": 0}))
    assert refusal(client.export_schema, **OF_PLACED, Type="OpenApi3") == (
        400,
        "BadRequestException",
        "Type must be JSONSchemaDraft4.",
    )


def test_versions_are_listed(client: Any) -> None:
    versions = client.list_schema_versions(**OF_PLACED)["SchemaVersions"]
    assert versions == [{"SchemaArn": PLACED_ARN, "SchemaName": ORDER_PLACED, "SchemaVersion": "1", "Type": "OpenApi3"}]


def test_schemas_are_found_by_words(client: Any) -> None:
    def found(words: str) -> list[str]:
        answer = client.search_schemas(RegistryName="contracts", Keywords=words)
        return [each["SchemaName"] for each in answer["Schemas"]]

    assert found("PLACED order") == [ORDER_PLACED]
    assert found("total") == [ORDER_PLACED]
    assert found("acme") == [CANCELLED, ORDER_PLACED, RESERVED]
    assert found("nowhere") == []
    (schema,) = client.search_schemas(RegistryName="contracts", Keywords="total")["Schemas"]
    assert schema["SchemaVersions"] == [{"SchemaVersion": "1", "Type": "OpenApi3", "CreatedDate": MODIFIED}]
    assert refusal(client.search_schemas, RegistryName="contracts", Keywords=" ")[:2] == (400, "BadRequestException")


@pytest.mark.parametrize(
    ("operation", "parameters", "says"),
    [
        ("describe_registry", {"RegistryName": "x"}, "Registry with name x does not exist."),
        ("list_schemas", {"RegistryName": "x"}, "Registry with name x does not exist."),
        ("describe_schema", {**OF_PLACED, "SchemaName": "a/b@c d"}, "Schema with name a/b@c d does not exist."),
        ("describe_schema", {**OF_PLACED, "SchemaVersion": "2"}, f"Schema version 2 of {ORDER_PLACED} does not exist."),
        ("list_schema_versions", {**OF_PLACED, "RegistryName": "x"}, "Registry with name x does not exist."),
        ("describe_discoverer", {"DiscovererId": "x"}, "Discoverer with id x does not exist."),
        ("start_discoverer", {"DiscovererId": "x"}, "Discoverer with id x does not exist."),
        ("delete_discoverer", {"DiscovererId": "x"}, "Discoverer with id x does not exist."),
    ],
)
def test_what_is_not_there(client: Any, operation: str, parameters: dict[str, str], says: str) -> None:
    assert refusal(getattr(client, operation), **parameters) == (404, "NotFoundException", says)


@pytest.mark.parametrize("parameters", [{"Limit": 0}, {"Limit": 101}, {"NextToken": "é"}, {"Scope": "ALL"}])
def test_a_list_that_cannot_be_given(client: Any, parameters: dict[str, Any]) -> None:
    assert refusal(client.list_registries, **parameters)[:2] == (400, "BadRequestException")


def test_whoever_is_not_allowed_is_refused_in_awss_words(endpoint: Endpoint) -> None:
    role = f"arn:aws:sts::{ORDERS}:assumed-role/nobody"
    status, code, text = refusal(endpoint.client(NOBODY).describe_schema, **OF_PLACED)
    assert (status, code) == (403, "AccessDeniedException")
    assert text.startswith(f"User: {role}/")
    assert f"is not authorized to perform: schemas:DescribeSchema on resource: {PLACED_ARN} because" in text
    calls: dict[str, dict[str, Any]] = {
        "list_registries": {},
        "create_discoverer": {"SourceArn": BUS},
        "get_discovered_schema": {"Events": ["{}"], "Type": "OpenApi3"},
    }
    for operation, parameters in calls.items():
        assert refusal(getattr(endpoint.client(NOBODY), operation), **parameters)[:2] == (403, "AccessDeniedException")


def test_a_policy_may_name_schemas(endpoint: Endpoint) -> None:
    reader = endpoint.client(READER)
    assert reader.describe_schema(**OF_PLACED)["SchemaName"] == ORDER_PLACED
    with pytest.raises(ClientError, match="AccessDeniedException"):
        reader.describe_schema(**{**OF_PLACED, "SchemaName": RESERVED})


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"aws_secret_access_key": "wrong"}, "InvalidSignatureException"),
        ({"aws_session_token": None}, "UnrecognizedClientException"),
        ({"region_name": "us-east-1"}, "InvalidSignatureException"),
    ],
)
def test_a_bad_signature_is_refused(endpoint: Endpoint, settings: dict[str, Any], code: str) -> None:
    assert refusal(endpoint.client(OWNER, **settings).list_registries)[:2] == (403, code)


def test_an_unsigned_call_is_refused(endpoint: Endpoint) -> None:
    request = HttpRequest("GET", b"/v1/registries", b"", [(b"host", b"localhost")], b"")
    answer = endpoint.loop.run(endpoint.api(request, ENDPOINT))
    assert (answer.status, dict(answer.headers)[b"x-amzn-errortype"]) == (403, b"MissingAuthenticationTokenException")


def test_what_is_not_served_is_said(client: Any) -> None:
    status, code, text = refusal(client.create_registry, RegistryName="mine")
    assert (status, code) == (404, "UnknownOperationException")
    assert all(operation in text for operation in ROUTES.values())


def test_the_routes_are_those_of_the_model() -> None:
    model = SESSION.client("schemas", region_name=REGION).meta.service_model
    for (method, path), operation in ROUTES.items():
        http = model.operation_model(operation).http
        assert (http["method"], http["requestUri"]) == (method, path)


def test_a_discoverers_life(endpoint: Endpoint, client: Any) -> None:
    created = client.create_discoverer(SourceArn=BUS, Description="d", CrossAccount=False, Tags={"team": "orders"})
    id = created["DiscovererId"]
    assert created.pop("ResponseMetadata")["HTTPStatusCode"] == 201
    assert created == {
        "CrossAccount": False,
        "Description": "d",
        "DiscovererArn": f"arn:aws:schemas:{REGION}:{ORDERS}:discoverer/events-event-bus-shop-eu",
        "DiscovererId": "events-event-bus-shop-eu",
        "SourceArn": BUS,
        "State": "STARTED",
        "Tags": {"team": "orders"},
    }
    assert refusal(client.create_discoverer, SourceArn=BUS)[:2] == (409, "ConflictException")
    endpoint.wait_for(lambda: endpoint.followed == [BUS])
    assert client.stop_discoverer(DiscovererId=id)["State"] == "STOPPED"
    endpoint.wait_for(lambda: endpoint.followed == [])
    assert client.update_discoverer(DiscovererId=id, Description="new")["Description"] == "new"
    (listed,) = client.list_discoverers(DiscovererIdPrefix="events-", SourceArnPrefix=BUS[:30])["Discoverers"]
    assert (listed["DiscovererId"], listed["State"]) == (id, "STOPPED")
    assert client.list_discoverers(DiscovererIdPrefix="x")["Discoverers"] == []
    assert client.start_discoverer(DiscovererId=id)["State"] == "STARTED"
    endpoint.wait_for(lambda: endpoint.followed == [BUS])
    assert client.delete_discoverer(DiscovererId=id)["ResponseMetadata"]["HTTPStatusCode"] == 204
    endpoint.wait_for(lambda: endpoint.followed == [])
    assert refusal(client.describe_discoverer, DiscovererId=id)[:2] == (404, "NotFoundException")


@pytest.mark.parametrize("source", [OTHERS, bus_arn(REGION, ORDERS, "unknown"), f"arn:aws:sqs:{REGION}:{ORDERS}:q"])
def test_a_discoverer_learns_from_a_bus_of_its_own_account(client: Any, source: str) -> None:
    assert refusal(client.create_discoverer, SourceArn=source)[:2] == (400, "BadRequestException")


@pytest.mark.parametrize("tags", [{str(n): "" for n in range(51)}, {"k" * 129: ""}, {"": ""}, {"k": "v" * 257}])
def test_a_discoverer_has_as_many_tags_as_aws_lets_it(client: Any, tags: dict[str, str]) -> None:
    assert refusal(client.create_discoverer, SourceArn=BUS, Tags=tags)[:2] == (400, "BadRequestException")


def test_an_account_does_not_see_anothers_discoverers(endpoint: Endpoint, client: Any) -> None:
    id = client.create_discoverer(SourceArn=BUS)["DiscovererId"]
    neighbour = endpoint.client(NEIGHBOUR)
    assert neighbour.list_discoverers()["Discoverers"] == []
    assert refusal(neighbour.stop_discoverer, DiscovererId=id)[0] == 404


SEEN = {"RegistryName": "discovered-schemas", "SchemaName": "acme.orders@Seen"}


def test_a_schema_is_learnt_from_traffic(endpoint: Endpoint, client: Any) -> None:
    client.create_discoverer(SourceArn=BUS)
    endpoint.put({"id": 1, "card": "4111-1111"})
    endpoint.put({"id": 1, "card": "4111-2222"})  # nothing new
    endpoint.put({"id": None})

    def versions() -> list[str]:
        listed = client.list_schemas(RegistryName="discovered-schemas")["Schemas"]
        if not listed:
            return []
        return [each["SchemaVersion"] for each in client.list_schema_versions(**SEEN)["SchemaVersions"]]

    endpoint.wait_for(lambda: versions() == ["2", "1"])
    first = json.loads(client.describe_schema(**SEEN, SchemaVersion="1")["Content"])
    newest = client.describe_schema(**SEEN)
    assert (newest["SchemaVersion"], newest["Type"]) == ("2", "OpenApi3")
    text = {"type": "string"}
    assert first["components"]["schemas"]["Seen"] == {
        "type": "object",
        "required": ["card", "id"],
        "properties": {"card": text, "id": {"type": "integer"}},
    }
    assert json.loads(newest["Content"])["components"]["schemas"]["Seen"] == {
        "type": "object",
        "required": ["id"],
        "properties": {"card": text, "id": {"type": "integer", "nullable": True}},
    }
    assert "4111" not in newest["Content"]
    exported = json.loads(client.export_schema(**SEEN, Type="JSONSchemaDraft4")["Content"])
    assert jsonschema_rs.validator_for(exported).is_valid(an_event({"id": None}))
    assert endpoint.client(NEIGHBOUR).list_schemas(RegistryName="discovered-schemas")["Schemas"] == []


def test_a_schema_is_inferred_from_events_that_are_given(client: Any) -> None:
    events = [json.dumps(an_event({"id": number})) for number in (1, 1.5)]
    content = json.loads(client.get_discovered_schema(Events=events, Type="OpenApi3")["Content"])
    assert content["components"]["schemas"]["x"]["properties"] == {"id": {"type": "number"}}
    assert content["components"]["schemas"]["AWSEvent"]["x-amazon-events-source"] == "x"
    draft = json.loads(client.get_discovered_schema(Events=events, Type="JSONSchemaDraft4")["Content"])
    assert jsonschema_rs.validator_for(draft).is_valid(an_event({"id": 2}))


def test_a_schema_is_inferred_from_what_are_no_events(client: Any) -> None:
    answer = client.get_discovered_schema(Events=['{"a": 1}', '{"a": "x", "source": []}'], Type="OpenApi3")
    assert json.loads(answer["Content"])["components"]["schemas"]["Event"]["required"] == ["a"]


@pytest.mark.parametrize(
    "events",
    [["{"], ["[]"], ["1"], ["{}"] * 11, ['{"a":' * 300 + "1" + "}" * 300]],
    ids=["no JSON", "a list", "a number", "eleven", "too deep"],
)
def test_events_that_teach_nothing_are_refused(client: Any, events: list[str]) -> None:
    assert refusal(client.get_discovered_schema, Events=events, Type="OpenApi3")[:2] == (400, "BadRequestException")
