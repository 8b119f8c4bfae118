"""Changes of a signed call, as a table: those that must be refused, and those that a signature cannot notice.

A change returns None where the call has nothing of the kind.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from random import Random
from urllib.parse import quote

from harness.identity import Credentials
from harness.wire import HttpRequest
from tests.access.calls import APIS, LISTENERS, METHODS, STAGES, Call, moment_of

Mutation = Callable[[Call, Random, list[Credentials]], Call | None]

_AUTHORIZATION, _TOKEN, _DATE, _HOST = b"authorization", b"x-amz-security-token", b"x-amz-date", b"host"


def other_byte(text: bytes, random: Random) -> bytes:
    place = random.randrange(len(text))
    byte = (text[place] + random.randint(1, 255)) % 256
    return text[:place] + bytes([byte]) + text[place + 1 :]


def signed_names(request: HttpRequest) -> list[bytes]:
    claims = request.header(_AUTHORIZATION)
    if claims is not None:
        return claims.partition(b"SignedHeaders=")[2].partition(b",")[0].split(b";")
    return _parameter(request, b"X-Amz-SignedHeaders").replace(b"%3B", b";").split(b";")


def _parameter(request: HttpRequest, name: bytes) -> bytes:
    return dict(parameter.partition(b"=")[::2] for parameter in request.raw_query.split(b"&"))[name]


def _with_header(call: Call, at: int, name: bytes, value: bytes) -> Call:
    headers = list(call.request.headers)
    headers[at] = (name, value)
    return call.changed(headers=headers)


def _replaced(call: Call, header: bytes, parameter: bytes, change: Callable[[bytes], bytes]) -> Call:
    """What the header form says in `header`, the presigned form in `parameter`."""
    if call.presigned:
        value = _parameter(call.request, parameter)
        return call.changed(
            raw_query=call.request.raw_query.replace(
                b"%b=%b" % (parameter, value), b"%b=%b" % (parameter, change(value))
            )
        )
    at = next(at for at, (name, _) in enumerate(call.request.headers) if name == header)
    return _with_header(call, at, header, change(call.request.headers[at][1]))


def _claim(call: Call, name: bytes, change: Callable[[bytes], bytes]) -> Call:
    """One of the parts of the Authorization header, or of the parameters of that name."""

    def in_header(authorization: bytes) -> bytes:
        before, mark, rest = authorization.partition(name + b"=")
        value, comma, after = rest.partition(b",")
        return before + mark + change(value) + comma + after

    if call.presigned:
        return _replaced(call, b"", b"X-Amz-" + name, change)
    return _replaced(call, _AUTHORIZATION, b"", in_header)


# Single bytes


def byte_of_the_path(call: Call, random: Random, _: list[Credentials]) -> Call:
    return call.changed(raw_path=other_byte(call.request.raw_path, random))


def byte_of_the_query(call: Call, random: Random, _: list[Credentials]) -> Call | None:
    query = call.request.raw_query
    return call.changed(raw_query=other_byte(query, random)) if query else None


def byte_of_a_header_value(call: Call, random: Random, _: list[Credentials]) -> Call | None:
    names = signed_names(call.request)
    places = [at for at, (name, value) in enumerate(call.request.headers) if name in names and value]
    at = random.choice(places)
    name, value = call.request.headers[at]
    return _with_header(call, at, name, other_byte(value, random))


def byte_of_a_header_name(call: Call, random: Random, _: list[Credentials]) -> Call | None:
    names = signed_names(call.request)
    at = random.choice([at for at, (name, _) in enumerate(call.request.headers) if name in names])
    name, value = call.request.headers[at]
    return _with_header(call, at, other_byte(name, random), value)


def byte_of_the_body(call: Call, random: Random, _: list[Credentials]) -> Call | None:
    return call.changed(body=other_byte(call.request.body, random)) if call.request.body else None


def length_of_the_body(call: Call, random: Random, _: list[Credentials]) -> Call:
    body = call.request.body
    return call.changed(body=body[:-1] if body and random.random() < 0.5 else body + random.randbytes(1))


def byte_of_the_signature(call: Call, random: Random, _: list[Credentials]) -> Call:
    return _claim(call, b"Signature", lambda value: other_byte(value, random))


def hex_digit_of_the_signature(call: Call, random: Random, _: list[Credentials]) -> Call:
    def change(value: bytes) -> bytes:
        place = random.randrange(len(value))
        digit = random.choice(b"0123456789abcdef".replace(value[place : place + 1], b""))
        return value[:place] + bytes([digit]) + value[place + 1 :]

    return _claim(call, b"Signature", change)


def case_or_length_of_the_signature(call: Call, random: Random, _: list[Credentials]) -> Call:
    change = random.choice([bytes.upper, lambda value: value[:-1], lambda value: value + b"0", lambda value: b""])
    return _claim(call, b"Signature", change)


def byte_of_the_token(call: Call, random: Random, _: list[Credentials]) -> Call:
    return _replaced(call, _TOKEN, b"X-Amz-Security-Token", lambda value: other_byte(value, random))


def byte_of_the_credential_scope(call: Call, random: Random, _: list[Credentials]) -> Call:
    return _claim(call, b"Credential", lambda value: other_byte(value, random))


def byte_of_the_authorization(call: Call, random: Random, _: list[Credentials]) -> Call | None:
    if call.presigned:
        return None
    return _replaced(call, _AUTHORIZATION, b"", lambda value: other_byte(value, random))


def byte_of_the_date(call: Call, random: Random, _: list[Credentials]) -> Call:
    return _replaced(call, _DATE, b"X-Amz-Date", lambda value: other_byte(value, random))


# The same request for another time, place or service


def another_second(call: Call, random: Random, _: list[Credentials]) -> Call:
    def change(value: bytes) -> bytes:
        later = moment_of(value) + timedelta(seconds=random.choice([-60, -1, 1, 60]))
        return later.strftime("%Y%m%dT%H%M%SZ").encode()

    return _replaced(call, _DATE, b"X-Amz-Date", change)


def another_part_of_the_scope(call: Call, random: Random, _: list[Credentials]) -> Call:
    old, new = random.choice([
        (b"eu-west-1", b"us-east-1"), (b"execute-api", b"sts"), (b"aws4_request", b"aws4_request2"),
        (b"20260115", b"20260116"),
    ])  # fmt: skip
    return _claim(call, b"Credential", lambda value: value.replace(old, new))


def a_longer_life(call: Call, random: Random, _: list[Credentials]) -> Call | None:
    if not call.presigned:
        return None
    return _replaced(call, b"", b"X-Amz-Expires", lambda value: b"%d" % (int(value) + random.randint(1, 9999)))


def another_method(call: Call, random: Random, _: list[Credentials]) -> Call:
    return call.changed(method=random.choice([method for method in METHODS if method != call.request.method]))


def another_stage(call: Call, random: Random, _: list[Credentials]) -> Call:
    stage = call.request.raw_path[1:3]
    other = next(name.encode() for name in STAGES if name.encode() != stage)
    return call.changed(raw_path=b"/" + other + call.request.raw_path[3:])


def another_api(call: Call, random: Random, _: list[Credentials]) -> Call | None:
    """By the host's name or by the header; the listener's own API is no part of a request."""
    if call.place.api:
        return None
    headers = []
    for name, value in call.request.headers:
        for api, other in zip(APIS, reversed(APIS), strict=True):
            if name in (_HOST, b"x-apigw-api-id") and value.startswith(api.encode()):
                value = other.encode() + value[len(api) :]
                break
        headers.append((name, value))
    return call.changed(headers=headers)


def another_listener(call: Call, random: Random, _: list[Credentials]) -> Call | None:
    """Which stands for another API, every byte the same."""
    if not call.place.api:
        return None
    other = next(place for api, place in LISTENERS.items() if api != call.place.api)
    return replace(call, place=other)


def another_api_in_a_header_not_signed(call: Call, random: Random, _: list[Credentials]) -> Call | None:
    names = [name for name, _ in call.request.headers]
    if b"x-apigw-api-id" in names:
        return None
    named = call.place.api.encode() or call.request.headers[0][1]
    other = next(api.encode() for api in APIS if not named.startswith(api.encode()))
    return call.changed(headers=[*call.request.headers, (b"x-apigw-api-id", other)])


def another_method_in_a_header_not_signed(call: Call, random: Random, _: list[Credentials]) -> Call:
    method = random.choice([method for method in METHODS if method != call.request.method])
    return call.changed(headers=[*call.request.headers, (b"x-http-method-override", method.encode())])


def another_host(call: Call, random: Random, _: list[Credentials]) -> Call:
    host = random.choice([b"localhost:4567", b"LOCALHOST:4566", b"127.0.0.1", b""])
    return _with_header(call, 0, _HOST, host)


# Whose it is


def another_session(call: Call, random: Random, sessions: list[Credentials]) -> Credentials:
    """Of the same role or of another one."""
    said = call.request.raw_query + (call.request.header(_AUTHORIZATION) or b"")
    return random.choice([session for session in sessions if session.access_key_id.encode() not in said])


def token_of_another(call: Call, random: Random, sessions: list[Credentials]) -> Call:
    token = another_session(call, random, sessions).session_token
    encoded = (quote(token, safe="-_.~") if call.presigned else token).encode()
    return _replaced(call, _TOKEN, b"X-Amz-Security-Token", lambda _: encoded)


def key_of_another(call: Call, random: Random, sessions: list[Credentials]) -> Call:
    key = another_session(call, random, sessions).access_key_id.encode()
    return _claim(call, b"Credential", lambda value: key + value[len(key) :])


def token_and_key_of_another(call: Call, random: Random, sessions: list[Credentials]) -> Call:
    other = [another_session(call, random, sessions)]
    return key_of_another(token_of_another(call, random, other), random, other)


def without_token(call: Call, random: Random, _: list[Credentials]) -> Call:
    if not call.presigned:
        return call.changed(headers=[header for header in call.request.headers if header[0] != _TOKEN])
    parameters = call.request.raw_query.split(b"&")
    return call.changed(raw_query=b"&".join(p for p in parameters if not p.startswith(b"X-Amz-Security-Token=")))


# Headers and parameters, fewer and more


def a_header_dropped(call: Call, random: Random, _: list[Credentials]) -> Call:
    names = [*signed_names(call.request), *([] if call.presigned else [_AUTHORIZATION])]
    places = [at for at, (name, _) in enumerate(call.request.headers) if name in names]
    drop = random.choice(places)
    return call.changed(headers=[header for at, header in enumerate(call.request.headers) if at != drop])


def a_header_twice(call: Call, random: Random, _: list[Credentials]) -> Call:
    """With its own value or another, at the beginning or the end."""
    names = [*signed_names(call.request), *([] if call.presigned else [_AUTHORIZATION])]
    name, value = random.choice([header for header in call.request.headers if header[0] in names])
    again = (name, random.choice([value, b"", value[::-1], b"x"]))
    headers = list(call.request.headers)
    return call.changed(headers=[again, *headers] if random.random() < 0.5 else [*headers, again])


def another_list_of_signed_headers(call: Call, random: Random, _: list[Credentials]) -> Call:
    separator = b"%3B" if call.presigned else b";"

    def change(value: bytes) -> bytes:
        names = value.split(separator)
        if len(names) > 1 and random.random() < 0.7:
            names.remove(random.choice(names))
        else:
            names = sorted([*names, random.choice([b"accept-encoding", b"user-agent", b"host", b"zz"])])
        return separator.join(names)

    return _claim(call, b"SignedHeaders", change)


def a_parameter_dropped(call: Call, random: Random, _: list[Credentials]) -> Call | None:
    parameters = call.request.raw_query.split(b"&")
    if not call.request.raw_query:
        return None
    parameters.pop(random.randrange(len(parameters)))
    return call.changed(raw_query=b"&".join(parameters))


def a_parameter_twice(call: Call, random: Random, _: list[Credentials]) -> Call | None:
    parameters = call.request.raw_query.split(b"&")
    if not call.request.raw_query:
        return call.changed(raw_query=b"x=1")
    return call.changed(raw_query=b"&".join([*parameters, random.choice(parameters)]))


def both_forms_at_once(call: Call, random: Random, _: list[Credentials]) -> Call:
    if call.presigned:
        return call.changed(headers=[*call.request.headers, (_AUTHORIZATION, b"AWS4-HMAC-SHA256 Credential=x")])
    separator = b"&" if call.request.raw_query else b""
    return call.changed(raw_query=call.request.raw_query + separator + b"X-Amz-Algorithm=AWS4-HMAC-SHA256")


REFUSED: Mapping[str, Mutation] = {
    mutation.__name__.replace("_", " "): mutation
    for mutation in (
        byte_of_the_path, byte_of_the_query, byte_of_a_header_value, byte_of_a_header_name, byte_of_the_body,
        length_of_the_body, byte_of_the_signature, hex_digit_of_the_signature, case_or_length_of_the_signature,
        byte_of_the_token, byte_of_the_credential_scope, byte_of_the_authorization, byte_of_the_date, another_second,
        another_part_of_the_scope, a_longer_life, another_method,
        another_method_in_a_header_not_signed, another_stage, another_api,
        another_api_in_a_header_not_signed, another_listener, another_host,
        token_of_another, key_of_another, token_and_key_of_another, without_token, a_header_dropped, a_header_twice,
        another_list_of_signed_headers, a_parameter_dropped, a_parameter_twice, both_forms_at_once,
    )
}  # fmt: skip
"""By what is changed. A change may happen to be none (see HARMLESS); every other one must be refused."""


# What a signature cannot notice


def _case_of_an_escape(call: Call, random: Random, _: list[Credentials]) -> Call | None:
    query = call.request.raw_query
    places = [
        at for at, byte in enumerate(query) if byte == ord("%") and query[at : at + 3].lower() != query[at : at + 3]
    ]
    if not places:
        return None
    at = random.choice(places)
    return call.changed(raw_query=query[:at] + query[at : at + 3].lower() + query[at + 3 :])


def _needless_escape(call: Call, random: Random, _: list[Credentials]) -> Call | None:
    query = call.request.raw_query
    before, equals, after = query.partition(b"=")
    if call.presigned or not after[:1].isalnum():
        return None
    return call.changed(raw_query=before + equals + b"%%%02X" % after[0] + after[1:])


def _order_of_parameters(call: Call, random: Random, _: list[Credentials]) -> Call | None:
    parameters = call.request.raw_query.split(b"&")
    return call.changed(raw_query=b"&".join(reversed(parameters))) if len(parameters) > 1 else None


def _order_of_headers(call: Call, random: Random, _: list[Credentials]) -> Call:
    return call.changed(headers=random.sample(call.request.headers, len(call.request.headers)))


def _blanks_in_a_header(call: Call, random: Random, _: list[Credentials]) -> Call | None:
    places = [at for at, (_, value) in enumerate(call.request.headers) if b" " in value.strip()]
    if not places:
        return None
    at = random.choice(places)
    name, value = call.request.headers[at]
    blanks = b"  " if name == _AUTHORIZATION else b" \t "
    return _with_header(call, at, name, value.strip().replace(b" ", blanks, 1))


def _commas_of_the_authorization(call: Call, random: Random, _: list[Credentials]) -> Call | None:
    if call.presigned:
        return None
    return _replaced(call, _AUTHORIZATION, b"", lambda value: value.replace(b", ", random.choice([b",", b" ", b",,"])))


def _unsigned_header(call: Call, random: Random, _: list[Credentials]) -> Call:
    return call.changed(headers=[*call.request.headers, (b"x-added", random.randbytes(4).hex().encode())])


HARMLESS: Mapping[str, tuple[Mutation, str]] = {
    "case of an escape in the query": (_case_of_an_escape, "names and values are decoded before they are encoded"),
    "escape of an unreserved byte in the query": (_needless_escape, "likewise: %41 is A"),
    "order of parameters": (_order_of_parameters, "they are sorted"),
    "order of headers": (_order_of_headers, "they are sorted"),
    "blanks in a header": (_blanks_in_a_header, "runs of blanks count as one space"),
    "separators of the Authorization header": (_commas_of_the_authorization, "commas and spaces separate its parts"),
    "a header that is not signed": (_unsigned_header, "only those in SignedHeaders are in the canonical request"),
}
"""By what is changed, with the reason why the canonical request stays the same: these are let through."""
