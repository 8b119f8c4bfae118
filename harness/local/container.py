"""What runs in a container of the edge's image: `keys` once, then `edge` and `router`; the file docker-layout.yml says
the rest (see harness.runtime.compose).

Settings follow from the manifests alone: a domain is `http://<name>:8080` on its account's network, and a listener is
bound to the address that the edge has on that network.
"""

import asyncio
import os
import shutil
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import uvloop

from harness import manifest
from harness.errors import StartError
from harness.local.edge_process import run_edge
from harness.local.router_process import run_router
from harness.manifest.plan_file import EdgeSettings, Listener, Nats, RouterSettings
from harness.manifest.settings import read_settings
from harness.runtime import keys, layout
from harness.runtime.compose import database_service
from harness.runtime.folder import write_whole
from harness.sts.web_identity import TOKEN_SECONDS, WorkloadTokens, key_from_pem
from harness.wire import NetworkPlace, PlaceKind

LANDSCAPE = Path(layout.LANDSCAPE_IN_CONTAINER) / "harness.yaml"
KEYS = Path(layout.KEYS_IN_CONTAINER)
TOKENS = Path(layout.TOKENS_IN_EDGE)
DEVELOPER = Path(layout.DEVELOPER_FOLDER)
LOOPBACK = "127.0.0.1"
COPIES = DEVELOPER / "docker" / "keys"
# A new token well before the old one ends: an SDK reads the file only when it needs new credentials.
ROTATE_SECONDS = TOKEN_SECONDS / 4


def run_in_container(role: str) -> None:
    parts: Mapping[str, Callable[[], None]] = {
        "keys": make_keys,
        "edge": lambda: uvloop.run(_edge()),
        "router": lambda: uvloop.run(_router()),
    }
    parts[role]()


def make_keys() -> None:
    """As root: keys for the edge's user, a copy of the master key for the developer, and the tokens' folders.

    Docker makes a folder that is missing on the host as root, so all of the developer's is given to the developer.
    """
    os.umask(0o077)
    keys.master_key(KEYS)
    keys.workload_identity_key(KEYS)
    keys.topics_signing_key(KEYS)
    for path in (KEYS, *KEYS.iterdir()):
        os.chown(path, layout.EDGE_UID, layout.EDGE_UID)
    for folder in TOKENS.iterdir():
        os.chown(folder, layout.EDGE_UID, layout.EDGE_UID)
        folder.chmod(0o755)  # a domain's container reads it as a user of its own
    owner = LANDSCAPE.stat()
    COPIES.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(KEYS / "master.key", COPIES / "master.key")
    for path in (DEVELOPER, COPIES.parent, COPIES, COPIES / "master.key"):
        os.chown(path, owner.st_uid, owner.st_gid)
        path.chmod(0o700 if path.is_dir() else 0o600)


async def _edge() -> None:
    landscape = manifest.load(LANDSCAPE)
    issuer = landscape.directory().oidc
    if issuer is None:
        raise StartError("harness.yaml needs `identity-provider`: containers get their credentials by web identity")
    tokens = WorkloadTokens(key_from_pem(keys.workload_identity_key(KEYS)), issuer=issuer.url)
    _write_tokens(landscape, tokens)
    settings = EdgeSettings(
        landscape=LANDSCAPE,
        keys=KEYS,
        nats=Nats(url=layout.NATS_URL),
        listeners=tuple(_listeners(landscape)),
        endpoints={
            domain.account.name: f"{layout.endpoint_alias(domain.account.name)}:{layout.EDGE_PORT}"
            for domain in landscape.domains.values()
        },
        upstreams=_upstreams(landscape),
    )
    # A rotation that fails ends the edge, and it is started again: better than tokens that quietly run out.
    async with asyncio.TaskGroup() as group:
        rotation = group.create_task(_rotate(landscape, tokens))
        await run_edge(settings)
        rotation.cancel()


async def _router() -> None:
    landscape = manifest.load(LANDSCAPE)
    await run_router(
        RouterSettings(
            landscape=LANDSCAPE,
            nats=Nats(url=layout.NATS_URL),
            keys=KEYS,
            health_port=layout.ROUTER_HEALTH_PORT,
            clock_factor=read_settings(os.environ).clock_factor or 1.0,
            upstreams=_upstreams(landscape),
            closed=_closed(landscape),
        )
    )


def _upstreams(landscape: manifest.Landscape) -> dict[str, str]:
    return {name: f"http://{name}:{layout.DOMAIN_PORT}" for name in landscape.domains}


def _closed(landscape: manifest.Landscape) -> tuple[str, ...]:
    """The private listeners and the stores, by the names that the router's networks have for them."""
    accounts = {domain.account.name for domain in landscape.domains.values()}
    aliases = [layout.WORKBENCH_ALIAS, *map(layout.endpoint_alias, sorted(accounts))]
    listeners = [f"http://{alias}:{layout.EDGE_PORT}" for alias in aliases]
    stores = [
        urlsplit(layout.NATS_URL).hostname,
        *(database_service(name) for name, domain in landscape.domains.items() if domain.database),
    ]
    return (*listeners, *(f"any://{host}" for host in stores), f"http://{LOOPBACK}:{layout.ROUTER_HEALTH_PORT}")


def _listeners(landscape: manifest.Landscape) -> list[Listener]:
    """One for each account with a domain; the workbench is on its own network, and on loopback for the health check."""
    workbench = next(place for place in landscape.places() if place.kind is PlaceKind.WORKBENCH)
    public = NetworkPlace("public", PlaceKind.PUBLIC)
    outside = _address(layout.WORKBENCH_ALIAS)
    listeners = [
        Listener(place=workbench, host=outside, port=layout.EDGE_PORT),
        Listener(place=public, host=outside, port=layout.PUBLIC_PORT),
        Listener(place=workbench, host=LOOPBACK, port=layout.EDGE_PORT),
    ]
    for account in {domain.account.name: domain.account for domain in landscape.domains.values()}.values():
        host = _address(layout.endpoint_alias(account.name))
        listeners.append(Listener(place=manifest.endpoint_place(account), host=host, port=layout.EDGE_PORT))
    return listeners


def _address(alias: str) -> str:
    """The edge's own address on the network where it has this alias. `StartError` when the network is missing."""
    try:
        return socket.gethostbyname(alias)
    except OSError as error:
        raise StartError(f"{alias} does not resolve: is the edge on that network? ({error.strerror})") from error


async def _rotate(landscape: manifest.Landscape, tokens: WorkloadTokens) -> None:
    while True:
        await asyncio.sleep(ROTATE_SECONDS)
        _write_tokens(landscape, tokens)


def _write_tokens(landscape: manifest.Landscape, tokens: WorkloadTokens) -> None:
    for domain in landscape.domains.values():
        token = tokens.mint(domain.name, domain.account.name)
        # Readable for the one container that mounts this folder, whatever its user.
        write_whole(TOKENS / domain.name / "token", token.encode(), mode=0o644)
