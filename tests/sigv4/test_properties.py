"""Whatever botocore signs is verified, and what changed on the way is refused.

A change that leaves the canonical request alone cannot be noticed. `cases/same_request.json` lists those changes; the
properties below make none of them: no dot or empty segments in a path that is to change (a segment may then vanish), no
change that is only the case of an escape in the query, none from one kind of blank to another in a header.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from harness.sigv4 import Fault, Presented, read_authorization, sign
from harness.sigv4.timestamp import instant_of
from harness.wire import HttpRequest
from tests.sigv4.values import ACCESS_KEY_ID, HOST, REGION, SECRET, SERVICE, check

pytestmark = pytest.mark.slow

METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
# All that a request line can carry in a path, escapes and UTF-8 among it.
PATH_TEXT = st.text(st.sampled_from("abzAZ09-._~!$&'()*+,;=:@%ä€"), max_size=6) | st.binary(max_size=4).map(quote)
PATHS = st.lists(PATH_TEXT | st.sampled_from([".", "..", ""]), max_size=6).map(lambda parts: "/" + "/".join(parts))
PLAIN_PATHS = st.lists(PATH_TEXT.filter(lambda part: part not in ("", ".", "..")), min_size=1, max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)
PARAMETERS = st.lists(st.tuples(st.binary(min_size=1, max_size=6), st.binary(max_size=6)), max_size=5)
HEADER_NAMES = st.sampled_from(["Accept", "Content-Type", "X-Request-Id", "x-a", "x-a-b", "X.b", "Cookie"])
HEADER_VALUES = st.text(st.sampled_from("aZ09-_.,;:/=\"' \täö€"), max_size=12)
HEADERS = st.lists(st.tuples(HEADER_NAMES, HEADER_VALUES), max_size=5)
TOKENS = st.none() | st.text(st.sampled_from("aZ09+/="), min_size=1, max_size=20)
BODIES = st.binary(max_size=32)

repeatable = settings(deadline=None, derandomize=True, max_examples=100)


@dataclass(frozen=True)
class Given:
    method: str
    path: str
    parameters: Sequence[tuple[bytes, bytes]]
    headers: Sequence[tuple[str, str]]
    body: bytes
    token: str | None

    @property
    def query(self) -> str:
        return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in self.parameters)

    def wire(self, url: str, headers: Sequence[tuple[str, str]]) -> HttpRequest:
        """The request as an HTTP server hands it on."""
        target = url.removeprefix(f"https://{HOST}")
        path, _, query = target.encode().partition(b"?")
        arrived = [(name.lower().encode(), value.strip().encode()) for name, value in headers]
        return HttpRequest(self.method, path, query, [(b"host", HOST.encode()), *arrived], self.body)


def requests(paths: st.SearchStrategy[str] = PATHS) -> st.SearchStrategy[Given]:
    return st.builds(Given, METHODS, paths, PARAMETERS, HEADERS, BODIES, TOKENS)


def by_botocore(call: Given, signer: Any = SigV4Auth) -> HttpRequest:
    url = f"https://{HOST}{call.path}" + (f"?{call.query}" if call.parameters else "")
    request = AWSRequest(method=call.method, url=url, data=call.body)
    for name, value in call.headers:
        request.headers.add_header(name, value)
    signer(Credentials(ACCESS_KEY_ID, SECRET, call.token), SERVICE, REGION).add_auth(request)
    return call.wire(request.url, list(request.headers.items()))


def verdict(request: HttpRequest) -> Presented | Fault:
    """At the instant the request claims, so that no clock takes part."""
    presented = read_authorization(request)
    if isinstance(presented, Fault):
        return presented
    now = instant_of(presented.amz_date)
    assert now is not None
    return check(request, now=now)


@given(requests())
@repeatable
def test_what_botocore_signs_is_verified(call: Given) -> None:
    presented = verdict(by_botocore(call))
    assert isinstance(presented, Presented), presented
    assert presented.security_token == call.token


@given(requests())
@repeatable
def test_what_botocore_presigns_is_verified(call: Given) -> None:
    # It keeps one value of each parameter and makes parameters of a body.
    once = {name: (name, value) for name, value in call.parameters}
    simple = replace(call, parameters=list(once.values()), body=b"")
    assert isinstance(verdict(by_botocore(simple, SigV4QueryAuth)), Presented)


@given(requests())
@repeatable
def test_our_signer_agrees_with_botocore_byte_for_byte(call: Given) -> None:
    theirs = by_botocore(call)
    now = instant_of((theirs.header(b"x-amz-date") or b"").decode())
    assert now is not None
    ours = sign(
        call.wire(f"https://{HOST}{call.path}?{call.query}", call.headers),
        access_key_id=ACCESS_KEY_ID,
        secret=SECRET,
        session_token=call.token,
        region=REGION,
        service=SERVICE,
        now=now,
    )
    names = {name for name, _ in ours}
    assert sorted(ours) == sorted(header for header in theirs.headers if header[0] in names)


def other_byte(data: st.DataObject, text: bytes) -> bytes:
    """`text` with one byte replaced by another."""
    place = data.draw(st.integers(0, len(text) - 1), label="place")
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != text[place]), label="byte")
    return text[:place] + bytes([byte]) + text[place + 1 :]


@given(requests(PLAIN_PATHS), st.data())
@repeatable
def test_a_changed_byte_of_the_path_is_refused(call: Given, data: st.DataObject) -> None:
    request = by_botocore(call)
    assert isinstance(verdict(replace(request, raw_path=other_byte(data, request.raw_path))), Fault)


@given(requests(), st.data())
@repeatable
def test_a_changed_byte_of_the_query_is_refused(call: Given, data: st.DataObject) -> None:
    request = by_botocore(call)
    assume(request.raw_query)
    query = other_byte(data, request.raw_query)
    assume(query.upper() != request.raw_query or query == query.upper())
    assert isinstance(verdict(replace(request, raw_query=query)), Fault)


@given(requests(), st.data())
@repeatable
def test_a_changed_byte_of_the_body_is_refused(call: Given, data: st.DataObject) -> None:
    request = by_botocore(call)
    assume(request.body)
    assert isinstance(verdict(replace(request, body=other_byte(data, request.body))), Fault)


@given(requests(), st.data())
@repeatable
def test_a_changed_byte_of_a_signed_header_is_refused(call: Given, data: st.DataObject) -> None:
    request = by_botocore(call)
    headers = list(request.headers)
    choices = [place for place, (name, value) in enumerate(headers) if value and name != b"authorization"]
    place = data.draw(st.sampled_from(choices), label="header")
    name, value = headers[place]
    mutated = other_byte(data, value)
    assume(mutated.split() != value.split())
    headers[place] = (name, mutated)
    assert isinstance(verdict(replace(request, headers=headers)), Fault)


@given(requests(), st.data())
@repeatable
def test_a_changed_byte_of_a_signed_name_is_refused(call: Given, data: st.DataObject) -> None:
    request = by_botocore(call)
    headers = list(request.headers)
    choices = [place for place, (name, _) in enumerate(headers) if name != b"authorization"]
    place = data.draw(st.sampled_from(choices), label="header")
    headers[place] = (other_byte(data, headers[place][0]), headers[place][1])
    assert isinstance(verdict(replace(request, headers=headers)), Fault)


@given(requests(), st.data())
@repeatable
def test_a_changed_byte_of_the_signature_is_refused(call: Given, data: st.DataObject) -> None:
    request = by_botocore(call)
    (*headers, (name, value)) = request.headers
    assert name == b"authorization"
    mutated = value[:-64] + other_byte(data, value[-64:])
    assert isinstance(verdict(replace(request, headers=[*headers, (name, mutated)])), Fault)


@given(requests(), st.data())
@repeatable
def test_a_changed_byte_of_the_authorization_is_refused_or_without_consequence(
    call: Given, data: st.DataObject
) -> None:
    request = by_botocore(call)
    (*headers, (name, value)) = request.headers
    mutated = replace(request, headers=[*headers, (name, other_byte(data, value))])
    answer = verdict(mutated)
    # A comma for a space, and the access key id: who it belongs to is looked up by it, and the secret with it.
    if isinstance(answer, Presented):
        assert answer._replace(access_key_id=ACCESS_KEY_ID) == read_authorization(request)


@given(st.binary(max_size=64), st.binary(max_size=64), st.binary(max_size=64))
@repeatable
def test_no_bytes_are_more_than_can_be_refused(authorization: bytes, date: bytes, query: bytes) -> None:
    headers = [(b"host", b"h"), (b"authorization", authorization), (b"x-amz-date", date), (b"date", date)]
    assert isinstance(verdict(HttpRequest("GET", query, query, headers, b"")), Fault)
    assert isinstance(verdict(HttpRequest("GET", query, query, [*headers[:2], headers[3]], b"")), Fault)
    presigned = HttpRequest("GET", query, b"X-Amz-Algorithm=AWS4-HMAC-SHA256&" + query, headers[:1], b"")
    assert isinstance(verdict(presigned), Fault)
