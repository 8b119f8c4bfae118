"""What the log says of calls, and what it must not say."""

import logging
from collections.abc import Iterator

import pytest

from harness.wire import HttpRequest
from tests.access.landscape import STOREFRONT
from tests.gateway.asking import send
from tests.gateway.landscape import STRANGER, Recorded, a_call, an_edge


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, logger="harness.gateway"):
        yield caplog


def test_a_refusal_is_one_line_in_the_log(log: pytest.LogCaptureFixture) -> None:
    got = send(an_edge(Recorded()), a_call(role=STRANGER))
    (record,) = log.records
    assert record.getMessage() == (
        f"refused {got.header(b'x-amzn-requestid')} api=orders "
        f"caller=arn:aws:sts::{STOREFRONT}:assumed-role/stranger/session "
        "GET /v2/orders -> 403 access-denied: not allowed by resource-based policy"
    )


def test_a_log_line_holds_no_token_and_no_signature(log: pytest.LogCaptureFixture) -> None:
    call = a_call()
    send(an_edge(Recorded()), HttpRequest("POST", call.raw_path, b"a=b", call.headers, b"x"))
    (record,) = log.records
    headers = dict(call.headers)
    assert headers[b"x-amz-security-token"].decode() not in record.getMessage()
    assert headers[b"authorization"].decode()[-64:] not in record.getMessage()
    assert "\n" not in record.getMessage()


def test_an_admitted_call_is_not_logged(log: pytest.LogCaptureFixture) -> None:
    send(an_edge(Recorded()), a_call())
    assert log.records == []
