"""EventBridge to SQS over HTTP, as a client of AWS sees it: the same client on the harness and on its peers.

`.venv/bin/python -m bench.bus_peers [--seconds 5] [--rounds 3] [--peers PYTHON]` prints a table and writes
bench/results/bus_peers.json. A rule sends every event to a queue. Sixteen connections put ten events a call; then one
event at a time is put while a consumer waits in a long poll. The harness signs, checks and keeps everything on disk;
what the peers keep is said in the table.

`--peers`: the Python of an environment that has them: `python -m venv peers && peers/bin/pip install 'moto[server]'
ministack`. Without it the harness alone is measured.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median
from typing import Any

import uvloop

from bench.bus_servers import REGION, Place, Server, harness_landscape, ministack, moto, prepare
from harness.clock import utc_now
from harness.sigv4 import sign
from harness.wire import HttpRequest

RESULTS = Path(__file__).parent / "results" / "bus_peers.json"
CONNECTIONS, ENTRIES = 16, 10
LATENCY_EVENTS = 200
Figures = dict[str, float]


def main() -> int:
    options = argparse.ArgumentParser(description="Benchmark of the event bus beside its peers.")
    options.add_argument("--seconds", type=float, default=5, help="of each measurement of throughput (default 5)")
    options.add_argument("--rounds", type=int, default=3, help="rounds; the table shows medians (default 3)")
    options.add_argument("--peers", type=Path, help="the Python of an environment with moto and ministack")
    chosen = options.parse_args()
    servers: dict[str, AbstractContextManager[Server]] = {"harness": harness_landscape()}
    if chosen.peers:
        servers |= {"moto": moto(chosen.peers), "ministack": ministack(chosen.peers)}
    rounds: dict[str, list[Figures]] = {name: [] for name in servers}
    for name, server in servers.items():
        print(f"{name} …", file=sys.stderr)
        with server as running:
            for number in range(chosen.rounds):
                rounds[name].append(uvloop.run(measure(prepare(running, number), chosen.seconds)))
    medians = {name: {key: median(each[key] for each in found) for key in found[0]} for name, found in rounds.items()}
    print(f"{'':<12}{'PutEvents/s':>12}{'p50 ms':>9}{'p99 ms':>9}   kept on disk, signature checked")
    for name, figures in medians.items():
        kept = "yes, yes" if name == "harness" else "no, no"
        print(f"{name:<12}{figures['put']:>12,.0f}{figures['p50']:>9.2f}{figures['p99']:>9.2f}   {kept}")
    RESULTS.parent.mkdir(exist_ok=True)
    machine = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    RESULTS.write_text(json.dumps({"machine": machine, "medians": medians, "rounds": rounds}, indent=2) + "\n")
    print(f"written to {RESULTS}")
    return 0


async def measure(place: Place, seconds: float) -> Figures:
    times = sorted(await latency(place))
    put = await throughput(place, seconds)
    return {"put": put, "p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100]}


async def throughput(place: Place, seconds: float) -> float:
    """Events acknowledged a second."""
    calls = 0
    begun = time.perf_counter()
    message = put_events(place, ENTRIES)  # a client signs, not the server: one signed request serves all calls

    async def connection() -> None:
        nonlocal calls
        async with Connection(place) as client:
            while time.perf_counter() - begun < seconds:
                answer = await client.exchange(message)
                if answer.get("FailedEntryCount") != 0:
                    raise RuntimeError(f"PutEvents failed: {answer}")
                calls += 1

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    return calls * ENTRIES / (time.perf_counter() - begun)


async def latency(place: Place) -> list[float]:
    """Milliseconds from the call of PutEvents to the consumer that waits in a long poll, one event at a time."""
    times: list[float] = []
    async with Connection(place) as producer, Connection(place) as consumer:
        for _ in range(LATENCY_EVENTS):
            waiting = asyncio.create_task(receive(place, consumer))
            await asyncio.sleep(0.005)  # so that the poll is there first
            await producer.exchange(put_events(place, 1))
            arrived, sent, handle = await waiting
            times.append((arrived - sent) / 1e6)
            await consumer.exchange(
                aws_call(
                    place, "sqs", "AmazonSQS.DeleteMessage", {"QueueUrl": place.queue_url, "ReceiptHandle": handle}
                )
            )
    return times


async def receive(place: Place, client: "Connection") -> tuple[int, int, str]:
    """When it came, when it was sent (ns), and its receipt handle."""
    while True:
        answer = await client.exchange(of_queue(place, "ReceiveMessage", WaitTimeSeconds=20, MaxNumberOfMessages=1))
        for message in answer.get("Messages", ()):
            return time.perf_counter_ns(), json.loads(message["Body"])["detail"]["at"], message["ReceiptHandle"]


def put_events(place: Place, entries: int) -> bytes:
    detail = json.dumps({"at": time.perf_counter_ns(), "orderId": "17", "lines": [{"sku": "a", "quantity": 2}] * 3})
    entry = {"Source": "orders", "DetailType": "OrderPlaced", "Detail": detail, "EventBusName": place.bus}
    return aws_call(place, "events", "AWSEvents.PutEvents", {"Entries": [entry] * entries})


def of_queue(place: Place, operation: str, **members: object) -> bytes:
    return aws_call(place, "sqs", f"AmazonSQS.{operation}", {"QueueUrl": place.queue_url, **members})


def aws_call(place: Place, service: str, target: str, content: Mapping[str, Any]) -> bytes:
    body = json.dumps(content).encode()
    version = b"1.0" if service == "sqs" else b"1.1"
    bare = HttpRequest(
        "POST",
        b"/",
        b"",
        [
            (b"host", place.server.authority.encode()),
            (b"content-type", b"application/x-amz-json-" + version),
            (b"x-amz-target", target.encode()),
        ],
        body,
    )
    added = sign(
        bare,
        access_key_id=place.server.access_key_id,
        secret=place.server.secret,
        session_token=place.server.session_token,
        region=REGION,
        service=service,
        now=utc_now(),
    )
    lines = [b"%s: %s" % header for header in (*bare.headers, *added, (b"content-length", b"%d" % len(body)))]
    return b"\r\n".join([b"POST / HTTP/1.1", *lines, b"", body])


class Connection:
    """One kept-alive connection; answers have a length."""

    def __init__(self, place: Place) -> None:
        self._place = place

    async def __aenter__(self) -> "Connection":
        await self._open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def exchange(self, message: bytes) -> dict[str, Any]:
        self._writer.write(message)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        content = await self._reader.readexactly(length)
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(f"{head!r} {content!r}")
        if b"connection: close" in head or head.startswith(b"http/1.0"):
            self._writer.close()
            await self._open()
        answer: dict[str, Any] = json.loads(content or b"{}")
        return answer

    async def _open(self) -> None:
        host, _, port = self._place.server.authority.partition(":")
        self._reader, self._writer = await asyncio.open_connection(host, int(port))


if __name__ == "__main__":
    sys.exit(main())
