"""The request that a container gets: the client's fields that are passed on, and what the gateway adds.

Source: RFC 9110 section 7.6.1 (hop-by-hop fields), API Gateway's important notes for REST APIs (dropped headers), the
proxy event of private APIs (`x-amzn-vpce-id` and the like).
"""

from harness.gateway.client_head import ClientHead
from harness.wire import NetworkPlace

_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


def place_lines(place: NetworkPlace, port: int, scheme: str) -> bytes:
    """The fields that every call through a listener gets. Port and scheme are the listener's own."""
    lines = b"x-forwarded-port: %d\r\nx-forwarded-proto: %b\r\n" % (port, scheme.encode())
    if place.vpce_id:
        lines += b"x-amzn-vpce-id: %b\r\nx-amzn-vpc-id: %b\r\nx-amzn-vpce-config: 1\r\n" % (
            place.vpce_id.encode(),
            place.vpc_id.encode(),
        )
    return lines


def request_bytes(
    method: str,
    target: bytes,
    head: ClientHead,
    body: bytes,
    *,
    host: bytes,
    client_ip: str,
    place_fields: bytes,
    trace_id: str,
    request_context: bytes,
    lambda_context: bytes,
) -> bytes:
    """The whole request for the container. `target`: path and query exactly as received.

    The body was read whole, so that it has a length however it was sent.
    """
    length = b"content-length: %d\r\n" % len(body) if body or method in _METHODS_WITH_BODY else b""
    return b"".join(
        (
            method.encode(),
            b" ",
            target,
            b" HTTP/1.1\r\nhost: ",
            host,
            b"\r\n",
            head.lines(),
            length,
            b"x-forwarded-for: ",
            client_ip.encode(),
            b"\r\n",
            place_fields,
            b"x-amzn-trace-id: ",
            trace_id.encode(),
            b"\r\nx-amzn-request-context: ",
            request_context,
            b"\r\nx-amzn-lambda-context: ",
            lambda_context,
            b"\r\n\r\n",
            body,
        )
    )
