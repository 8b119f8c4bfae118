"""Our own signer, header form: what the SDKs do, for the clients that the harness is itself."""

from datetime import datetime

from harness.clock import basic_iso
from harness.sigv4.canonical_request import canonical_request
from harness.sigv4.model import Fault
from harness.sigv4.scope import TERMINATOR
from harness.sigv4.signature import ALGORITHM, SigningKey, string_to_sign
from harness.wire import HttpRequest

# Proxies and HTTP libraries change these on the way; the list is botocore's.
NEVER_SIGNED = frozenset(
    {
        b"baggage",
        b"connection",
        b"expect",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"traceparent",
        b"tracestate",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"user-agent",
        b"x-amzn-trace-id",
    }
)
_OURS = (b"authorization", b"x-amz-date", b"x-amz-security-token")


def sign(
    request: HttpRequest,
    *,
    access_key_id: str,
    secret: str,
    session_token: str | None,
    region: str,
    service: str,
    now: datetime,
) -> list[tuple[bytes, bytes]]:
    """The headers to add to `request`: `x-amz-date`, the session token if there is one, `authorization`.

    Signs every header the request has, but for those that proxies rewrite. `request` is what goes on the wire: `host`
    among its headers, path and query encoded. ValueError when `host` is missing or one of the headers to add is there.
    """
    present = {name for name, _ in request.headers}
    if b"host" not in present:
        raise ValueError("a request without a host header cannot be signed")
    for name in _OURS:
        if name in present:
            raise ValueError(f"the request has the header {name.decode()} already: sign it only once")
    amz_date = basic_iso(now)
    added = [(b"x-amz-date", amz_date.encode())]
    if session_token:
        added.append((b"x-amz-security-token", session_token.encode()))
    whole = HttpRequest(request.method, request.raw_path, request.raw_query, [*request.headers, *added], request.body)
    names = tuple(sorted(name.decode() for name in {*present, *dict(added)} - NEVER_SIGNED))
    canonical = canonical_request(whole, names)
    if isinstance(canonical, Fault):
        raise ValueError(canonical.message)
    scope = f"{amz_date[:8]}/{region}/{service}/{TERMINATOR}"
    key = SigningKey(secret, amz_date[:8], region, service)
    signature = key.sign(string_to_sign(canonical, amz_date, scope))
    authorization = (
        f"{ALGORITHM} Credential={access_key_id}/{scope}, SignedHeaders={';'.join(names)}, Signature={signature}"
    )
    return [*added, (b"authorization", authorization.encode())]
