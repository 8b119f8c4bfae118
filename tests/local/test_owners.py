"""Whose an address is, by whichever spelling of it."""

import socket
from ipaddress import ip_address

import pytest

from harness.local.owners import Owners

pytestmark = pytest.mark.anyio

STOCK, BASE, NATS = "222222222222", "http://127.0.0.1:8081", "nats://harness:secret@127.0.0.1:4222"


def of_this_machine() -> str:
    """An address that is not loopback; nothing is sent. Loopback where the machine has no other."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "2130706433", "0x7f.1"],
)
async def test_a_container_on_loopback_has_many_names(host: str) -> None:
    assert (await Owners({BASE: STOCK}).of(f"http://{host}:8081/x")).owner == STOCK


async def test_a_container_that_listens_everywhere_is_known_by_each_address_of_the_machine() -> None:
    host = of_this_machine()
    assert ip_address(host)
    assert (await Owners({BASE: STOCK}).of(f"http://{host}:8081/x")).owner == STOCK


async def test_what_no_service_calls_is_nobodys() -> None:
    owners = Owners({BASE: STOCK}, [NATS, "http://127.0.0.1:4566"])
    assert [(await owners.of(f"http://localhost:{port}/")).owner for port in (4566, 4222, 4567)] == ["", "", None]


async def test_the_addresses_that_were_looked_at_are_told() -> None:
    found = await Owners({}).of("http://192.0.2.1/")
    assert (found.owner, found.addresses) == (None, ("192.0.2.1",))


@pytest.mark.parametrize("port", [8080, 9999])
async def test_another_address_is_its_containers_whatever_listens_there(port: int) -> None:
    owners = Owners({"http://198.51.100.7:8080": STOCK})
    assert [(await owners.of(f"http://198.51.100.{last}:{port}/")).owner for last in (7, 8)] == [STOCK, None]


@pytest.mark.parametrize("host", ["198.51.100.9", "[::ffff:198.51.100.9]"])
@pytest.mark.parametrize("port", [4222, 8222])
async def test_what_is_closed_without_a_port_is_closed_at_every_port(host: str, port: int) -> None:
    owners = Owners({}, ["any://198.51.100.9", "http://198.51.100.10:4566"])
    assert (await owners.of(f"http://{host}:{port}/")).owner == ""
    assert (await owners.of("http://198.51.100.10:4567/")).owner is None
