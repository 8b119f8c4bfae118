"""Listening sockets that the supervisor owns, and free ports held for servers that bind their own."""

import errno
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

from harness.errors import StartError

BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Listen:
    """A place to listen at. `port` 0 = any free one. `setting` tells the user which setting changes it."""

    name: str
    host: str
    port: int
    setting: str


def listen(wanted: Sequence[Listen]) -> dict[str, socket.socket]:
    """A listening socket for each, by name; all or none. `StartError` lists every port that could not be had."""
    bound: dict[str, socket.socket] = {}
    problems: list[str] = []
    for place in wanted:
        try:
            bound[place.name] = _listen(place)
        except OSError as error:
            problems.append(_refusal(place, error))
    if problems:
        for each in bound.values():
            each.close()
        raise StartError("\n".join(problems))
    return bound


def port_of(bound: socket.socket) -> int:
    port = bound.getsockname()[1]
    assert isinstance(port, int)
    return port


class ReservedPort:
    """A free port of a host, kept from everyone else until `release`.

    On Linux two sockets with SO_REUSEADDR may be bound to one port while neither listens (socket(7)), and the kernel
    gives a bound port to nobody who asks for any. So the socket held here keeps the port for the server it is meant
    for, also between its crash and its restart. Elsewhere the port is only picked, and found free at that moment.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        held = _socket(host)
        try:
            held.bind((host, 0))
        except OSError as error:
            held.close()
            raise StartError(f"no free port on {host}: {error.strerror}") from error
        self.host = host
        self.port = port_of(held)
        self._held: socket.socket | None = held
        if sys.platform != "linux":
            self.release()

    def release(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None


def _listen(place: Listen) -> socket.socket:
    made = _socket(place.host)
    try:
        made.bind((place.host, place.port))
        made.listen(BACKLOG)
    except OSError:
        made.close()
        raise
    return made


def _socket(host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return made


def _refusal(place: Listen, error: OSError) -> str:
    where = f"port {place.port} ({place.name})"
    if error.errno == errno.EADDRINUSE:
        return f"{where} is in use by another program{_holder(place.port)}: end it, or set another with {place.setting}"
    if error.errno == errno.EACCES:
        return f"{where} needs a privilege that this user lacks: set one above 1023 with {place.setting}"
    return f"{where} cannot be bound on {place.host} ({error.strerror}): set another with {place.setting}"


def _holder(port: int) -> str:
    """` (nginx, process 4711)` where the system tells; of other users' programs it does not."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status != psutil.CONN_LISTEN or not connection.laddr or not connection.pid:
                continue
            if connection.laddr.port == port:
                return f" ({psutil.Process(connection.pid).name()}, process {connection.pid})"
    except psutil.Error:
        return ""
    return ""
