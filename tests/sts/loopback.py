"""Puts a handler behind a real HTTP server on loopback, for clients that are not ours."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from harness.wire import Handler, HttpRequest, HttpResponse, NetworkPlace


@contextmanager
def served(handler: Handler, place: NetworkPlace) -> Iterator[str]:
    """The base URL, as long as the block runs."""

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("content-length", "0"))))

        def _answer(self, body: bytes) -> None:
            path, _, query = self.path.encode().partition(b"?")
            headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in self.headers.items()]
            request = HttpRequest(self.command, path, query, headers, body, client_ip=self.client_address[0])
            response = asyncio.run(_call(handler, request, place))
            self.send_response(response.status)
            for name, value in response.headers:
                self.send_header(name.decode(), value.decode())
            self.send_header("content-length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        def log_message(self, format: str, *args: object) -> None:
            """Tests print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def _call(handler: Handler, request: HttpRequest, place: NetworkPlace) -> HttpResponse:
    return await handler(request, place)
