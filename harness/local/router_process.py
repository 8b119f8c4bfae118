"""The router process: takes events off the buses and brings them to their targets."""

import asyncio
import signal
from collections.abc import Mapping

from harness import manifest
from harness.access import Authority
from harness.bus.dead_letters import DeadLetters
from harness.bus.health import serve_health
from harness.bus.jetstream import JetStreamStore
from harness.bus.lane import Work
from harness.bus.replayer import Replayer
from harness.bus.router import Router
from harness.bus.routes import routes_of
from harness.bus.scheduler import Scheduler
from harness.bus.targets.authorizer import Authorizer
from harness.bus.targets.delivery import Backoff
from harness.bus.trace.log import TRACE_STREAM, TRACE_SUBJECT, TraceLog
from harness.collector import spare_the_collector
from harness.local.events import catalogue_of
from harness.local.owners import Owners
from harness.local.queues import all_for_rules, for_rules, queues
from harness.local.targets import targets
from harness.local.topics import notifier
from harness.manifest.plan_file import RouterSettings
from harness.queues.sender import Sender
from harness.runtime import keys
from harness.storage.connection import Connection
from harness.storage.jetstream_state import JetStreamState
from harness.storage.line_log import LineLog
from harness.storage.replica import Replica
from harness.topics.registry import Registry as TopicRegistry


async def run_router(settings: RouterSettings) -> None:
    """Delivers until SIGTERM or SIGINT; what is under way then is brought to its end."""
    landscape = manifest.load(settings.landscape)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    connection = await Connection.connect(settings.nats.url, name="router", replicas=settings.nats.replicas)
    store = JetStreamStore(connection)
    authority = Authority(landscape.directory(), None)
    health = await serve_health(store.connected, port=settings.health_port)
    try:
        state = JetStreamState(connection)
        notes = LineLog(connection, TRACE_STREAM, TRACE_SUBJECT)
        await notes.prepare()
        async with (
            Replica(state).running() as replica,
            queues(connection, replica, state, landscape) as broker,
        ):
            catalogue = catalogue_of(landscape, settings.upstreams, replica)
            sender = Sender(broker, authority)
            send = for_rules(sender)
            async with (
                targets(
                    settings,
                    landscape,
                    store=store,
                    catalogue=catalogue,
                    authority=authority,
                    send=send,
                    send_all=all_for_rules(sender),
                ) as reached,
                TraceLog(notes.append).running() as tracer,
                notifier(
                    connection,
                    TopicRegistry(replica, state),
                    sender,
                    Owners(_accounts(landscape, settings.upstreams), settings.closed),
                    signing=keys.topics_signing_key(settings.keys),
                    speed=settings.clock_factor,
                ) as topics,
            ):
                backoff = Backoff(speed=settings.clock_factor)
                letters = DeadLetters(send, store, tracer=tracer)
                work = Work(
                    store,
                    reached.deliver,
                    letters,
                    backoff=backoff,
                    tracer=tracer,
                    deliver_all=reached.deliver_all,
                )
                router = Router(catalogue, work, asleep=_queues_of_all(landscape))
                spare_the_collector()
                async with asyncio.TaskGroup() as group:
                    group.create_task(router.run(stop))
                    group.create_task(topics.run(stop))
                    group.create_task(Scheduler(catalogue, store).run(stop))
                    group.create_task(Replayer(replica, catalogue, store).run(stop))
                    group.create_task(Authorizer(replica, reached.box, reached.tokens).run(stop))
    finally:
        health.close()
        await store.close()


def _accounts(landscape: manifest.Landscape, upstreams: Mapping[str, str]) -> dict[str, str]:
    """By the base URL of each domain's container."""
    return {url: landscape.domains[name].account.id for name, url in upstreams.items()}


def _queues_of_all(landscape: manifest.Landscape) -> set[str]:
    """Also of the domains that do not run now: what waits for them waits on."""
    rules = landscape.rules(dict.fromkeys(landscape.domains, ""))
    return {route.key for rule in rules for route in routes_of(rule)}
