"""Whose an address is: the containers of a landscape stand in private networks, each in its account's."""

import asyncio
import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


class Owners:
    """`accounts`: account ids by the base URLs of their containers."""

    def __init__(self, accounts: Mapping[str, str]) -> None:
        self._accounts = accounts

    async def of(self, url: str) -> str | None:
        """The account whose container that is, by whichever name or address; None for anything else.

        Raises OSError for a host that there is not.
        """
        wanted = await _addresses(url)
        for base, account in self._accounts.items():
            try:
                places = await _addresses(base)
            except OSError:
                continue  # a container that is not up has no address yet, and nothing can reach it
            if places & wanted:
                return account
        return None


async def _addresses(url: str) -> set[tuple[str, int]]:
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme, 0)
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a label that is empty or too long cannot stand in DNS
        raise OSError(str(error)) from error
    return {(_plain(str(address[4][0])), port) for address in found}


def _plain(text: str) -> str:
    """One spelling for each: an IPv4 address inside IPv6 is that one, and all of loopback is this machine."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    address = address if mapped is None else mapped
    return "loopback" if address.is_loopback or address.is_unspecified else str(address)
