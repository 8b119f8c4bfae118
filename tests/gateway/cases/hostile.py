"""Heads and bodies as an attacker would send them: what is sent, and the status of each answer before the end.

`HOST` stands for the header lines that lead to the API `orders`; the requests are not signed, so what is well-formed is
answered 403.
"""

HOST = b"host: x\r\nx-apigw-api-id: orders\r\n"
GET = b"GET /v2/orders HTTP/1.1\r\n" + HOST
POST = b"POST /v2/orders HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"transfer-encoding: chunked\r\n\r\n"
NEXT = b"GET /v2/smuggled HTTP/1.1\r\n" + HOST + b"\r\n"

# Bytes that are no text, where text is expected. (name, sent, status)
BYTES: list[tuple[str, bytes, int]] = [
    ("a NUL in the path", b"GET /v2/or\0ders HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("a NUL in the query", b"GET /v2/orders?a=\0 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("a NUL in the name of a header", GET + b"x\0y: 1\r\n\r\n", 400),
    ("a NUL in the host", b"GET /v2/orders HTTP/1.1\r\nhost: x\0\r\n\r\n", 400),
    ("a raw byte in the query", b"GET /v2/orders?a=\xff HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("a raw byte in the name of a header", GET + b"x\xff: 1\r\n\r\n", 400),
    ("a control character in a value", GET + b"x: a\x01b\r\n\r\n", 400),
    ("DEL in a value", GET + b"x: a\x7fb\r\n\r\n", 400),
    ("an escape sequence of a terminal in a signature", GET + b"authorization: \x1b[31m\r\n\r\n", 400),
    ("raw bytes in a value", GET + b"x: \xff\xfe\r\n\r\n", 403),
    ("raw bytes in a signature", GET + b"authorization: AWS4-HMAC-SHA256 Credential=\xff, Signature=\xff\r\n\r\n", 403),
    ("raw bytes in a token", GET + b"x-amz-security-token: \xff\xfe\r\n\r\n", 403),
    ("raw bytes in the API's id", b"GET /v2/orders HTTP/1.1\r\nhost: x\r\nx-apigw-api-id: \xff\r\n\r\n", 403),
    ("raw bytes in the host", b"GET /v2/orders HTTP/1.1\r\nhost: \xff.execute-api.localhost\r\n\r\n", 403),
    ("raw bytes in a method override", POST + b"x-http-method-override: \xff\r\ncontent-length: 0\r\n\r\n", 403),
    ("an encoded NUL in the query", b"GET /v2/orders?a=%00 HTTP/1.1\r\n" + HOST + b"\r\n", 403),
    ("a path that is not UTF-8", b"GET /v2/orders/%ff HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("dots in overlong UTF-8", b"GET /v2/orders/%c0%ae%c0%ae HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    ("a surrogate in UTF-8", b"GET /v2/orders/%ed%a0%80 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
]

# Requests that two servers could cut apart in two ways: one answer, and the connection ends.
SMUGGLED: list[tuple[str, bytes]] = [
    ("a folded coding", POST + b"transfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n"),
    ("a folded length", POST + b"content-length:\r\n 3\r\n\r\nabc"),
    ("a header folded with a tab", GET + b"x: 1\r\n\tfolded\r\n\r\n"),
    ("a fold before the first header", b"GET /v2/orders HTTP/1.1\r\n host: x\r\n\r\n"),
    ("a coding with a space before the colon", POST + b"content-length: 3\r\ntransfer-encoding : chunked\r\n\r\nabc"),
    ("a coding behind a vertical tab", POST + b"transfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
    ("two codings", POST + b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n"),
    ("one coding twice", POST + b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("a coding in HTTP/1.0", CHUNKED.replace(b"HTTP/1.1", b"HTTP/1.0") + b"0\r\n\r\n"),
    ("a length in hexadecimal", POST + b"content-length: 0x1\r\n\r\na"),
    ("a negative length", POST + b"content-length: -1\r\n\r\n"),
    ("a length that no number holds", POST + b"content-length: 99999999999999999999999\r\n\r\n"),
    ("a length that overflows to 1", POST + b"content-length: 18446744073709551617\r\n\r\na"),
    ("a length in other digits", POST + b"content-length: \xd9\xa1\r\n\r\na"),
    ("a length with an underscore", POST + b"content-length: 1_0\r\n\r\n"),
    ("an empty length", POST + b"content-length: \r\n\r\n"),
    ("lengths that differ", POST + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabcd"),
    ("a chunk's size with a sign", CHUNKED + b"-1\r\na\r\n0\r\n\r\n"),
    ("a chunk's size with a prefix", CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n"),
    ("a chunk's size with a space", CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n"),
    ("a chunk's size that overflows", CHUNKED + b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
    ("chunks with bare LFs", CHUNKED + b"3\nabc\n0\n\n"),
    ("a bare LF in a chunk's extension", CHUNKED + b"3;a\nx\r\nabc\r\n0\r\n\r\n"),
    ("a chunk longer than its size", CHUNKED + b"3\r\nabcX\r\n0\r\n\r\n"),
    ("a bare CR for a line's end", b"GET /v2/orders HTTP/1.1\rhost: x\r\r"),
    ("a CR too many", b"GET /v2/orders HTTP/1.1\r\r\n" + HOST + b"\r\n"),
    ("a bare CR in the target", b"GET /v2/ord\rers HTTP/1.1\r\n" + HOST + b"\r\n"),
    ("a space in the target", b"GET /v2/orders x HTTP/1.1\r\n" + HOST + b"\r\n"),
    ("tabs between the parts of the first line", b"GET\t/v2/orders\tHTTP/1.1\r\n" + HOST + b"\r\n"),
    ("a space before the method", b" GET /v2/orders HTTP/1.1\r\n" + HOST + b"\r\n"),
    ("a header without a name", GET + b": x\r\n\r\n"),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
]
