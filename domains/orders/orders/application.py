"""Composition root of the domain orders."""

from functools import partial
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy import Engine

from kit.application import application
from kit.bus import events_client
from kit.client import ApiClient
from kit.credentials import DefaultChain
from kit.database import sessions_of
from kit.events import events_router
from kit.outbox import Outbox, on_commit
from kit.relay import Relay
from kit.serve import end_process
from kit.signing import SigV4
from orders import v1, v2
from orders.placing import Placing
from orders.reactions import SUBSCRIPTIONS
from orders.settings import Settings
from orders.stock_api import StockApi

MIGRATIONS = Path(__file__).parent / "migrations"
SOURCE = "acme.orders"


def build(settings: Settings, engine: Engine) -> FastAPI:
    """`engine`'s schema is at its newest revision."""
    sessions = sessions_of(engine)
    credentials = DefaultChain()
    connect = partial(events_client, credentials, region=settings.region, endpoint_url=settings.endpoint_url)
    relay = Relay(sessions, connect, bus_arn=settings.event_bus_arn, on_death=end_process)
    on_commit(sessions, relay.wake)
    stock = ApiClient(settings.stock_api_url, SigV4(credentials, region=settings.region))
    placing = Placing(sessions, StockApi(stock), Outbox(source=SOURCE, domain="orders"))
    return application(
        "orders",
        engine=engine,
        relay=relay,
        routers=[
            v1.router(placing, sessions),
            v2.router(placing, sessions),
            events_router(sessions, SUBSCRIPTIONS),
        ],
        retirements=[v1.RETIREMENT],
        closing=[stock.close],
    )
