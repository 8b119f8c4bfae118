"""The router process: takes events off the buses and brings them to the domains that subscribe."""

import asyncio
import signal

from harness import manifest
from harness.bus.delivery import HttpDelivery
from harness.bus.health import serve_health
from harness.bus.jetstream import JetStreamStore
from harness.bus.router import Router
from harness.http_client import HttpClient
from harness.manifest.plan_file import RouterSettings


async def run_router(settings: RouterSettings) -> None:
    """Delivers until SIGTERM or SIGINT; what is under way then is brought to its end."""
    landscape = manifest.load(settings.landscape)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    store = await JetStreamStore.connect(settings.nats.url, name="router")
    client = HttpClient()
    deliver = HttpDelivery(client, landscape.containers(settings.upstreams))
    router = Router(store, landscape.rules(settings.upstreams), deliver, buses=list(landscape.buses_by_arn()))
    health = await serve_health(store.connected, port=settings.health_port)
    try:
        await router.run(stop)
    finally:
        health.close()
        await client.close()
        await store.close()
