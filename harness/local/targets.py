"""What the router may deliver to, by what a target's ARN names."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from harness import manifest
from harness.access import Authority
from harness.bus.catalogue import Catalogue
from harness.bus.dead_letters import SendToQueue
from harness.bus.store import Store
from harness.bus.targets.api_destination import ApiDestinationDelivery
from harness.bus.targets.bus import BusDelivery
from harness.bus.targets.credentials import Tokens
from harness.bus.targets.delivery import DeliverAll, Deliveries, HttpDelivery
from harness.bus.targets.logs import LogDelivery
from harness.bus.targets.queue import QueueDeliveries, QueueDelivery, SendAllToQueue
from harness.bus.targets.roles import Roles
from harness.http_client import HttpClient
from harness.identity import SecretBox
from harness.manifest.plan_file import RouterSettings
from harness.runtime import keys


@dataclass(frozen=True, slots=True)
class Targets:
    """`deliver_all` as in `Work`. `box` and `tokens`: the credentials of connections, for whoever authorizes them."""

    deliver: Deliveries
    deliver_all: Mapping[str, DeliverAll]
    box: SecretBox
    tokens: Tokens


@asynccontextmanager
async def targets(
    settings: RouterSettings,
    landscape: manifest.Landscape,
    *,
    store: Store,
    catalogue: Catalogue,
    authority: Authority,
    send: SendToQueue,
    send_all: SendAllToQueue,
) -> AsyncIterator[Targets]:
    client = HttpClient(tls=_tls(landscape))
    roles = Roles(authority)
    box = SecretBox(keys.master_key(settings.keys))
    tokens = Tokens(client, time=asyncio.get_running_loop().time)
    deliver = Deliveries(
        {
            "lambda": HttpDelivery(client, landscape.containers(settings.upstreams)),
            "sqs": QueueDelivery(send, roles),
            "event-bus": BusDelivery(store, catalogue, roles),
            "api-destination": ApiDestinationDelivery(client, catalogue, roles, box, tokens),
            "logs": LogDelivery(store),
        }
    )
    try:
        yield Targets(deliver, {"sqs": QueueDeliveries(send_all, roles)}, box, tokens)
    finally:
        await client.close()


def _tls(landscape: manifest.Landscape) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if landscape.ca_file is not None:
        context.load_verify_locations(cafile=landscape.ca_file)
    return context
