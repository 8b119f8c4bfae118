"""What the landscape's owner may see through the workbench: the events of a bus, as lines of JSON.

Whoever can read the master key is the owner; the token is derived from that key and never leaves the machine.
"""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

import orjson

from harness.bus.pattern import PatternError, compile_pattern
from harness.bus.store import Store

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

PREFIX = "/_harness/"
EVENTS_PATH = "/_harness/events"


def operator_token(master_key: bytes) -> str:
    return hmac.new(master_key, b"domain-harness operator", hashlib.sha256).hexdigest()
