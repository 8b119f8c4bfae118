"""Events through the bus: PutEvents acknowledged to file storage, delivered to a handler, and the time between.

`.venv/bin/python -m bench.bus [--seconds 5] [--rounds 3]` prints a table and writes bench/results/bus.json. Three
processes beside this one: nats-server, a router, and a handler that answers 200. This process stands for the edge: each
call is a signed request of 10 entries through authentication, authorisation and validation to the store, 16 at once.
The cost of matching is measured alone, per event, at growing numbers of rules.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httptools
import uvloop

from bench.matching import KINDS, costs
from harness.access import Authority
from harness.bus.api import EventsApi
from harness.bus.catalogue import Catalogue
from harness.bus.dead_letters import DeadLetters
from harness.bus.jetstream import JetStreamStore
from harness.bus.lane import Work
from harness.bus.model import Bus, Rule, Target
from harness.bus.operations.call import Desk
from harness.bus.patterns.pattern import compile_pattern
from harness.bus.router import Router
from harness.bus.targets.delivery import Failure, HttpDelivery
from harness.clock import utc_now
from harness.http_client import HttpClient
from harness.identity import Directory, Role, Sealer, SecretBox, role_id, start_session
from harness.policy import PolicyKind, compile_document
from harness.sigv4 import sign
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from harness.wire import HttpRequest, NetworkPlace, PlaceKind, function_arn

RESULTS = Path(__file__).parent / "results" / "bus.json"
REGION, ACCOUNT = "eu-west-1", "111111111111"
BUS = Bus(REGION, ACCOUNT, "shop")
HANDLER = function_arn(REGION, ACCOUNT, "handler")
PLACE = NetworkPlace("workbench", PlaceKind.WORKBENCH, ACCOUNT, "vpce-0", "vpc-0")
CONNECTIONS, ENTRIES = 16, 10
LATENCY_EVENTS = 1000
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


def main() -> int:
    options = argparse.ArgumentParser(description="Benchmark of the event bus.")
    options.add_argument("--seconds", type=float, default=5, help="of each measurement of throughput (default 5)")
    options.add_argument("--rounds", type=int, default=3, help="rounds; the table shows medians (default 3)")
    chosen = options.parse_args()
    rounds = []
    for number in range(chosen.rounds):
        print(f"round {number + 1} of {chosen.rounds} …", file=sys.stderr)
        rounds.append(one_round(chosen.seconds))
    figures = {name: median(each[name] for each in rounds) for name in rounds[0]}
    matching = {kind: costs(make) for kind, make in KINDS.items()}
    show(figures, matching)
    RESULTS.parent.mkdir(exist_ok=True)
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    content = {"machine": machine, "medians": figures, "matching_us": matching, "rounds": rounds}
    RESULTS.write_text(json.dumps(content, indent=2) + "\n")
    print(f"written to {RESULTS}")
    return 0


def show(figures: dict[str, float], matching: dict[str, dict[int, float]]) -> None:
    print(f"PutEvents alone, durable     {figures['put']:>10,.0f} events/s   (design: 12,500)")
    print(f"PutEvents, router at work    {figures['put_routed']:>10,.0f} events/s")
    print(f"until all are delivered      {figures['delivered']:>10,.0f} events/s")
    print(f"put to handler, idle   p50   {figures['p50']:>10.2f} ms         (design: 1.5)")
    print(f"                       p99   {figures['p99']:>10.2f} ms")
    for kind, by_count in matching.items():
        for count, cost in by_count.items():
            print(f"matching, {kind}, {count:>6,} rules {cost:>8.1f} µs an event")


def one_round(seconds: float) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="bench-bus-") as folder, nats_server(Path(folder)) as nats:
        return uvloop.run(measure(nats, seconds))


async def measure(nats: str, seconds: float) -> dict[str, float]:
    port = free_port()
    store = await JetStreamStore.connect(nats)
    await store.prepare([BUS.arn])
    put = putter(store)
    with process(handler_process, port):
        alone, _ = await throughput(put, seconds)
        await drain(store)
        with process(router_process, nats, port):
            p50, p99 = await latency(put, port)
            begun = time.perf_counter()
            before = (await asked(port))[0]
            routed, sent = await throughput(put, seconds)
            while (await asked(port))[0] - before < sent:  # noqa: ASYNC110 - another process counts
                await asyncio.sleep(0.01)
            delivered = sent / (time.perf_counter() - begun)
    await store.close()
    return {"put": alone, "put_routed": routed, "delivered": delivered, "p50": p50, "p99": p99}


async def drain(store: JetStreamStore) -> None:
    """Forgets what the first measurement put, so that the router begins with an empty bus."""
    while held := await store.pull_events(BUS.arn, 5000, 0.5):
        for item in held:
            await item.ack()


Put = Callable[[int], Awaitable[None]]


def putter(store: JetStreamStore) -> Put:
    """A call of PutEvents with so many entries, signed and checked as at the edge."""
    sealer = Sealer(bytes(32))
    text = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"events:PutEvents","Resource":"*"}]}'
    trust_text = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}'
    allow = compile_document(text, kind=PolicyKind.IDENTITY, name="put")
    trust = compile_document(trust_text, kind=PolicyKind.TRUST, name="trust")
    role = Role(ACCOUNT, "bench", role_id(ACCOUNT, "bench"), trust=trust, policies=(allow,))
    directory = Directory(REGION, "o-bench", {ACCOUNT: "bench"}, {role.arn: role})
    replica = Replica(MemoryState())
    catalogue = Catalogue(replica, region=REGION, accounts=[ACCOUNT], buses=[BUS])
    api = EventsApi(Desk(Authority(directory, sealer), catalogue, replica, store, REGION, SecretBox(bytes(32))))
    credentials = sealer.issue(start_session(role, "bench", now=utc_now().replace(microsecond=0), seconds=3600))
    requests: dict[tuple[int, int], HttpRequest] = {}

    def request(entries: int) -> HttpRequest:
        detail = json.dumps({"at": time.perf_counter_ns(), "orderId": "17", "lines": [{"sku": "a", "quantity": 2}] * 3})
        entry = {"Source": "orders", "DetailType": "OrderPlaced", "Detail": detail, "EventBusName": "shop"}
        body = json.dumps({"Entries": [entry] * entries}).encode()
        target = (b"x-amz-target", b"AWSEvents.PutEvents")
        bare = HttpRequest("POST", b"/", b"", [(b"host", b"localhost:4566"), target], body)
        added = sign(
            bare,
            access_key_id=credentials.access_key_id,
            secret=credentials.secret_access_key,
            session_token=credentials.session_token,
            region=REGION,
            service="events",
            now=utc_now(),
        )
        return HttpRequest("POST", b"/", b"", [*bare.headers, *added], body)

    async def put(entries: int) -> None:
        # A client signs, not the edge: one signed request serves many calls of the throughput.
        key = (entries, int(time.monotonic() / 60))
        if entries == 1 or key not in requests:
            requests[key] = request(entries)
        answer = await api(requests[key], PLACE)
        if answer.status != 200 or b'"FailedEntryCount":0' not in answer.body:
            raise RuntimeError(f"PutEvents failed: {answer.status} {answer.body[:500]!r}")

    return put


async def throughput(put: Put, seconds: float) -> tuple[float, int]:
    """Events acknowledged a second, and how many in all."""
    calls = 0
    begun = time.perf_counter()

    async def connection() -> None:
        nonlocal calls
        while time.perf_counter() - begun < seconds:
            await put(ENTRIES)
            calls += 1

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return calls * ENTRIES / (time.perf_counter() - begun), calls * ENTRIES


async def latency(put: Put, port: int) -> tuple[float, float]:
    """p50 and p99 in ms from the call of PutEvents to the handler, one event at a time."""
    for _ in range(50):
        await put(1)
    while (await asked(port))[0] < 50:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    for number in range(LATENCY_EVENTS):
        await put(1)
        while (await asked(port))[0] < 51 + number:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    times = sorted((await asked(port))[1][50:])
    return times[len(times) // 2] / 1e6, times[len(times) * 99 // 100] / 1e6


async def asked(port: int) -> tuple[int, list[int]]:
    """How many events the handler took, and the nanoseconds that the first ones were under way."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    answer = await reader.read()
    writer.close()
    content = json.loads(answer.split(b"\r\n\r\n", 1)[1])
    return content["taken"], content["times"]


