"""Condition keys of the network come from the listener, never from what a caller sends."""

from datetime import timedelta

import pytest

from harness.access import network_context
from harness.wire import HttpRequest, NetworkPlace
from tests.access.landscape import CREDENTIALS, ENDPOINT, NOON, PUBLIC, WORKBENCH

FORGED = [
    (b"x-forwarded-for", b"203.0.113.9"),
    (b"x-amzn-vpce-id", b"vpce-forged"),
    (b"aws:sourcevpce", b"vpce-forged"),
]


def context(place: NetworkPlace, *headers: tuple[bytes, bytes], **more: bool) -> dict[str, object]:
    request = HttpRequest("GET", b"/", b"", headers, b"", client_ip="10.0.0.7")
    return dict(network_context(request, place, now=NOON + timedelta(microseconds=5), region="eu-west-1", **more))


ALWAYS = {
    "aws:requestedregion": "eu-west-1",
    "aws:currenttime": "2026-01-15T12:00:00Z",
    "aws:epochtime": "1768478400",
    "aws:securetransport": "true",
    "aws:viaawsservice": "false",
}


@pytest.mark.parametrize("place", [ENDPOINT, WORKBENCH], ids=lambda place: place.name)
def test_through_an_endpoint_the_keys_are_the_endpoints(place: NetworkPlace) -> None:
    assert context(place, *FORGED) == {
        **ALWAYS,
        "aws:sourcevpce": place.vpce_id,
        "aws:sourcevpc": place.vpc_id,
        "aws:vpcsourceip": "10.0.0.7",
    }


def test_from_the_internet_there_is_an_address_and_no_endpoint() -> None:
    assert context(PUBLIC, *FORGED) == {**ALWAYS, "aws:sourceip": "10.0.0.7"}


def test_from_the_listener_for_credentials_there_is_neither() -> None:
    assert context(CREDENTIALS) == ALWAYS


def test_user_agent_and_referer_are_the_first_that_were_sent() -> None:
    found = context(PUBLIC, (b"user-agent", b"one"), (b"user-agent", b"two"), (b"referer", b"https://a.example/"))

    assert (found["aws:useragent"], found["aws:referer"]) == ("one", "https://a.example/")


def test_a_header_that_is_not_ascii_is_read_as_latin_1() -> None:
    assert context(PUBLIC, (b"user-agent", b"\xff\xfe"))["aws:useragent"] == "ÿþ"


def test_a_plain_connection_says_so() -> None:
    assert context(PUBLIC, secure=False)["aws:securetransport"] == "false"
