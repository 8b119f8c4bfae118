"""From a landscape to the processes that run it: what each is started with, and what it is told."""

import os
import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from harness import manifest, wire
from harness.manifest.plan_file import EdgeSettings, Listener, RouterSettings, StubSettings
from harness.manifest.plan_file import Nats as NatsPlace
from harness.manifest.settings import read_settings
from harness.runtime import keys
from harness.runtime.folder import StateFolder, disk_trouble
from harness.runtime.nats import Nats
from harness.runtime.postgres import Postgres
from harness.runtime.process import Kind, Plan, ProcessSpec, base_environment
from harness.runtime.sockets import Listen, ReservedPort, listen, port_of
from harness.wire import NetworkPlace, PlaceKind

HOST = "127.0.0.1"
CREDENTIALS = NetworkPlace("credentials", PlaceKind.CREDENTIALS)
SETTINGS_OF_PORT = {
    "workbench": "ports.workbench in harness.yaml or HARNESS_WORKBENCH_PORT",
    "public": "ports.public in harness.yaml or HARNESS_PUBLIC_PORT",
}


@dataclass(frozen=True, slots=True)
class Running:
    """A plan and what it holds open; `close` once the landscape has ended."""

    plan: Plan
    sockets: Mapping[str, socket.socket]
    reserved: Sequence[ReservedPort]

    def close(self) -> None:
        for bound in self.sockets.values():
            bound.close()
        for port in self.reserved:
            port.release()


def make_plan(
    landscape: manifest.Landscape,
    folder: StateFolder,
    *,
    domains: Sequence[str],
    free_ports: bool,
    stubs: Sequence[str] = (),
    seed: int = 1,
    workbench: int | None = None,
    record: bool = False,
) -> Running:
    """Binds the listeners, reserves ports, writes the settings of our processes. `StartError` when it cannot.

    `stubs`: APIs that a stub stands for, none of `domains`; `seed` is theirs. `workbench`: its port, whatever is set.
    `record`: the edge records what consumers use.
    """
    chosen = [landscape.domains[name] for name in domains]
    with ExitStack() as undo:
        sockets = listen(_listens(landscape, free_ports, workbench))
        for bound in sockets.values():
            undo.callback(bound.close)
        reserved: dict[str, ReservedPort] = {}
        for name in ("postgres", "nats", "router", *domains, *stubs):
            reserved[name] = ReservedPort()
            undo.callback(reserved[name].release)
        ports = {name: port.port for name, port in reserved.items()}
        stubbed = {api: StubSettings(landscape=landscape.file, api=api, port=ports[api], seed=seed) for api in stubs}
        plan = _plan(landscape, folder, chosen, stubbed, sockets, ports, record)
        undo.pop_all()
    return Running(plan, sockets, tuple(reserved.values()))


def _plan(
    landscape: manifest.Landscape,
    folder: StateFolder,
    chosen: Sequence[manifest.Domain],
    stubs: Mapping[str, StubSettings],
    sockets: Mapping[str, socket.socket],
    ports: Mapping[str, int],
    record: bool,
) -> Plan:
    upstreams = {name: f"http://{HOST}:{ports[name]}" for name in (*(each.name for each in chosen), *stubs)}
    nats = Nats(folder, ports["nats"])
    postgres = Postgres(folder, ports["postgres"], tuple(each.name for each in chosen if each.database))
    nats_place = NatsPlace(url=nats.url.replace("//", f"//{nats.user}:{nats.password}@"))
    edge = EdgeSettings(
        landscape=landscape.file,
        listeners=tuple(Listener(place=place, fd=sockets[place.name].fileno()) for place in _places(landscape)),
        upstreams=upstreams,
        nats=nats_place,
        keys=folder.keys,
        endpoints={name: f"{HOST}:{port_of(sockets[name])}" for name in landscape.accounts},
        recording=(folder.run / "recording.lock").absolute() if record else None,
    )
    router = RouterSettings(
        landscape=landscape.file,
        upstreams=upstreams,
        nats=nats_place,
        keys=folder.keys,
        health_port=ports["router"],
        closed=_closed(sockets, ports),
        clock_factor=read_settings(os.environ).clock_factor or 1.0,
    )
    files = {"edge": folder.run / "edge.json", "router": folder.run / "router.json"}
    with disk_trouble(folder.run):
        edge.write(files["edge"])
        router.write(files["router"])
        for api, stub in stubs.items():
            stub.write(_stub_file(folder, api))
    workbench = f"http://localhost:{port_of(sockets['workbench'])}"
    health = {"edge": workbench + wire.HEALTH_PATH, "router": f"http://{HOST}:{ports['router']}{wire.HEALTH_PATH}"}
    environment = base_environment(os.environ)
    bases = _Bases(landscape, folder, sockets, postgres, environment)
    processes = [
        *([postgres.spec(env=environment)] if postgres.databases else []),
        nats.spec(env=environment),
        _ours("edge", Kind.EDGE, files["edge"], environment, health["edge"], workbench, sockets.values()),
        _ours("router", Kind.ROUTER, files["router"], environment, health["router"]),
        *(_stub(each, _stub_file(folder, each.api), environment) for each in stubs.values()),
        *(bases.domain(each, ports[each.name]) for each in chosen),
    ]
    return Plan(tuple(processes), url=workbench, ports={name: port_of(bound) for name, bound in sockets.items()})


