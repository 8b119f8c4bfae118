"""A proxy on loopback that signs as one role, for verifiers that can only send static headers.

It also answers the verifier's state-change requests, because the values that a state yields must reach the verifier in
that answer (Pact specification, provider states with parameters).
"""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import requests

from harness.wire import MAX_BODY_BYTES

STATE_PATH = "/_pact/state"
StateHandler = Callable[[str], dict[str, Any]]

_NOT_RELAYED = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host"}
)


class SigningProxy:
    """`with SigningProxy(session, "http://127.0.0.1:4566", state=…) as proxy: verifier.use(proxy.url)`"""

    def __init__(
        self, session: requests.Session, upstream: str, *, state: StateHandler, timeout_seconds: float = 35.0
    ) -> None:
        made = _Relay(session, upstream, state, timeout_seconds)

        class Handler(_Handler):
            relay = made

        self._relay = made
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True, name="signing-proxy")

    @property
    def state_problems(self) -> list[str]:
        """Why states could not be reached, in words; the verifier's report has none of them."""
        return self._relay.state_problems

    @property
    def port(self) -> int:
        return self._server.server_port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Relay:
    def __init__(self, session: requests.Session, upstream: str, state: StateHandler, timeout_seconds: float) -> None:
        self.session = session
        self.upstream = upstream
        self.state = state
        self.timeout_seconds = timeout_seconds
        self.state_problems: list[str] = []
        self.lock = threading.Lock()

    def forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> requests.Response:
        with self.lock:  # a requests.Session is not made for threads
            return self.session.request(
                method,
                self.upstream + path,
                headers=headers,
                data=body,
                timeout=self.timeout_seconds,
                allow_redirects=False,
            )


class _Handler(BaseHTTPRequestHandler):
    relay: _Relay
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_BODY_BYTES:
            self.send_error(413)
            return
        body = self.rfile.read(length)
        if self.path == STATE_PATH:
            self._change_state(body)
            return
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_RELAYED}
        try:
            response = self.relay.forward(self.command, self.path, headers, body)
        except requests.RequestException as error:
            self._answer(502, {"Content-Type": "text/plain"}, f"signing proxy: {type(error).__name__}".encode())
            return
        self._answer(response.status_code, dict(response.headers), response.content)

    def _change_state(self, body: bytes) -> None:
        request = json.loads(body)
        values: dict[str, Any] = {}
        if request.get("action") == "setup" and request.get("state"):
            try:
                values = self.relay.state(request["state"])
            except Exception as error:  # noqa: BLE001 - the verifier reports it as the state's failure, with its text
                self.relay.state_problems.append(str(error))
                # Not a 5xx: the verifier would try those again for two minutes.
                self._answer(422, {"Content-Type": "text/plain"}, str(error).encode())
                return
        self._answer(200, {"Content-Type": "application/json"}, json.dumps(values).encode())

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in _NOT_RELAYED:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _handle

    def log_message(self, format: str, *args: object) -> None:
        """Requests are reported by the verifier, not by the proxy."""
