"""IP addresses as the ruler compares them: hexadecimal digits, eight of IPv4 and thirty-two of IPv6.

Source: aws/event-ruler (`CIDR`), and java.net.InetAddress, which reads the addresses there.
"""

import ipaddress
import re

_IPV4 = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+", re.ASCII)
_IPV6 = re.compile(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*", re.ASCII)
_MOST_CHARACTERS = 45


class NoAddress(ValueError):
    """The text has the form of an address and is none."""


def address_digits(value: object) -> str | None:
    """None for whatever is no address."""
    try:
        return read_address(value) if isinstance(value, str) else None
    except NoAddress:
        return None


def read_address(text: str) -> str | None:
    """None where the text has not even the form of an address; raises NoAddress where it has no more than the form."""
    if len(text) > _MOST_CHARACTERS:
        return None
    if _IPV4.fullmatch(text):
        octets = [int(part) for part in text.split(".")]
        if len(text) > 15 or max(octets) > 255:
            raise NoAddress
        return bytes(octets).hex().upper()
    if _IPV6.fullmatch(text):
        try:
            address = ipaddress.IPv6Address(text)
        except ValueError as error:
            raise NoAddress from error
        # Java makes an IPv4 address of a mapped one.
        return (address.ipv4_mapped or address).packed.hex().upper()
    return None
