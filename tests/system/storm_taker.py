"""A domain that takes events and writes the number of each into a file: `python storm_taker.py FILE`.

It fails for ever with every hundredth, so that there are dead letters. One line a number, written before the answer:
what it has answered is there, however it ends.
"""

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

FAILING = 100


class Taker(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    file = -1

    def do_GET(self) -> None:
        self._answer(200)

    def do_POST(self) -> None:
        number = json.loads(self.rfile.read(int(self.headers["content-length"])))["detail"]["number"]
        if number % FAILING == 0:
            self._answer(500)
            return
        os.write(self.file, b"%d\n" % number)
        self._answer(200)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""


if __name__ == "__main__":
    Taker.file = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Taker).serve_forever()
