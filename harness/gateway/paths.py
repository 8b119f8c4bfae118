"""What a path means before and after decoding, so that nothing is authorised under one name and served under another.

The path that is matched against policies is the path as sent (API Gateway's method ARN), and exactly those bytes are
forwarded. An upstream reads more into them: it decodes escapes, may resolve dot segments, take a backslash for a slash
or cut `;parameters` off. Hence two rules:

- a path whose *structure* changes by decoding is refused: encoded `/`, `\\` or NUL, dot segments in any spelling,
  escapes that are malformed or not UTF-8;
- a path that has several *spellings* is asked about under each of them, and every one must be allowed: a policy that
  denies `GET/admin` then also holds for `GET/%61dmin` and `GET/admin;x`.
"""

from urllib.parse import quote, unquote_to_bytes

_HEX = frozenset(b"0123456789abcdefABCDEF")
# RFC 3986 section 3.3: what may stand in a segment as it is.
_PLAIN_IN_PATH = "/:@!$&'()*+,;=-._~"


def refusal_reason(raw: bytes) -> str:
    """Why the path on the wire is refused, or an empty string."""
    if not raw.isascii():  # RFC 3986 section 2: whatever else a path names is escaped in it
        return "a byte outside ASCII in the path"
    # `find`, since `in` looks for a number first and fails.
    if raw.find(b"\\") >= 0:
        return "a backslash in the path"
    if raw.find(b"%") < 0:
        return _dot_segment(raw) if raw.find(b"/.") >= 0 else ""
    pieces = raw.split(b"%")
    for piece in pieces[1:]:
        if len(piece) < 2 or piece[0] not in _HEX or piece[1] not in _HEX:
            return "a malformed escape in the path"
    escapes = {piece[:2].lower() for piece in pieces[1:]}
    for escape, what in ((b"2f", "slash"), (b"5c", "backslash"), (b"00", "NUL")):
        if escape in escapes:
            return f"an encoded {what} in the path"
    decoded = unquote_to_bytes(raw)
    try:
        decoded.decode("utf-8")
    except UnicodeDecodeError:
        return "the path is not UTF-8"
    return _dot_segment(decoded)


def spellings(path: str) -> tuple[str, ...]:
    """All names under which a path that `refusal_reason` let pass may be served, the path as sent first."""
    if "%" not in path and ";" not in path:
        return (path,)
    decoded = decode(path)
    known = {path: None, quote(decoded, safe=_PLAIN_IN_PATH): None, decoded: None}
    if ";" in decoded:
        known["/".join(segment.partition(";")[0] for segment in decoded.split("/"))] = None
    return tuple(known)


def decode(path: str) -> str:
    return unquote_to_bytes(path).decode("utf-8")


def _dot_segment(decoded: bytes) -> str:
    # `..;x` is a dot segment too for servers that cut parameters off.
    if any(segment.partition(b";")[0] in (b".", b"..") for segment in decoded.split(b"/")):
        return "a dot segment in the path"
    return ""
