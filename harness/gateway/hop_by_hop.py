"""Fields that are about one connection and never passed on (RFC 9110 section 7.6.1)."""

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)


def named_in(connection: bytes) -> frozenset[bytes]:
    """The further fields that a `Connection` header names, in lower case."""
    tokens = frozenset(token.strip() for token in connection.lower().split(b","))
    return tokens - HOP_BY_HOP - {b"close", b""}
