"""The HTTP/1.1 client of the hot path: a small pool of kept-alive connections to each container."""

import asyncio
from collections import deque
from typing import Protocol
from urllib.parse import urlsplit

from harness.gateway.connection import Connection
from harness.gateway.exchange import Answer, Exchange, UpstreamFault
from harness.wire import INTEGRATION_TIMEOUT_SECONDS

MAX_CONNECTIONS = 512
MAX_IDLE_CONNECTIONS = 64
# uvicorn and Node close an idle connection after 5 s; the Lambda Web Adapter's own pool keeps one for 4 s.
MAX_IDLE_SECONDS = 4.0


class Client(Protocol):
    """What the edge needs of a client, so that a test can answer in its stead."""

    async def exchange(
        self, origin: str, message: bytes, *, head: bool, repeatable: bool, timeout: float = ...
    ) -> Answer | UpstreamFault: ...

    def start(self, origin: str, message: bytes, *, head: bool) -> Exchange | None: ...

    async def exchange_anew(
        self, origin: str, message: bytes, *, head: bool, timeout: float
    ) -> Answer | UpstreamFault: ...

    def close(self) -> None: ...


class PooledClient:
    """One pool for each origin (`http://127.0.0.1:8081`), made when first needed. Belongs to one event loop."""

    def __init__(
        self,
        *,
        max_connections: int = MAX_CONNECTIONS,
        max_idle: int = MAX_IDLE_CONNECTIONS,
        max_idle_seconds: float = MAX_IDLE_SECONDS,
    ) -> None:
        self._max_connections = max_connections
        self._max_idle = max_idle
        self._max_idle_seconds = max_idle_seconds
        self._pools: dict[str, _Pool] = {}

    async def exchange(
        self,
        origin: str,
        message: bytes,
        *,
        head: bool,
        repeatable: bool,
        timeout: float = INTEGRATION_TIMEOUT_SECONDS,
    ) -> Answer | UpstreamFault:
        """`message`: the whole request as bytes. `head`: its method is HEAD. `repeatable`: its method is idempotent.

        `timeout`: how many seconds the other side is waited for in all, to the last byte of its answer.

        A kept-alive connection may have been closed by the other side just before the request reached it. Then, and
        only when not a byte came back, a repeatable request is sent once more on a new connection (RFC 9110, 9.2.2).
        """
        exchange = self.start(origin, message, head=head)
        if exchange is None:
            return await self.exchange_anew(origin, message, head=head, timeout=timeout)
        answer = await exchange.answer(timeout)
        if answer is UpstreamFault.NETWORK and repeatable:  # NETWORK: not a byte came back
            return await self.exchange_anew(origin, message, head=head, timeout=timeout)
        return answer

    def start(self, origin: str, message: bytes, *, head: bool) -> Exchange | None:
        """Sends the request on a kept-alive connection, if one is idle. Nothing is waited for, and nothing repeated."""
        connection = self._pool(origin).take_idle()
        return None if connection is None else connection.begin(message, head)

    async def exchange_anew(self, origin: str, message: bytes, *, head: bool, timeout: float) -> Answer | UpstreamFault:
        """`exchange` on a connection that is made for it."""
        return await self._pool(origin).exchange_on_new(message, head, timeout)

    def open_connections(self, origin: str) -> int:
        pool = self._pools.get(origin)
        return pool.open if pool is not None else 0

    def close(self) -> None:
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    def _pool(self, origin: str) -> "_Pool":
        pool = self._pools.get(origin)
        if pool is None:
            pool = self._pools[origin] = self._new_pool(origin)
        return pool

    def _new_pool(self, origin: str) -> "_Pool":
        parts = urlsplit(origin)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"an upstream is http://host:port, not {origin}")
        return _Pool(
            parts.hostname,
            parts.port or 80,
            max_connections=self._max_connections,
            max_idle=self._max_idle,
            max_idle_seconds=self._max_idle_seconds,
        )


class _Pool:
    """`open` counts connections that exist or are being made; at `max_connections` an exchange waits for its turn."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        max_connections: int,
        max_idle: int,
        max_idle_seconds: float,
    ) -> None:
        self.open = 0
        self._host = host
        self._port = port
        self._max_connections = max_connections
        self._max_idle = max_idle
        self._max_idle_seconds = max_idle_seconds
        self._idle: list[Connection] = []
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._loop = asyncio.get_running_loop()

    def take_idle(self) -> Connection | None:
        """The connection used last, so that those not needed grow old and are closed."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable(self._loop.time() - self._max_idle_seconds):
                return connection
            connection.close()
        return None

    async def exchange_on_new(self, message: bytes, head: bool, timeout: float) -> Answer | UpstreamFault:
        """Waiting for a turn and connecting count towards the timeout."""
        deadline = self._loop.time() + timeout
        try:
            async with asyncio.timeout_at(deadline):
                connection = await self._connect()
        except TimeoutError:
            return UpstreamFault.TIMEOUT
        except OSError:
            return UpstreamFault.NETWORK
        return await connection.begin(message, head).answer(deadline - self._loop.time())

    async def _connect(self) -> Connection:
        while self.open >= self._max_connections:
            turn = self._loop.create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._wake_next()  # the turn came at the same moment: hand it on
                raise
            idle = self.take_idle()
            if idle is not None:
                return idle
        self.open += 1
        connection = Connection(self, self._loop)
        connected = False
        try:
            await self._loop.create_connection(lambda: connection, self._host, self._port)
            connected = True
        finally:
            if not connected and not connection.made:  # one that was made reports its own loss
                self._lose()
        return connection

    def give_back(self, connection: Connection) -> None:
        if len(self._idle) < self._max_idle or self._waiting:
            connection.idle_since = self._loop.time()
            self._idle.append(connection)
        else:
            connection.close()
        if self._waiting:
            self._wake_next()

    def lost(self, connection: Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
        self._lose()

    def close(self) -> None:
        for connection in tuple(self._idle):
            connection.close()
        self._idle.clear()

    def _lose(self) -> None:
        self.open -= 1
        self._wake_next()

    def _wake_next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
