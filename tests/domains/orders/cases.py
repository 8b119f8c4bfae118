"""Requests that orders refuses: (name, method, path, headers, body, status, kind, place of the first finding)."""

from dataclasses import dataclass, field

JSON = {"Content-Type": "application/json"}
LINE = b'{"sku": "chair-oak", "quantity": 1}'


@dataclass(frozen=True)
class Refused:
    name: str
    status: int
    kind: str
    place: str
    method: str = "POST"
    path: str = "/v2/orders"
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))


def _lines(lines: bytes, more: bytes = b"") -> bytes:
    return b'{"lines": [' + lines + b"]" + more + b"}"


def _get(name: str, path: str, place: str, *, status: int = 400, kind: str = "invalid-request") -> Refused:
    return Refused(name, status, kind, place, "GET", path, headers={})


BAD = (400, "invalid-request")

REFUSED = [
    Refused("no body", *BAD, "#"),
    Refused("a body that is not JSON", *BAD, "#", body=b"{"),
    Refused("a body that is not UTF-8", *BAD, "", body=b'{"lines": "\xff"}'),
    Refused("a list for a body", *BAD, "#", body=b"[]"),
    Refused("null for a body", *BAD, "#", body=b"null"),
    Refused("no lines", *BAD, "#/lines", body=b"{}"),
    Refused("an empty list of lines", *BAD, "#/lines", body=_lines(b"")),
    Refused("too many lines", *BAD, "#/lines", body=_lines(b",".join([LINE] * 21))),
    Refused("an unknown member", *BAD, "#/colour", body=_lines(LINE, b', "colour": 1')),
    Refused("an unknown member with signs of a pointer", *BAD, "#/a~1b~0c", body=_lines(LINE, b', "a/b~c": 1')),
    Refused("an unknown member that has no UTF-8", *BAD, "#", body=_lines(LINE, rb', "\ud800": 1')),
    Refused("no quantity", *BAD, "#/lines/0/quantity", body=_lines(b'{"sku": "x"}')),
    Refused("a quantity of none", *BAD, "#/lines/0/quantity", body=_lines(b'{"sku": "x", "quantity": 0}')),
    Refused("too large a quantity", *BAD, "#/lines/0/quantity", body=_lines(b'{"sku": "x", "quantity": 101}')),
    Refused("an endless quantity", *BAD, "#/lines/0/quantity", body=_lines(b'{"sku": "x", "quantity": 1e999}')),
    Refused("a quantity in text", *BAD, "#/lines/0/quantity", body=_lines(b'{"sku": "x", "quantity": "1"}')),
    Refused("true for a quantity", *BAD, "#/lines/0/quantity", body=_lines(b'{"sku": "x", "quantity": true}')),
    Refused("half a quantity", *BAD, "#/lines/0/quantity", body=_lines(b'{"sku": "x", "quantity": 1.5}')),
    Refused("an empty SKU", *BAD, "#/lines/0/sku", body=_lines(b'{"sku": "", "quantity": 1}')),
    Refused("an SKU with a slash", *BAD, "#/lines/0/sku", body=_lines(b'{"sku": "a/b", "quantity": 1}')),
    Refused("an SKU with a new line", *BAD, "#/lines/0/sku", body=_lines(rb'{"sku": "a\n", "quantity": 1}')),
    Refused(
        "a NUL in the reference", *BAD, "#/customerReference", body=_lines(LINE, rb', "customerReference": "\u0000"')
    ),
    Refused("half a surrogate", *BAD, "#/customerReference", body=_lines(LINE, rb', "customerReference": "\ud800"')),
    Refused("an empty reference", *BAD, "#/customerReference", body=_lines(LINE, b', "customerReference": ""')),
    Refused("an unknown parameter", *BAD, "verbose", path="/v2/orders?verbose=1", body=_lines(LINE)),
    Refused("a key of blanks", *BAD, "Idempotency-Key", body=_lines(LINE), headers=JSON | {"Idempotency-Key": "a b"}),
    Refused(
        "a body of text", 415, "unsupported-media-type", "", body=_lines(LINE), headers={"Content-Type": "text/plain"}
    ),
    Refused(
        "a broken media type", 415, "unsupported-media-type", "", body=_lines(LINE), headers={"Content-Type": "json"}
    ),
    Refused("a form", 415, "unsupported-media-type", "", body=b"", headers={"Content-Type": "multipart/form-data"}),
    Refused(
        "an item that stock does not know",
        422,
        "unknown-sku",
        "#/lines/1/sku",
        body=_lines(LINE + b', {"sku": "chair-elm", "quantity": 1}'),
    ),
    Refused(
        "version 1: two forms at once", *BAD, "#/lines", path="/v1/orders", body=b'{"sku":"x","quantity":1,"lines":[]}'
    ),
    Refused(
        "version 1: unknown item", 422, "unknown-sku", "#/sku", path="/v1/orders", body=b'{"sku":"x","quantity":1}'
    ),
    _get("no limit at all", "/v2/orders?limit=", "limit"),
    _get("a limit of none", "/v2/orders?limit=0", "limit"),
    _get("too large a limit", "/v2/orders?limit=201", "limit"),
    _get("a limit with a sign", "/v2/orders?limit=%2B5", "limit"),
    _get("a limit with a fraction", "/v2/orders?limit=5.0", "limit"),
    _get("a limit twice", "/v2/orders?limit=5&limit=5", "limit"),
    _get("a cursor that is none", "/v2/orders?cursor=AAAA%00AAA", "cursor"),
    _get("a cursor that is too long", "/v2/orders?cursor=AAAAAAAAA", "cursor"),
    _get("a status that is none", "/v2/orders?status=lost", "status"),
    _get("version 1 knows no status", "/v1/orders?status=pending", "status"),
    _get("an id that is no UUID", "/v2/orders/17", "orderId"),
    _get("a UUID in braces", "/v2/orders/%7B0195a5e4-8f7e-7c3a-9d52-6b1f0c2e4a10%7D", "orderId"),
    _get("a UUID without hyphens", "/v2/orders/0195a5e48f7e7c3a9d526b1f0c2e4a10", "orderId"),
    _get(
        "an order that is not there",
        f"/v2/orders/{'0' * 8}-0000-4000-8000-{'0' * 12}",
        "",
        status=404,
        kind="order-not-found",
    ),
    _get("a path that is not there", "/v2/baskets", "", status=404, kind="not-found"),
    _get("a slash too many", "/v2/orders/", "", status=404, kind="not-found"),
]
