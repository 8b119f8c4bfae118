"""Pulls from one JetStream consumer with requests that stay open, so that a message comes the moment it is stored.

What the server may still send (`_credit`) never exceeds what the caller last asked for: a message that waits here
unworked would run into the consumer's acknowledgement timeout.
"""

import asyncio
import json
from collections import deque

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from harness.storage.position import position

EXPIRY_SECONDS = 30.0
# While a request is open the server says so every few seconds. Silence means that the request is forgotten: its node
# died, or another one leads the consumer now.
HEARTBEAT_SECONDS = 3.0
SILENCE_SECONDS = 2.5 * HEARTBEAT_SECONDS
PAUSE_SECONDS = 0.25


class Puller:
    """`gone` is set when the server no longer knows the consumer, which then has to be made again."""

    def __init__(self, client: Client, stream: str, consumer: str) -> None:
        self._client = client
        self._request = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"
        self._inbox = client.new_inbox()
        self._subscription: Subscription | None = None
        self._buffer: deque[Msg] = deque()
        self._arrival = asyncio.Event()
        self._credit = 0
        self._credit_ends = 0.0
        self._heard = 0.0
        self._paused_until = 0.0
        self.gone = False

    async def pull(self, limit: int, wait: float) -> list[Msg]:
        """Up to `limit` messages: those here already, else the first that come within `wait` seconds, else none."""
        if self._subscription is None:
            self._subscription = await self._client.subscribe(self._inbox, cb=self._received)
        if not self._buffer:
            self._arrival.clear()
        await self._ask(limit)
        if not self._buffer:
            try:
                async with asyncio.timeout(wait):
                    await self._arrival.wait()
            except TimeoutError:
                return []
        return [self._buffer.popleft() for _ in range(min(limit, len(self._buffer)))]

    def reset(self) -> None:
        """After a reconnect the server has forgotten the open requests."""
        self._credit = 0
        self._arrival.set()

    async def close(self) -> list[Msg]:
        """Stops; the messages that came and were not pulled, for the caller to give back."""
        if self._subscription is not None and self._client.is_connected:
            await self._subscription.drain()  # type: ignore[no-untyped-call]  # what is on its way comes first
        return list(self._buffer)

    async def _ask(self, limit: int) -> None:
        now = asyncio.get_running_loop().time()
        if now > min(self._credit_ends, self._heard + SILENCE_SECONDS):
            self._credit = 0
        wanted = limit - len(self._buffer) - self._credit
        if not self._client.is_connected or now < self._paused_until or wanted * 2 < limit:
            return
        request = {
            "batch": wanted,
            "expires": int(EXPIRY_SECONDS * 1e9),
            "idle_heartbeat": int(HEARTBEAT_SECONDS * 1e9),
        }
        self._credit += wanted
        self._heard = now
        self._credit_ends = now + EXPIRY_SECONDS + 1
        await self._client.publish(self._request, json.dumps(request).encode(), reply=self._inbox)

    async def _received(self, message: Msg) -> None:
        self._heard = asyncio.get_running_loop().time()
        status = message.headers.get("Status") if message.headers else None
        if status is None or message.reply.startswith("$JS.ACK."):
            self._credit = max(0, self._credit - 1)
            self._buffer.append(message)
            self._arrival.set()
            return
        self._status(status, message.headers or {})

    def _status(self, status: str, headers: dict[str, str]) -> None:
        if status == "100":  # a heartbeat
            return
        unfilled = headers.get("Nats-Pending-Messages")
        self._credit = max(0, self._credit - int(unfilled)) if unfilled else 0
        if status not in ("404", "408"):
            # 409: consumer deleted, leader changed, too many requests. 503: JetStream is not up (again) yet.
            self._paused_until = asyncio.get_running_loop().time() + PAUSE_SECONDS
            self.gone = self.gone or status == "503" or "Deleted" in headers.get("Description", "")
        self._arrival.set()


class Reader(Puller):
    """Of a consumer without acknowledgements, which takes what a broken connection has lost for delivered.

    `gone` also when something is missing: what comes after it is not handed out.
    """

    def __init__(self, client: Client, stream: str, consumer: str) -> None:
        super().__init__(client, stream, consumer)
        self._next = 1

    async def pull(self, limit: int, wait: float) -> list[Msg]:
        found = []
        for message in await super().pull(limit, wait):
            if position(message).consumer != self._next:
                self.gone = True
                break
            self._next += 1
            found.append(message)
        return found


PULL_ERRORS = (nats.errors.Error, asyncio.InvalidStateError)