class Handler(asyncio.Protocol):
    """Takes events; `perf_counter` is one clock for all processes of a machine."""

    taken = 0
    times: list[int] = []  # noqa: RUF012 - one list for all connections of the process

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.parser = httptools.HttpRequestParser(self)
        self.body = b""

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, chunk: bytes) -> None:
        self.body += chunk

    def on_message_complete(self) -> None:
        if self.parser.get_method() == b"GET":
            times = Handler.times if Handler.taken == 50 + LATENCY_EVENTS else []
            content = json.dumps({"taken": Handler.taken, "times": times}).encode()
            self.transport.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + content)
            self.transport.close()
            return
        Handler.taken += 1
        if len(Handler.times) < 50 + LATENCY_EVENTS:
            Handler.times.append(time.perf_counter_ns() - json.loads(self.body)["detail"]["at"])
        self.body = b""
        self.transport.write(OK)


def handler_process(port: int) -> None:
    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(Handler, "127.0.0.1", port)
        await server.serve_forever()

    uvloop.run(serve())


async def no_queue(queue: str, body: bytes, **_: object) -> Failure | None:
    return Failure("NO_RESOURCE", queue, retryable=False)


def router_process(nats: str, port: int) -> None:
    async def route() -> None:
        store = await JetStreamStore.connect(nats)
        target = Target("handler", HANDLER)
        rule = Rule("placed", BUS.arn, ACCOUNT, compile_pattern({"detail-type": ["OrderPlaced"]}), (target,))
        catalogue = Catalogue(Replica(MemoryState()), region=REGION, accounts=[], buses=[BUS], rules=[rule])
        deliver = HttpDelivery(HttpClient(), {HANDLER: f"http://127.0.0.1:{port}"})
        await Router(catalogue, Work(store, deliver, DeadLetters(no_queue, store))).run(asyncio.Event())

    uvloop.run(route())


@contextmanager
def nats_server(folder: Path) -> Iterator[str]:
    port = free_port()
    config = folder / "nats.conf"
    config.write_text(f'listen: 127.0.0.1:{port}\nmax_payload: 8MB\njetstream {{ store_dir: "{folder}/data" }}\n')
    program = Path(sys.executable).parent / "nats-server"
    server = subprocess.Popen([program, "-c", config], stderr=subprocess.DEVNULL)
    try:
        yield f"nats://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@contextmanager
def process(work: Callable[..., None], *arguments: Any) -> Iterator[None]:
    child = multiprocessing.get_context("spawn").Process(target=work, args=arguments, daemon=True)
    child.start()
    if work is handler_process:
        wait_for_port(arguments[0])
    try:
        yield
    finally:
        child.kill()
        child.join()


def wait_for_port(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
