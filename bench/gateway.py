"""A signed call through the gateway, beside the same call straight to the upstream and through nginx as a plain proxy.

`.venv/bin/python -m bench.gateway [--seconds 8] [--rounds 3]` prints a table and writes bench/results/gateway.json.
Every process runs on loopback and on a free port. With two cores or more, the server under test has core 0 for itself;
wrk, and the upstream behind a proxy, share core 1. The column "CPU us" is what the server under test used for a
request: on a machine that does other work too, it says more than the rate.
"""

import argparse
import contextlib
import json
import os
import platform
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from bench.gateway_servers import PATH, REGION, caller_role
from harness.identity import Sealer, start_session
from harness.sigv4 import sign
from harness.wire import HttpRequest

CONNECTIONS = 16
RESULTS = Path(__file__).parent / "results" / "gateway.json"
_TOOLS = {"wrk": "apt-get install wrk", "nginx": "apt-get install nginx-light"}
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}

_NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; {user}
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  upstream container {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://container; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


def main() -> int:
    options = argparse.ArgumentParser(description="Benchmark of the gateway.")
    options.add_argument("--seconds", type=int, default=8, help="of each measurement (default 8)")
    options.add_argument("--rounds", type=int, default=3, help="rounds; the table shows medians (default 3)")
    chosen = options.parse_args()
    missing = [tool for tool in _TOOLS if find(tool) is None]
    if missing:
        for tool in missing:
            print(f"{tool} is missing: {_TOOLS[tool]} (Debian, Ubuntu)", file=sys.stderr)
        return 2
    with contextlib.ExitStack() as stack:
        rows = measure(stack, seconds=chosen.seconds, rounds=chosen.rounds)
    result = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()},
        "connections": CONNECTIONS,
        "seconds": chosen.seconds,
        "rounds": chosen.rounds,
        "placement": placement(),
        "rows": rows,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")
    show(rows)
    print(f"\n{placement()}\nwritten to {RESULTS}")
    return 1 if any(row["failures"] for row in rows) else 0


def measure(stack: contextlib.ExitStack, *, seconds: int, rounds: int) -> list[dict[str, Any]]:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-gateway-")))
    key = secrets.token_bytes(32)
    plain, behind, gateway, proxy = listen(), listen(), listen(), listen()
    targets = {
        "signed, through the gateway": port_of(gateway),
        "straight to the upstream": port_of(plain),
        "nginx as a plain proxy": port_of(proxy),
    }
    start(stack, ["upstream"], behind, core=1)
    servers: list[subprocess.Popen[Any]] = [
        start(stack, ["edge"], gateway, f"http://127.0.0.1:{port_of(behind)}", core=0, stdin=key.hex() + "\n"),
        start(stack, ["upstream"], plain, core=0),
        start_nginx(stack, folder, proxy, port_of(behind)),
    ]
    for port in (*targets.values(), port_of(behind)):
        await_port(port)
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in targets}
    for _ in range(rounds):
        for (name, port), server in zip(targets.items(), servers, strict=True):
            before = cpu_seconds(server)
            figures = run_wrk(folder, port, signed_headers(key, port), seconds)
            used = cpu_seconds(server) - before
            figures["cpu_us"] = round(used * 1e6 / max(1, figures["requests"]), 1)
            runs[name].append(figures)
    return [
        {"what": name, **{figure: median(run[figure] for run in measured) for figure in measured[0]}}
        for name, measured in runs.items()
    ]


def signed_headers(master_key: bytes, port: int) -> dict[str, str]:
    """The same headers for each target, so that they differ in nothing but the server."""
    now = datetime.now(UTC)
    credentials = Sealer(master_key).issue(start_session(caller_role(), "bench", now=now, seconds=3600))
    path, _, query = PATH.partition("?")
    headers = [(b"host", b"127.0.0.1:%d" % port), (b"x-apigw-api-id", b"orders"), (b"accept", b"application/json")]
    added = sign(
        HttpRequest("GET", path.encode(), query.encode(), headers, b""),
        access_key_id=credentials.access_key_id,
        secret=credentials.secret_access_key,
        session_token=credentials.session_token,
        region=REGION,
        service="execute-api",
        now=now,
    )
    return {name.decode(): value.decode() for name, value in (*headers, *added)}