def _closed(sockets: Mapping[str, socket.socket], ports: Mapping[str, int]) -> tuple[str, ...]:
    """What is on loopback here and in no network that a service of AWS reaches: all listeners but the public one."""
    private = [port_of(bound) for name, bound in sockets.items() if name != PlaceKind.PUBLIC]
    stores = [ports[name] for name in ("postgres", "nats", "router")]
    return tuple(f"http://{HOST}:{port}" for port in (*private, *stores))


def _places(landscape: manifest.Landscape) -> tuple[NetworkPlace, ...]:
    return (*landscape.places(), CREDENTIALS)


def _listens(landscape: manifest.Landscape, free_ports: bool, workbench: int | None) -> list[Listen]:
    ports = read_settings(os.environ).ports(landscape.ports)
    fixed: dict[str, int] = {}
    if not free_ports:
        fixed = {"workbench": ports.workbench, "public": ports.public}
        fixed |= {account.name: account.port for account in landscape.accounts.values()}
    if workbench is not None:
        fixed["workbench"] = workbench
    return [
        Listen(
            place.name,
            HOST,
            fixed.get(place.name, 0),
            SETTINGS_OF_PORT.get(place.name, f"accounts.{place.name}.port in harness.yaml"),
        )
        for place in _places(landscape)
    ]


def _ours(
    name: str,
    kind: Kind,
    settings: Path,
    environment: Mapping[str, str],
    ready: str,
    url: str = "",
    sockets: Iterable[socket.socket] = (),
) -> ProcessSpec:
    return ProcessSpec(
        name=name,
        kind=kind,
        command=(sys.executable, "-m", "harness.local", name, "--settings", str(settings)),
        env={**environment, "PYTHONUNBUFFERED": "1"},
        cwd=settings.parent,
        ready=ready,
        sockets=tuple(sockets),
        after=("nats",),
        url=url,
    )


def _stub_file(folder: StateFolder, api: str) -> Path:
    return folder.run / f"stub-{api}.json"


def _stub(settings: StubSettings, file: Path, environment: Mapping[str, str]) -> ProcessSpec:
    """Under the domain's own name, as the landscape knows it; it needs nothing and nobody."""
    url = f"http://{HOST}:{settings.port}"
    return ProcessSpec(
        name=settings.api,
        kind=Kind.STUB,
        command=(sys.executable, "-m", "harness.local", "stub", "--settings", str(file)),
        env={**environment, "PYTHONUNBUFFERED": "1"},
        cwd=file.parent,
        ready=url + wire.READINESS_PATH,
        url=url,
        ports={settings.api: settings.port},
    )


@dataclass(frozen=True, slots=True)
class _Bases:
    """What every domain's environment is made from."""

    landscape: manifest.Landscape
    folder: StateFolder
    sockets: Mapping[str, socket.socket]
    postgres: Postgres
    environment: Mapping[str, str]

    def domain(self, domain: manifest.Domain, port: int) -> ProcessSpec:
        # Not after the edge: its sockets are open from the start, and a call made early waits there for it.
        after = ("postgres",) if domain.database else ()
        return ProcessSpec(
            name=domain.name,
            kind=Kind.DOMAIN,
            command=domain.command,
            env=self._environment(domain, port),
            cwd=domain.directory,
            ready=f"http://{HOST}:{port}{wire.READINESS_PATH}",
            after=after,
            url=f"http://{HOST}:{port}",
            ports={domain.name: port},
        )

    def _environment(self, domain: manifest.Domain, port: int) -> dict[str, str]:
        """The wire contract; what a manifest sets stands behind it. This Python's folder comes first on the path."""
        region = self.landscape.region
        endpoint = self._url(domain.account.name)
        credentials = f"{self._url('credentials')}/v2/credentials/{domain.name}"
        keys.password(self.folder.keys, f"credentials-{domain.name}")  # made now: the domain is told its file
        environment = {
            **self.environment,
            "PYTHONUNBUFFERED": "1",
            **domain.environment,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{self.environment.get('PATH', os.defpath)}",
            "HOST": HOST,
            "PORT": str(port),
            "AWS_LWA_READINESS_CHECK_PATH": wire.READINESS_PATH,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": credentials,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(
                (self.folder.keys / f"credentials-{domain.name}.password").absolute()
            ),
        }
        if domain.bus is not None:
            environment["EVENT_BUS_ARN"] = domain.bus.arn
        if domain.database:
            environment["DATABASE_URL"] = self.postgres.url(domain.name)
        for api in domain.calls:
            place = manifest.endpoint_place(domain.account, api)
            environment[manifest.api_url_variable(api)] = self._url(place.name)
        return environment

    def _url(self, place: str) -> str:
        return f"http://{HOST}:{port_of(self.sockets[place])}"
