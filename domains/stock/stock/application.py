"""Composition root of the domain stock."""

from functools import partial
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy import Engine

from kit.application import application
from kit.bus import events_client
from kit.credentials import DefaultChain
from kit.database import sessions_of
from kit.events import events_router
from kit.outbox import Outbox, on_commit
from kit.relay import Relay
from kit.serve import end_process
from stock import v1
from stock.reserving import subscriptions
from stock.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"
SOURCE = "acme.stock"


def build(settings: Settings, engine: Engine) -> FastAPI:
    """`engine`'s schema is at its newest revision."""
    sessions = sessions_of(engine)
    connect = partial(events_client, DefaultChain(), region=settings.region, endpoint_url=settings.endpoint_url)
    relay = Relay(sessions, connect, bus_arn=settings.event_bus_arn, on_death=end_process)
    on_commit(sessions, relay.wake)
    outbox = Outbox(source=SOURCE, domain="stock")
    return application(
        "stock",
        engine=engine,
        relay=relay,
        routers=[v1.router(sessions), events_router(sessions, subscriptions(outbox))],
    )
