"""What an event costs each process of a landscape: from PutEvents over HTTP to the queue that a rule sends it to.

`.venv/bin/python -m bench.bus_cost [--events 5000] [--rounds 3]` prints the processor time of the edge, the router and
nats-server for an event, until the queue has them all. On a machine that does other work, this says more than a rate.
"""

import argparse
import asyncio
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median

import psutil
import uvloop

from bench.bus_peers import CONNECTIONS, ENTRIES, Connection, of_queue, put_events
from bench.bus_servers import Place, harness_landscape, prepare

PARTS = {"edge": "harness.local edge", "router": "harness.local router", "nats-server": "nats-server"}
DEADLINE_SECONDS = 120
Figures = dict[str, float]


def main() -> int:
    options = argparse.ArgumentParser(description="What an event costs each process of a landscape.")
    options.add_argument("--events", type=int, default=5000, help="of each round (default 5000)")
    options.add_argument("--rounds", type=int, default=3, help="rounds; the table shows medians (default 3)")
    chosen = options.parse_args()
    with harness_landscape() as server:
        parts = processes(server.folder)
        rounds = [uvloop.run(measure(prepare(server, number), parts, chosen.events)) for number in range(chosen.rounds)]
    for name in rounds[0]:
        values = [each[name] for each in rounds]
        print(f"{name:<34}{median(values):>10,.0f}   least {min(values):>8,.0f}   most {max(values):>8,.0f}")
    print(f"load {os.getloadavg()[0]:.1f}")
    return 0


async def measure(place: Place, parts: Mapping[str, psutil.Process], events: int) -> Figures:
    events = max(1, events // ENTRIES) * ENTRIES
    await put(place, 200)
    await arrived(place, 200)
    before = {name: cpu(part) for name, part in parts.items()}
    begun = time.perf_counter()
    await put(place, events)
    acknowledged = time.perf_counter() - begun
    await arrived(place, 200 + events)
    delivered = time.perf_counter() - begun
    await asyncio.sleep(0.5)  # the notes of the last ones are written
    spent = {f"{name}, CPU us an event": (cpu(part) - before[name]) / events * 1e6 for name, part in parts.items()}
    return {**spent, "acknowledged, events/s": events / acknowledged, "in the queue, events/s": events / delivered}


async def put(place: Place, events: int) -> None:
    left = events // ENTRIES
    message = put_events(place, ENTRIES)

    async def connection() -> None:
        nonlocal left
        async with Connection(place) as client:
            while left > 0:
                left -= 1
                answer = await client.exchange(message)
                if answer.get("FailedEntryCount") != 0:
                    raise RuntimeError(f"PutEvents failed: {answer}")

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))


async def arrived(place: Place, count: int) -> None:
    """Asks seldom: the question costs the edge as well."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    async with Connection(place) as client:
        while True:
            answer = await client.exchange(of_queue(place, "GetQueueAttributes", AttributeNames=["All"]))
            if int(answer["Attributes"]["ApproximateNumberOfMessages"]) >= count:
                return
            if time.monotonic() > deadline:
                raise RuntimeError(f"of {count} events {answer['Attributes']} arrived")
            await asyncio.sleep(0.1)


def processes(folder: Path) -> dict[str, psutil.Process]:
    """Of the landscape in that folder: its path is in their command lines."""
    found = {}
    for process in psutil.process_iter(["cmdline"]):
        command = " ".join(process.info["cmdline"] or ())
        for name, words in PARTS.items():
            if words in command and str(folder) in command:
                found[name] = process
    return found


def cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    sys.exit(main())