def run_wrk(folder: Path, port: int, headers: dict[str, str], seconds: int) -> dict[str, float]:
    script = folder / "request.lua"
    # wrk sends Host by itself; a second one would break the signature.
    lines = [
        f"wrk.headers[{json.dumps(name)}] = {json.dumps(value)}" for name, value in headers.items() if name != "host"
    ]
    script.write_text("\n".join(lines) + "\n")
    script.chmod(0o600)
    command = [
        str(find("wrk")),
        *("-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--latency", "-s", str(script)),
        f"http://127.0.0.1:{port}{PATH}",
    ]
    done = subprocess.run(pinned(command, core=1), capture_output=True, text=True, check=True, timeout=seconds + 30)
    return read_wrk(done.stdout)


def read_wrk(printed: str) -> dict[str, float]:
    """Requests a second, latencies in milliseconds, and how many answers were not 2xx or did not come."""
    failures = sum(int(count) for count in re.findall(r"Non-2xx or 3xx responses: (\d+)", printed))
    for line in re.findall(r"Socket errors: (.*)", printed):
        failures += sum(int(count) for count in re.findall(r"\d+", line))
    figures = {
        "requests": float(re.findall(r"(\d+) requests in", printed)[0]),
        "requests_per_second": float(re.findall(r"Requests/sec:\s+([\d.]+)", printed)[0]),
    }
    for share in (50, 99):
        value, unit = re.findall(rf"{share}%\s+([\d.]+)(us|ms|s|m)", printed)[0]
        figures[f"p{share}_ms"] = round(float(value) * _UNITS[unit], 3)
    return {**figures, "failures": failures}


def show(rows: list[dict[str, Any]]) -> None:
    nginx = rows[2]["requests_per_second"]
    print(f"{'':30}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'CPU us':>9}{'of nginx':>10}{'failures':>10}")
    for row in rows:
        print(
            f"{row['what']:30}{row['requests_per_second']:>12,.0f}{row['p50_ms']:>9.2f}{row['p99_ms']:>9.2f}"
            f"{row['cpu_us']:>9.1f}"
            f"{row['requests_per_second'] / nginx:>10.2f}{row['failures']:>10.0f}"
        )


def placement() -> str:
    if (os.cpu_count() or 1) < 2 or not hasattr(os, "sched_setaffinity"):
        return "one core for everything: the figures are what is left of it"
    return "core 0: the server under test alone; core 1: wrk, and the upstream behind the gateway and nginx"


def find(tool: str) -> str | None:
    return shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/usr/local/sbin")


def listen() -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("127.0.0.1", 0))
    return sock


def port_of(sock: socket.socket) -> int:
    port: int = sock.getsockname()[1]
    return port


def pinned(command: list[str], *, core: int) -> list[str]:
    taskset = find("taskset")
    return [taskset, "-c", str(core), *command] if taskset and (os.cpu_count() or 1) >= 2 else command


def start(
    stack: contextlib.ExitStack, role: list[str], sock: socket.socket, *arguments: str, core: int, stdin: str = ""
) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "bench.gateway_servers", *role, str(sock.fileno()), *arguments]
    process = subprocess.Popen(pinned(command, core=core), pass_fds=[sock.fileno()], stdin=subprocess.PIPE, text=True)
    stack.callback(stop, process)
    assert process.stdin is not None
    process.stdin.write(stdin)
    process.stdin.close()
    return process


def start_nginx(
    stack: contextlib.ExitStack, folder: Path, sock: socket.socket, upstream: int
) -> "subprocess.Popen[bytes]":
    port = port_of(sock)
    sock.close()
    user = "user root;" if os.geteuid() == 0 else ""
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, port=port, upstream=upstream, user=user))
    command = [str(find("nginx")), "-c", str(config), "-p", str(folder), "-e", str(folder / "error.log")]
    process = subprocess.Popen(pinned(command, core=0))
    stack.callback(stop, process)
    return process


def cpu_seconds(server: "subprocess.Popen[Any]") -> float:
    """Of the process and its children (nginx's worker)."""
    process = psutil.Process(server.pid)
    return sum(sum(each.cpu_times()[:2]) for each in (process, *process.children(recursive=True)))


def stop(process: "subprocess.Popen[Any]") -> None:
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def await_port(port: int, *, seconds: float = 15.0) -> None:
    until = time.monotonic() + seconds
    for _ in attempts(until):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
    raise SystemExit(f"nothing answers on port {port} after {seconds:g} s")


def attempts(until: float) -> Iterator[None]:
    while time.monotonic() < until:
        yield
        time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main())
