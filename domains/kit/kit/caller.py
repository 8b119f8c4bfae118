"""Who calls, as the gateway says it in `x-amzn-request-context`.

The gateway drops what a client sends under that name. Nothing but the gateway reaches a domain's port: the network
sees to that, so a call without the header comes from a developer beside the process and has no caller.
"""

import json
import logging
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

REQUEST_CONTEXT_HEADER = "x-amzn-request-context"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """`user_arn` is the session's ARN; `principal`, `{account}:{role or user id}`, stays the same over sessions."""

    account: str
    user_arn: str
    principal: str


def caller_of(request: Request) -> Caller | None:
    identity = _context(request).get("identity")
    if not isinstance(identity, dict) or not identity.get("userArn"):
        return None
    account, user = str(identity.get("accountId")), str(identity.get("user"))
    return Caller(account, str(identity["userArn"]), f"{account}:{user.partition(':')[0]}")


def request_id(request: Request) -> str | None:
    """The gateway's id of the request, which its logs and its answer carry too."""
    found = _context(request).get("requestId")
    return found if isinstance(found, str) else None


def _context(request: Request) -> dict[str, Any]:
    text = request.headers.get(REQUEST_CONTEXT_HEADER)
    if not text:
        return {}
    try:
        context = json.loads(text)
    except ValueError:
        log.warning("%s is not JSON; the call counts as one without a caller", REQUEST_CONTEXT_HEADER)
        return {}
    return context if isinstance(context, dict) else {}
