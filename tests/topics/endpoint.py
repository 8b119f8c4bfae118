"""SNS's and SQS's endpoints for a real SDK, the notifier between them, and an HTTP endpoint that subscribes."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness.http_client import HttpClient
from harness.local.owners import Owners
from harness.local.topics import compile_filter, for_topics, posting
from harness.queues.sender import Sender
from harness.runtime.keys import topics_signing_key
from harness.topics.api import TopicsApi
from harness.topics.notifier import Notifier
from harness.topics.outbox import MemoryOutbox
from harness.topics.registry import Registry
from harness.topics.signing import Signer, certificate_in
from tests.access.landscape import REGION, WORKBENCH
from tests.bus.endpoint import Loop, serving
from tests.queues.endpoint import Endpoint

SQS = frozenset({"CreateQueue", "ReceiveMessage", "DeleteMessage", "GetQueueAttributes", "SetQueueAttributes"})


@cache
def signing_key() -> bytes:
    with TemporaryDirectory() as folder:
        return topics_signing_key(Path(folder))


class Subscriber:
    """Answers each POST with the next of `statuses`, else 200, and keeps what came."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], str]] = []
        self.statuses: list[int] = []
        self._arrival = threading.Condition()
        subscriber = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                with subscriber._arrival:
                    subscriber.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                    status = subscriber.statuses.pop(0) if subscriber.statuses else 200
                    subscriber._arrival.notify_all()
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/notified"

    def wait_for(self, count: int) -> list[tuple[dict[str, str], str]]:
        with self._arrival:
            assert self._arrival.wait_for(lambda: len(self.got) >= count, timeout=60), self.got
            return list(self.got)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Landscape:
    """`speed`: of retries. `containers`: account ids by the base URLs of containers."""

    def __init__(self, loop: Loop, *, speed: float = 1000) -> None:
        self.loop = loop
        self.containers: dict[str, str] = {}
        self.queues = Endpoint(loop)
        self.url = ""
        registry = self.registry = Registry(self.queues.copy, self.queues.state)
        outbox = MemoryOutbox()
        self.api = TopicsApi(
            self.queues.authority,
            registry,
            outbox,
            compile=compile_filter,
            region=REGION,
            certificate=certificate_in(signing_key()),
        )
        self._notifying = loop.run(self._start(registry, outbox, speed))

    async def _start(self, registry: Registry, outbox: MemoryOutbox, speed: float) -> "asyncio.Task[None]":
        self._stop = asyncio.Event()
        self._client = HttpClient()
        sender = Sender(self.queues.broker, self.queues.authority)
        notifier = Notifier(
            registry,
            outbox,
            compile=compile_filter,
            send=for_topics(sender),
            post=posting(self._client, Owners(self.containers)),
            signer=Signer(signing_key()),
            speed=speed,
        )
        return asyncio.create_task(notifier.run(self._stop))

    def client(self, role: str, operation: str) -> Any:
        if operation in SQS:
            return self.queues.client(role)
        return self.queues.client(role, "sns", self.url)

    def close(self) -> None:
        async def end() -> None:
            self._stop.set()
            await self._notifying
            await self._client.close()

        self.loop.run(end())
        self.queues.close()


@contextmanager
def landscape() -> Iterator[Landscape]:
    loop = Loop()
    found = Landscape(loop)
    with ExitStack() as stack:
        found.url = stack.enter_context(serving(found.api, WORKBENCH, loop))
        found.queues.url = stack.enter_context(serving(found.queues.api, WORKBENCH, loop))
        yield found
        found.close()
    loop.close()
