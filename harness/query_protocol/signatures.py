"""Who signed a call, and the one table that says how a fault of the signature reads at STS and IAM.

Source: AWS Security Token Service API Reference and IAM API Reference, "Common Errors".
"""

from collections.abc import Mapping

from harness.access import Authority, Caller
from harness.query_protocol.answers import Refusal
from harness.sigv4 import Fault, FaultKind, read_authorization
from harness.wire import HttpRequest

SKEW_SECONDS = 900
# The global endpoints, sts.amazonaws.com and iam.amazonaws.com, are signed for this region.
GLOBAL_REGION = "us-east-1"

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

# Where these services word a fault differently from API Gateway.
_OWN_WORDS: Mapping[FaultKind, str] = {FaultKind.MISSING: "Request is missing Authentication Token"}


def authenticate(request: HttpRequest, authority: Authority, service: str) -> tuple[Caller, str] | Refusal:
    """Who signed, and for which region: the global endpoint's or the landscape's. Clocks may differ by 15 minutes."""
    presented = read_authorization(request)
    if isinstance(presented, Fault):
        return refusal_of(presented)
    region = GLOBAL_REGION if presented.region == GLOBAL_REGION else authority.directory.region
    caller = authority.authenticate(request, service=service, skew_seconds=SKEW_SECONDS, region=region)
    return refusal_of(caller) if isinstance(caller, Fault) else (caller, region)


def refusal_of(fault: Fault) -> Refusal:
    code, status = FAULTS[fault.kind]
    return Refusal(code, _OWN_WORDS.get(fault.kind, fault.message), status)
