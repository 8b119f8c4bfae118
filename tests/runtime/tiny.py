"""A child for the supervisor's tests: answers HTTP on a port, and behaves as its arguments say. Needs no package.

`tiny.py NAME PORT [WORD…]`, PORT 0 = none, `fd:N` = a socket passed in. Words: `sick` answers 500, `exits` ends with
code 3 at once, `stubborn` ignores SIGTERM, `worker` has a child of its own in its
group. `GET /ask/…` does it later: `/sick`, `/well`, `/crash`, `/say/TEXT`.
"""

import os
import signal
import socket
import subprocess
import sys


def main(name: str, port: str, *words: str) -> None:
    if "exits" in words:
        print("no such setting: COLOUR", flush=True)
        sys.exit(3)

    def stop(number: int, frame: object) -> None:
        if "stubborn" in words:
            return
        # Not `print`: the signal may come in the middle of one, and its buffer takes no second writer.
        os.write(1, f"{name} ends\n".encode())
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    print(f"{name} begins", flush=True)
    if "worker" in words:
        worker = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
        print(f"worker {worker.pid}", flush=True)
    if port == "0":
        while True:
            signal.pause()
    serve(listener(port), sick="sick" in words)


def listener(port: str) -> socket.socket:
    if port.startswith("fd:"):
        return socket.socket(fileno=int(port.removeprefix("fd:")))
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", int(port)))
    made.listen()
    return made


def serve(listening: socket.socket, *, sick: bool) -> None:
    while True:
        connection, _ = listening.accept()
        with connection:
            head = connection.recv(65536).split(b" ")
            path = head[1].decode() if len(head) > 1 else ""
            if path == "/crash":
                os._exit(9)
            if path in ("/sick", "/well"):
                sick = path == "/sick"
            if path.startswith("/say/"):
                print(path.removeprefix("/say/"), flush=True)
            status = b"500 Sick" if sick and path == "/healthz" else b"200 OK"
            connection.sendall(b"HTTP/1.1 " + status + b"\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
