"""Whose an address is: the containers of a landscape stand in private networks, each in its account's.

Source: Amazon SNS Developer Guide, "Amazon SNS HTTP/HTTPS notifications": an endpoint is on the public internet. On one
machine everything is within reach, so what on AWS is not must be refused here.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_HERE = "here"
_ANY = 0
_Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Found:
    """`owner`: the account whose container it is, empty for what is nobody's to be called, None for anything else.

    `addresses`: what was looked at. Whoever connects uses these: asked once more, a name may have others.
    """

    owner: str | None
    addresses: tuple[str, ...]


class Owners:
    """`accounts`: account ids by the base URLs of their containers. `closed`: the base URLs of the landscape's own
    listeners that stand for private networks, of its store, and of whatever else no service calls. One without a port
    (`any://nats`) is all that listens at its address.
    """

    def __init__(self, accounts: Mapping[str, str], closed: Collection[str] = ()) -> None:
        self._accounts = accounts
        self._closed = dict.fromkeys(closed, "")

    async def of(self, url: str) -> Found:
        """Raises OSError for a host that there is not."""
        port, addresses = await _addresses(url)
        wanted = _places(port, addresses)
        anywhere = {(address, _ANY) for address, _ in wanted if address != _HERE}
        for base, owner in (*self._closed.items(), *self._accounts.items()):
            try:
                places = _places(*await _addresses(base))
            except OSError:
                continue  # a container that is not up has no address yet, and nothing can reach it
            if base in self._accounts:
                # An address that is not this machine's is the container's own: whatever listens there is in it.
                places |= {(address, _ANY) for address, _ in places if address != _HERE}
            if places & (wanted | anywhere):
                return Found(owner, addresses)
        return Found(None, addresses)


def _places(port: int, addresses: Collection[str]) -> set[_Place]:
    return {(_plain(address), port) for address in addresses}


async def _addresses(url: str) -> tuple[int, tuple[str, ...]]:
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme, _ANY)
    host = parts.hostname or ""
    if _is_address(host):
        return port, (host,)
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that is empty or too long cannot stand in DNS
        raise OSError(str(error)) from error
    return port, tuple(dict.fromkeys(str(address[4][0]) for address in found))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _plain(text: str) -> str:
    """One spelling for each: an IPv4 address inside IPv6 is that one, and every address of this machine is one.

    A container may listen on all of them.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    address = address if mapped is None else mapped
    here = address.is_loopback or address.is_unspecified or _is_of_this_machine(address)
    return _HERE if here else str(address)


def _is_of_this_machine(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True
