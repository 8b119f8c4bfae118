"""What a container of the edge's image makes and listens at."""

import asyncio
import os
import socket
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from harness import manifest
from harness.errors import StartError
from harness.local import container
from harness.local.owners import Owners
from harness.runtime import layout
from harness.wire import PlaceKind
from tests.local.conftest import ROOT


class Volumes:
    """The folders that docker mounts, in one of the test's own; and who was made owner of what."""

    def __init__(self, root: Path) -> None:
        self.keys = root / "keys"
        self.tokens = root / "tokens"
        self.developer = root / "developer"
        for folder in (self.keys, self.tokens / "orders", self.tokens / "stock", self.developer):
            folder.mkdir(parents=True)
        self.owners: dict[Path, tuple[int, int]] = {}

    def chown(self, path: Path, uid: int, gid: int) -> None:
        self.owners[Path(path)] = (uid, gid)


@pytest.fixture
def volumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Volumes:
    made = Volumes(tmp_path)
    monkeypatch.setattr(container, "KEYS", made.keys)
    monkeypatch.setattr(container, "TOKENS", made.tokens)
    monkeypatch.setattr(container, "DEVELOPER", made.developer)
    monkeypatch.setattr(container, "COPIES", made.developer / "docker" / "keys")
    monkeypatch.setattr(container, "LANDSCAPE", ROOT / "harness.yaml")
    monkeypatch.setattr(os, "chown", made.chown)
    monkeypatch.setattr(os, "umask", lambda mask: mask)  # the process of the tests keeps its own
    return made


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestKeys:
    def test_belong_to_the_edge_and_are_closed_to_others(self, volumes: Volumes) -> None:
        container.make_keys()

        made = {path.name: path for path in volumes.keys.iterdir()}
        assert set(made) == {"master.key", "topics.pem", "workload-identity.pem"}
        for path in (volumes.keys, *made.values()):
            assert volumes.owners[path] == (layout.EDGE_UID, layout.EDGE_UID)
        assert all(mode(path) == 0o600 for path in made.values())

    def test_the_developer_gets_a_copy_and_all_folders_on_the_way(self, volumes: Volumes) -> None:
        container.make_keys()

        copy = volumes.developer / "docker" / "keys" / "master.key"
        developer = (ROOT / "harness.yaml").stat()
        assert copy.read_bytes() == (volumes.keys / "master.key").read_bytes()
        assert mode(copy) == 0o600
        for path in (copy, copy.parent, copy.parent.parent, volumes.developer):
            assert volumes.owners[path] == (developer.st_uid, developer.st_gid)
            assert mode(path) & 0o077 == 0

    def test_the_signing_key_of_tokens_stays_with_the_edge(self, volumes: Volumes) -> None:
        container.make_keys()

        assert [path.name for path in volumes.developer.rglob("*") if path.is_file()] == ["master.key"]

    def test_are_kept_when_made_again(self, volumes: Volumes) -> None:
        container.make_keys()
        before = {path.name: path.read_bytes() for path in volumes.keys.iterdir()}

        container.make_keys()

        assert {path.name: path.read_bytes() for path in volumes.keys.iterdir()} == before

    def test_a_tokens_folder_is_written_by_the_edge_and_read_by_the_domain(self, volumes: Volumes) -> None:
        container.make_keys()

        for folder in volumes.tokens.iterdir():
            assert volumes.owners[folder] == (layout.EDGE_UID, layout.EDGE_UID)
            assert mode(folder) == 0o755


ADDRESSES = {
    "vpce.workbench.internal": "10.0.0.2",
    "vpce.orders.internal": "10.0.1.2",
    "vpce.stock.internal": "10.0.2.2",
}


class TestListeners:
    @pytest.fixture
    def networks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def resolve(name: str) -> str:
            if name not in ADDRESSES:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return ADDRESSES[name]

        monkeypatch.setattr(socket, "gethostbyname", resolve)

    def test_are_at_the_address_that_the_edge_has_in_each_network(
        self, landscape: manifest.Landscape, networks: None
    ) -> None:
        found = {(listener.place.name, listener.host, listener.port) for listener in container._listeners(landscape)}

        assert found == {
            ("workbench", "10.0.0.2", 4566),
            ("public", "10.0.0.2", 4567),
            ("workbench", "127.0.0.1", 4566),
            ("orders", "10.0.1.2", 4566),
            ("stock", "10.0.2.2", 4566),
        }

    def test_stamp_the_accounts_vpc_endpoint(self, landscape: manifest.Landscape, networks: None) -> None:
        places = {listener.place.name: listener.place for listener in container._listeners(landscape)}

        assert places["stock"].vpce_id == "vpce-02222222222222222"
        assert places["public"].kind is PlaceKind.PUBLIC
        assert places["public"].vpce_id == ""

    def test_on_a_network_that_is_missing_are_refused_with_the_alias(
        self, landscape: manifest.Landscape, networks: None
    ) -> None:
        moved = replace(landscape.accounts["orders"], name="elsewhere")
        orders = replace(landscape.domains["orders"], account=moved)
        changed = replace(landscape, domains={"orders": orders})

        with pytest.raises(
            StartError, match=r"vpce\.elsewhere\.internal does not resolve: is the edge on that network"
        ):
            container._listeners(changed)


@pytest.mark.anyio
async def test_what_a_routers_networks_hold_beside_containers_of_domains_is_closed_to_subscriptions(
    landscape: manifest.Landscape, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["nats", "orders-db", "stock-db", layout.WORKBENCH_ALIAS, "vpce.orders.internal", "orders", "stock"]
    addresses = {name: f"198.51.100.{number}" for number, name in enumerate(names, 1)}

    async def look_up(self: asyncio.AbstractEventLoop, host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        if host not in addresses:
            raise OSError(f"no {host}")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (addresses[host], port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", look_up)
    owners = Owners({"http://stock:8080": "222222222222"}, container._closed(landscape))

    closed = ["nats:4222", "nats:8222", "orders-db:5432", "stock-db:5432", f"{layout.WORKBENCH_ALIAS}:4566"]
    for place in (*closed, "vpce.orders.internal:4566", "198.51.100.2:5432"):
        assert (await owners.of(f"http://{place}/")).owner == "", place
    assert (await owners.of("http://stock:8081/")).owner == "222222222222"
