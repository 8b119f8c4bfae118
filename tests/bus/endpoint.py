"""EventBridge's endpoint on loopback, for a real SDK: the least HTTP server that can call the handler."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

from harness.wire import Handler, HttpRequest, NetworkPlace

T = TypeVar("T")


class Loop:
    """An event loop in a thread, with a door for synchronous callers."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(120)

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


@contextmanager
def serving(handler: Handler, place: NetworkPlace, loop: Loop) -> Iterator[str]:
    """The URL."""

    class Connection(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # an answer is written in two pieces

        def do_POST(self) -> None:
            path, _, query = self.path.partition("?")
            headers = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            request = HttpRequest(self.command, path.encode(), query.encode(), headers, body)

            async def answer() -> tuple[int, list[tuple[bytes, bytes]], bytes]:
                response = await handler(request, place)
                return response.status, list(response.headers), response.body

            status, sent, content = loop.run(answer())
            self.send_response(status)
            for name, value in sent:
                self.send_header(name.decode(), value.decode())
            if status != 204:
                self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_DELETE = do_POST

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Connection)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
