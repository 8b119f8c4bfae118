"""STS's answers as XML, and the one table that says how a fault of the signature reads at STS.

Source: AWS Security Token Service API Reference, "Common Errors" and the errors of each operation; query protocol,
2011-06-15.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from xml.sax.saxutils import escape

from harness.sigv4 import Fault, FaultKind
from harness.wire import HttpResponse

NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"

Members = Mapping[str, "str | int | Members"]
"""The members of a result, nested structures as mappings."""

# What XML 1.0 (section 2.2) cannot carry, not even escaped: a caller's value is echoed in validation errors.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error of STS: its `Code`, `Message` and HTTP status."""

    code: str
    message: str
    status: int = 400


FAULTS: Mapping[FaultKind, tuple[str, int]] = {
    FaultKind.MISSING: ("MissingAuthenticationToken", 403),
    FaultKind.INCOMPLETE: ("IncompleteSignature", 400),
    FaultKind.MISMATCH: ("SignatureDoesNotMatch", 403),
    FaultKind.EXPIRED: ("SignatureDoesNotMatch", 403),
    FaultKind.NOT_YET: ("SignatureDoesNotMatch", 403),
    FaultKind.SCOPE_DATE: ("SignatureDoesNotMatch", 403),
    FaultKind.SCOPE_REGION: ("SignatureDoesNotMatch", 403),
    FaultKind.SCOPE_SERVICE: ("SignatureDoesNotMatch", 403),
    FaultKind.SCOPE_TERMINATOR: ("SignatureDoesNotMatch", 403),
    FaultKind.UNKNOWN_KEY: ("InvalidClientTokenId", 403),
    FaultKind.EXPIRED_TOKEN: ("ExpiredToken", 403),
}

# Where STS words a fault differently from API Gateway.
_OWN_WORDS: Mapping[FaultKind, str] = {FaultKind.MISSING: "Request is missing Authentication Token"}


def refusal_of(fault: Fault) -> Refusal:
    code, status = FAULTS[fault.kind]
    return Refusal(code, _OWN_WORDS.get(fault.kind, fault.message), status)


def result(operation: str, members: Members, request_id: str) -> HttpResponse:
    return _xml(
        200,
        f'<{operation}Response xmlns="{NAMESPACE}">\n'
        f"  <{operation}Result>\n{_render(members, depth=2)}  </{operation}Result>\n"
        f"  <ResponseMetadata>\n    <RequestId>{_text(request_id)}</RequestId>\n  </ResponseMetadata>\n"
        f"</{operation}Response>\n",
    )


def error(refusal: Refusal, request_id: str) -> HttpResponse:
    return _xml(
        refusal.status,
        f'<ErrorResponse xmlns="{NAMESPACE}">\n'
        f"  <Error>\n    <Type>Sender</Type>\n    <Code>{refusal.code}</Code>\n"
        f"    <Message>{_text(refusal.message)}</Message>\n  </Error>\n"
        f"  <RequestId>{_text(request_id)}</RequestId>\n"
        f"</ErrorResponse>\n",
    )


def _render(members: Members, *, depth: int) -> str:
    lines = []
    indent = "  " * depth
    for name, value in members.items():
        if isinstance(value, Mapping):
            lines.append(f"{indent}<{name}>\n{_render(value, depth=depth + 1)}{indent}</{name}>\n")
        else:
            lines.append(f"{indent}<{name}>{_text(str(value))}</{name}>\n")
    return "".join(lines)


def _text(value: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", value))


def _xml(status: int, text: str) -> HttpResponse:
    return HttpResponse(status, ((b"content-type", b"text/xml"),), text.encode())
