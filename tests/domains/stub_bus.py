"""An event bus that is one HTTP server: takes PutEvents, remembers every call, delivers to targets by source.

It fails on demand, which a bus that works does not.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from uuid import uuid4

import requests

from tests.local.edge import QuietServer

Verdict = Callable[[list[dict[str, Any]]], tuple[int, dict[str, Any]]]
"""Answers one PutEvents call in place of the bus: status and body."""


@dataclass
class StubBus:
    """`targets`: source -> base URL. `calls` holds the entries of every call, failed ones too."""

    url: str = ""
    targets: dict[str, str] = field(default_factory=dict)
    calls: list[list[dict[str, Any]]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    envelopes: list[dict[str, Any]] = field(default_factory=list)
    verdicts: deque[Verdict] = field(default_factory=deque)
    refused: list[str] = field(default_factory=list)

    def put_events(self, entries: list[dict[str, Any]]) -> tuple[int, dict[str, Any]]:
        self.calls.append(entries)
        with suppress(IndexError):
            return self.verdicts.popleft()(entries)
        return 200, {"FailedEntryCount": 0, "Entries": [{"EventId": self.accept(entry)} for entry in entries]}

    def accept(self, entry: dict[str, Any]) -> str:
        envelope = envelope_of(entry)
        self.envelopes.append(envelope)
        if entry["Source"] in self.targets:
            threading.Thread(target=self._deliver, args=(self.targets[entry["Source"]], envelope), daemon=True).start()
        return str(envelope["id"])

    def details(self, detail_type: str) -> list[dict[str, Any]]:
        return [envelope["detail"] for envelope in self.envelopes if envelope["detail-type"] == detail_type]

    def _deliver(self, target: str, envelope: dict[str, Any]) -> None:
        deadline = time.monotonic() + 120
        while True:
            try:
                answer = requests.post(f"{target}/events", json=envelope, timeout=60)
            except requests.RequestException:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
                continue
            if not answer.ok:
                self.refused.append(answer.text)
            return


def envelope_of(entry: dict[str, Any]) -> dict[str, Any]:
    """What a target gets of an entry (EventBridge, event structure)."""
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": "111111111111",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": "eu-west-1",
        "resources": [],
        "detail": json.loads(entry["Detail"]),
    }


@contextmanager
def running_bus() -> Iterator[StubBus]:
    bus = StubBus()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            bus.headers.append({name.lower(): value for name, value in self.headers.items()})
            status, answer = bus.put_events(body["Entries"])
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Tests read `calls`, not a log."""

    server = QuietServer(("127.0.0.1", 0), Handler)
    bus.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield bus
    server.shutdown()
    server.server_close()
    thread.join()
