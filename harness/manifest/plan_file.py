"""What the supervisor hands to an edge or a router process: one JSON file each, checked when it is read.

A file holds secrets (the URL of NATS has its password), so only its owner may read it. Keys are as in the manifests,
with hyphens; what is at its default is left out.
"""

import dataclasses
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from harness.errors import InputError, Problem
from harness.manifest import formats
from harness.manifest.fields import (
    FAILED,
    C,
    Failed,
    Where,
    integer,
    mapping,
    number,
    optional,
    record,
    required,
    sequence,
    shape,
    text,
)
from harness.manifest.files import MAX_MANIFEST_BYTES, UnreadableError, read_text
from harness.manifest.settings import MOST_CLOCK_FACTOR
from harness.runtime.folder import write_whole
from harness.wire import NetworkPlace, PlaceKind
from harness.yaml_source import Node, from_plain

_BACKLOG: Final = 2048


def _path(node: Node, where: Where) -> Path | Failed:
    value = text(node, where)
    if value is FAILED:
        return FAILED
    return Path(value) if Path(value).is_absolute() else where.wrong(node.line, f'"{value}" is not an absolute path')


def _kind(node: Node, where: Where) -> PlaceKind | Failed:
    value = text(node, where)
    if value is FAILED:
        return FAILED
    if value not in set(PlaceKind):
        return where.wrong(node.line, f'"{value}" is not one of {", ".join(PlaceKind)}')
    return PlaceKind(value)


@shape
class _PlaceEntry:
    name: str = required(text, instead="", about="name of the place")
    kind: PlaceKind = required(_kind, instead=PlaceKind.PUBLIC, about="kind of the place")
    account: str = optional(formats.ACCOUNT_ID, default="", about="twelve digits")
    vpce_id: str = optional(text, default="", about="the VPC endpoint")
    vpc_id: str = optional(text, default="", about="the VPC")
    api: str = optional(formats.NAME, default="", about="the one API that the listener stands for")


def _place(node: Node, where: Where) -> NetworkPlace | Failed:
    entry = record(_PlaceEntry)(node, where)
    if entry is FAILED:
        return FAILED
    return NetworkPlace(entry.name, entry.kind, entry.account, entry.vpce_id, entry.vpc_id, entry.api)


@shape
class Listener:
    """A socket of the edge: `fd`, bound and inherited; without one, `host` and `port` are listened on."""

    place: NetworkPlace = required(
        _place, instead=NetworkPlace("", PlaceKind.PUBLIC), about="the network place that the socket is"
    )
    host: str = optional(text, default="127.0.0.1", about="address")
    port: int = optional(integer(0, 65_535), default=0, about="port; 0 takes a free one")
    fd: int | None = optional(integer(0, 2**20), default=None, about="file descriptor of the bound socket")

    def open(self) -> socket.socket:
        """The inherited socket, or a new one that listens; OSError where there is none to be had."""
        if self.fd is not None:
            return socket.socket(fileno=self.fd)
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        return socket.create_server((self.host, self.port), family=family, backlog=_BACKLOG)


@shape
class Nats:
    """`url` may hold user and password, and several servers with commas between.

    `credentials` is a NATS credentials file (user JWT and seed).
    """

    url: str = required(text, instead="", about="URL")
    credentials: Path | None = optional(_path, default=None, about="credentials file")
    replicas: int = optional(integer(1, 5), default=1, about="servers of a cluster that keep each stream; 1 to 5")

    def __repr__(self) -> str:
        return f"Nats(…@{self.url.rpartition('@')[2].removeprefix('nats://')})"


@dataclass(frozen=True, kw_only=True)
class _PlanFile:
    """Both kinds of settings read and write themselves."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises InputError with every mistake in the file."""
        problems: list[Problem] = []
        settings = _read(cls, path, problems)
        if problems or settings is None:
            raise InputError(problems)
        return settings

    def write(self, path: Path) -> None:
        """Replaces the file in one step; mode 0600. Raises OSError."""
        write_whole(path, json.dumps(_plain(self), indent=2).encode())


_UPSTREAMS: Final = mapping(formats.NAME.mistake, text)


@shape
class EdgeSettings(_PlanFile):
    """`upstreams`: base URL of every domain that runs, by name. `keys`: the folder of the landscape's keys.

    `endpoints`: host and port of each account's VPC endpoint, by the account's name, as its domain is told.
    `recording`: the file that edges lock while they write what consumers use; nothing is recorded without it.
    """

    landscape: Path = required(_path, instead=Path(), about="the harness.yaml")
    keys: Path = required(_path, instead=Path(), about="folder of keys")
    nats: Nats = required(record(Nats), instead=Nats(url=""), about="the event store")
    listeners: tuple[Listener, ...] = required(
        sequence(record(Listener), at_least=1), instead=(), about="sockets, each a network place"
    )
    endpoints: Mapping[str, str] = required(
        mapping(formats.NAME.mistake, text), instead={}, about="host and port of each account's VPC endpoint"
    )
    upstreams: Mapping[str, str] = optional(_UPSTREAMS, default={}, about="base URLs of the domains")
    recording: Path | None = optional(_path, default=None, about="lock of the recorded usage")


@shape
class RouterSettings(_PlanFile):
    """`upstreams` and `keys` as in EdgeSettings. The health endpoint listens on loopback only.

    `closed`: base URLs that no service calls, whatever an address resolves to: private listeners, the stores.
    `clock_factor`: how many times faster than the clock retries run and events grow old.
    """

    landscape: Path = required(_path, instead=Path(), about="the harness.yaml")
    keys: Path = required(_path, instead=Path(), about="folder of keys")
    nats: Nats = required(record(Nats), instead=Nats(url=""), about="the event store")
    health_port: int = required(integer(0, 65_535), instead=0, about="port of the health endpoint")
    upstreams: Mapping[str, str] = optional(_UPSTREAMS, default={}, about="base URLs of the domains")
    closed: tuple[str, ...] = optional(sequence(text), default=(), about="base URLs that no service calls")
    clock_factor: float = optional(
        number(1, MOST_CLOCK_FACTOR), default=1.0, about="the clock's factor for retries and ages"
    )


@shape
class StubSettings(_PlanFile):
    """The API whose contracts are served, on loopback."""

    landscape: Path = required(_path, instead=Path(), about="the harness.yaml")
    api: str = required(formats.NAME, instead="", about="whose contracts")
    port: int = required(integer(0, 65_535), instead=0, about="where it listens")
    seed: int = optional(integer(0, 2**31), default=1, about="the same seed makes up the same data")


def _read(cls: type[C], path: Path, problems: list[Problem]) -> C | None:
    where = Where(str(path), problems)
    try:
        content = json.loads(read_text(path, limit=MAX_MANIFEST_BYTES))
    except UnreadableError as error:
        where.problem(error.line, error.text)
        return None
    except (json.JSONDecodeError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 0
        where.problem(line, f"not JSON: {error}")
        return None
    settings = record(cls)(from_plain(content), where)
    return None if settings is FAILED else settings


def _plain(value: Any) -> Any:
    match value:
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            items = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
            return {name.replace("_", "-"): _plain(item) for name, item in items.items() if item not in ("", None)}
        case Mapping():
            return {key: _plain(item) for key, item in value.items()}
        case tuple():
            return [_plain(item) for item in value]
        case Path():
            return str(value)
    return value
