"""URLs that EventBridge is to call: HTTPS alone. A landscape says whose certificates it trusts besides."""

import re
from urllib.parse import urlsplit

from harness.bus.operations.call import invalid
from harness.bus.put_events import RequestError


def endpoint_refused(member: str, url: str) -> RequestError | None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return invalid(f"Parameter {member} is not valid. Reason: it is no URL.")
    if parts.scheme != "https":
        return invalid(f"Parameter {member} is not valid. Reason: it must begin with https://.")
    if not host or re.search(r"[*@]", parts.netloc):
        return invalid(f"Parameter {member} is not valid. Reason: it names no host.")
    return None
