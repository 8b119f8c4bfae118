"""URLs that EventBridge is to call: HTTPS, and on this machine also plain HTTP."""

import re
from urllib.parse import urlsplit

from harness.bus.operations.call import invalid
from harness.bus.put_events import RequestError

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def endpoint_refused(member: str, url: str) -> RequestError | None:
    """A server under test has no certificate that anybody trusts, hence plain HTTP on loopback; AWS takes none."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return invalid(f"Parameter {member} is not valid. Reason: it is no URL.")
    local = host in _LOCAL or host.endswith(".localhost")
    if not host or re.search(r"[*@]", parts.netloc):
        return invalid(f"Parameter {member} is not valid. Reason: it names no host.")
    if parts.scheme == "https" or (parts.scheme == "http" and local):
        return None
    return invalid(f"Parameter {member} is not valid. Reason: it must begin with https://.")
