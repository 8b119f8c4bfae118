"""The edge process: every listener, the gateway of every API, and the AWS endpoints, from one settings file."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from harness import manifest
from harness.access import Authority
from harness.bus.api import EventsApi
from harness.bus.jetstream import JetStreamStore
from harness.bus.trace.log import TRACE_STREAM, TRACE_SUBJECT
from harness.bus.validation import EventValidator
from harness.gateway.api import Api, Stage
from harness.gateway.edge import Edge
from harness.gateway.routes import RouteTable
from harness.gateway.server import addresses, serve
from harness.gateway.upstream import PooledClient
from harness.iam.api import IamApi
from harness.identity import Sealer, SecretBox
from harness.local.audit import AUDIT_STREAM, AUDIT_SUBJECT, AuditTrail
from harness.local.event_actions import EventActions
from harness.local.event_traces import EventTraces
from harness.local.events import BusPolicies, open_desk
from harness.local.operator import Operator, operator_token
from harness.local.owner_routes import audit_routes, event_acts, event_routes, trace_routes
from harness.local.queues import queue_streams, queues
from harness.local.schemas import schemas
from harness.local.storage_report import storage_routes
from harness.local.topics import topics
from harness.local.usage_recorder import UsageRecorder
from harness.manifest.plan_file import EdgeSettings
from harness.queues.api import QueuesApi
from harness.queues.moves import Moves
from harness.queues.receipts import Receipts
from harness.runtime import keys
from harness.schemas.discovery import Discovery
from harness.storage.connection import Connection
from harness.storage.jetstream_state import MOST_BYTES, JetStreamState
from harness.storage.line_log import LineLog
from harness.storage.replica import Replica
from harness.storage.shares import share_of
from harness.sts.api import StsApi
from harness.sts.container_credentials import ContainerCredentials, Grant
from harness.sts.web_identity import WorkloadTokens, key_from_pem
from harness.topics.declared import declare as declare_topics
from harness.topics.registry import Registry as TopicRegistry
from harness.wire import Handler, PlaceKind


def apis(landscape: manifest.Landscape, upstreams: Mapping[str, str]) -> dict[str, Api]:
    """The APIs of the domains that run."""
    return {
        name: Api(
            id=name,
            account=api.account,
            resource_policy=api.resource_policy,
            stages={
                version.name: Stage(
                    version.name,
                    RouteTable.from_openapi(version.openapi, file=str(version.contract)),
                    version.throttling,
                )
                for version in api.versions.values()
            },
            upstream=upstreams[name],
            timeout=api.timeout_seconds,
            throttling=api.throttling,
            account_limit=landscape.domains[name].account.throttle,
            domain_name=api.domain_name,
        )
        for name, api in landscape.apis().items()
        if name in upstreams
    }


def _grants(landscape: manifest.Landscape, folder: Path) -> dict[str, Grant]:
    return {
        name: Grant(domain.runs_as.arn, keys.password(folder, f"credentials-{name}"))
        for name, domain in landscape.domains.items()
    }


async def _recording(landscape: manifest.Landscape, sealer: Sealer, lock: Path, stack: AsyncExitStack) -> UsageRecorder:
    from harness.local.usage_recording import usage_recorder  # slow to import, and rarely wanted

    usage = usage_recorder(landscape, sealer, lock)
    await stack.enter_async_context(usage.running())
    return usage


async def run_edge(settings: EdgeSettings) -> None:
    """Serves until SIGTERM."""
    async with AsyncExitStack() as stack:
        await _run(settings, stack)


async def _run(settings: EdgeSettings, stack: AsyncExitStack) -> None:
    landscape = manifest.load(settings.landscape)
    directory = landscape.directory()
    master_key = keys.master_key(settings.keys)
    sealer = Sealer(master_key)
    authority = Authority(directory, sealer)
    connection = await Connection.connect(settings.nats.url, name="edge", replicas=settings.nats.replicas)
    stack.push_async_callback(connection.close)
    state = JetStreamState(connection)
    replica = await stack.enter_async_context(Replica(state).running())
    broker = await stack.enter_async_context(queues(connection, replica, state, landscape))
    topic_registry = TopicRegistry(replica, state)
    endpoints = {account.id: settings.endpoints.get(name, "") for name, account in landscape.accounts.items()}
    await declare_topics(topic_registry, landscape.region, landscape.topics(), endpoints)
    moves = await stack.enter_async_context(Moves(broker).running())
    store = JetStreamStore(connection)
    # What manifests declare is there by now; from here on it is the APIs that make something.
    replica.shares.bound = share_of(MOST_BYTES, len(landscape.accounts))
    desk = await open_desk(landscape, settings.upstreams, authority, replica, store, SecretBox(master_key))
    validator = EventValidator(
        landscape.buses.values(), landscape.event_contracts(), quarantines=landscape.quarantines_by_arn()
    )
    audit_store = LineLog(connection, AUDIT_STREAM, AUDIT_SUBJECT)
    await audit_store.prepare()
    tokens = (
        WorkloadTokens(key_from_pem(keys.workload_identity_key(settings.keys)), issuer=directory.oidc.url)
        if directory.oidc
        else None
    )
    sockets = [listener.open() for listener in settings.listeners]
    places = {address: listener.place for address, listener in zip(addresses(sockets), settings.listeners, strict=True)}
    services: dict[str, Handler] = {
        "sts": StsApi(authority, sealer, directory, web_identity_key=tokens.public_keys if tokens else None),
        "events": EventsApi(desk, validator=validator),
        "iam": IamApi(authority),
        "sqs": QueuesApi(authority, broker, Receipts(master_key), region=landscape.region, moves=moves),
        "sns": await topics(
            connection,
            topic_registry,
            authority,
            region=landscape.region,
            signing=keys.topics_signing_key(settings.keys),
        ),
        "schemas": schemas(authority, replica, landscape),
    }
    if any(place.kind is PlaceKind.CREDENTIALS for place in places.values()):
        services["credentials"] = ContainerCredentials(authority, sealer, _grants(landscape, settings.keys))
    served = apis(landscape, settings.upstreams)
    usage = await _recording(landscape, sealer, settings.recording, stack) if settings.recording else None
    audit = AuditTrail(
        audit_store,
        authority,
        sealer,
        served,
        BusPolicies(desk.catalogue),
        endpoints=directory.endpoint_policies,
        made=lambda arn: broker.registry.policy(arn) or topic_registry.policy(arn),
        usage=usage,
    )
    edge = Edge(
        apis=served,
        services=services,
        places=places,
        authority=authority,
        region=landscape.region,
        client=PooledClient(),
        recorder=audit.recorder,
        patient={"sqs"},
    )
    workbenches = [address for address, place in places.items() if place.kind is PlaceKind.WORKBENCH]
    buses = desk.catalogue.buses
    actions = EventActions(desk, broker)
    notes = LineLog(connection, TRACE_STREAM, TRACE_SUBJECT)
    await notes.prepare()
    reads = {
        **event_routes(store, lambda: [bus.arn for bus in buses()]),
        **storage_routes(store, desk.catalogue, lambda: queue_streams(broker), replica.shares.used),
        **trace_routes(EventTraces(store, desk.catalogue, notes), actions),
        **audit_routes(audit),
    }
    token = operator_token(master_key)
    app = Operator(edge, reads, acts=event_acts(actions), token=token, addresses=workbenches)
    discovery = Discovery(replica, partial(store.tail, from_start=False))
    async with audit.running(), discovery.running():
        await serve(app, sockets, stopping=broker.stop)
