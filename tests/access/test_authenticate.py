"""Who calls: the session behind a valid signature, or the fault that AWS would answer with."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from harness.access import Authority, Caller
from harness.identity import Credentials, Session
from harness.policy import PrincipalType
from harness.sigv4 import Fault, FaultKind
from harness.wire import HttpRequest
from tests.access.landscape import (
    MASTER_KEY,
    NOON,
    ORDERS,
    STOCK,
    a_directory,
    a_role,
    a_sealer,
    a_session,
    allow,
    signed,
    text_of,
)

SEALER = a_sealer()
ROLE = a_role(ORDERS, "orders", allow("execute-api:Invoke"), path="/services/")
OTHER = a_role(STOCK, "stock", allow("execute-api:Invoke"))
GONE = a_role(ORDERS, "gone")
DIRECTORY = a_directory(ROLE, OTHER)


def issued(session: Session) -> Credentials:
    return SEALER.issue(session)


def authority(now: datetime = NOON) -> Authority:
    return Authority(DIRECTORY, SEALER, clock=lambda: now)


def fault_of(request: HttpRequest, *, now: datetime = NOON, service: str = "execute-api") -> Fault:
    answer = authority(now).authenticate(request, service=service)
    assert isinstance(answer, Fault)
    return answer


MINE = issued(a_session(ROLE, "i-1", tags={"Team": "checkout"}))
THEIRS = issued(a_session(OTHER, "i-2"))
OF_A_GONE_ROLE = issued(a_session(GONE))
BADLY_LIMITED = issued(a_session(ROLE, policies=("{",)))
SHORT = issued(a_session(ROLE, seconds=900))

INVALID = "The security token included in the request is invalid."
EXPIRED = "The security token included in the request is expired"

TOKENS = {
    "the token of another session": signed(MINE, token=THEIRS.session_token),
    "another role's key with one's own token": signed(replace(THEIRS, session_token=MINE.session_token)),
    "no token at all": signed(MINE, token=None),
    "a token cut short": signed(MINE, token=MINE.session_token[:-4]),
    "a token with a character changed": signed(MINE, token="B" + MINE.session_token[1:]),
    "a token of another master key": signed(replace(MINE, session_token=THEIRS.session_token)),
    "a long-term key, of which there are none": signed(
        replace(MINE, access_key_id="AKIA" + MINE.access_key_id[4:]), token=None
    ),
    "a key id that was never issued": signed(replace(MINE, access_key_id="ASIAAAAAAAAAAAAAAAAA")),
    "a session of a role that is gone": signed(OF_A_GONE_ROLE),
    "a session whose policy no longer compiles": signed(BADLY_LIMITED),
}


def test_a_valid_signature_tells_the_session() -> None:
    caller = authority().authenticate(signed(MINE), service="execute-api")

    assert isinstance(caller, Caller)
    assert caller.principal.type is PrincipalType.ASSUMED_ROLE
    assert caller.principal.arn == "arn:aws:sts::111111111111:assumed-role/orders/i-1"
    assert caller.account == ORDERS
    assert caller.access_key_id == MINE.access_key_id
    assert caller.role is ROLE
    assert caller.session is not None
    assert caller.session.tags == {"Team": "checkout"}


def test_the_context_of_the_caller_names_the_role_and_the_organisation() -> None:
    caller = authority().authenticate(signed(MINE), service="execute-api")

    assert isinstance(caller, Caller)
    assert caller.context["aws:principalarn"] == "arn:aws:iam::111111111111:role/services/orders"
    assert caller.context["aws:principalorgid"] == "o-example"
    assert caller.context["aws:principaltag/team"] == "checkout"


def test_a_second_request_of_a_session_finds_the_caller_made() -> None:
    one = authority()

    assert one.authenticate(signed(MINE), service="execute-api") is one.authenticate(
        signed(MINE, path=b"/v1/orders/17"), service="execute-api"
    )


@pytest.mark.parametrize("request_", TOKENS.values(), ids=TOKENS.keys())
def test_a_token_that_does_not_fit_is_invalid(request_: HttpRequest) -> None:
    assert fault_of(request_) == Fault(FaultKind.UNKNOWN_KEY, INVALID)


def test_a_key_is_not_known_by_the_token_it_was_once_seen_with() -> None:
    one = authority()
    assert isinstance(one.authenticate(signed(MINE), service="execute-api"), Caller)
    assert isinstance(one.authenticate(signed(THEIRS), service="execute-api"), Caller)

    answer = one.authenticate(signed(MINE, token=THEIRS.session_token), service="execute-api")

    assert answer == Fault(FaultKind.UNKNOWN_KEY, INVALID)


def test_a_token_issued_with_another_master_key_is_invalid() -> None:
    foreign = type(SEALER)(bytes(reversed(MASTER_KEY))).issue(a_session(ROLE))

    assert fault_of(signed(foreign)) == Fault(FaultKind.UNKNOWN_KEY, INVALID)


def test_a_session_is_accepted_up_to_its_last_second() -> None:
    now = NOON + timedelta(seconds=899)

    assert isinstance(authority(now).authenticate(signed(SHORT, now=now), service="execute-api"), Caller)


def test_a_session_is_expired_from_the_second_of_its_end() -> None:
    now = NOON + timedelta(seconds=900)

    assert fault_of(signed(SHORT, now=now), now=now) == Fault(FaultKind.EXPIRED_TOKEN, EXPIRED)


def test_a_session_that_is_remembered_expires_all_the_same() -> None:
    now = NOON
    one = Authority(DIRECTORY, SEALER, clock=lambda: now)
    assert isinstance(one.authenticate(signed(SHORT), service="execute-api"), Caller)

    now = NOON + timedelta(seconds=900)

    answer = one.authenticate(signed(SHORT, now=now), service="execute-api")
    assert answer == Fault(FaultKind.EXPIRED_TOKEN, EXPIRED)


def test_a_request_without_a_signature_is_missing_one() -> None:
    assert fault_of(HttpRequest("GET", b"/v1/orders", b"", [(b"host", b"localhost")], b"")).kind is FaultKind.MISSING


def test_a_right_token_with_a_wrong_secret_does_not_match() -> None:
    assert fault_of(signed(MINE, secret=THEIRS.secret_access_key)).kind is FaultKind.MISMATCH


def test_the_token_is_looked_at_before_the_signature() -> None:
    request = signed(MINE, secret="wrong", token=THEIRS.session_token)

    assert fault_of(request).kind is FaultKind.UNKNOWN_KEY


def test_an_expired_token_is_told_before_the_signature_is_checked() -> None:
    now = NOON + timedelta(hours=1)

    assert fault_of(signed(SHORT, secret="wrong", now=now), now=now).kind is FaultKind.EXPIRED_TOKEN


def test_the_time_is_looked_at_before_the_token() -> None:
    request = signed(MINE, token="forged", now=NOON - timedelta(minutes=6))

    assert fault_of(request).kind is FaultKind.EXPIRED


@pytest.mark.parametrize(
    ("minutes", "skew_seconds", "accepted"),
    [(4, 300, True), (6, 300, False), (14, 900, True), (16, 900, False), (-4, 300, True), (-6, 300, False)],
)
def test_the_window_is_the_services(minutes: int, skew_seconds: int, accepted: bool) -> None:
    request = signed(MINE, now=NOON - timedelta(minutes=minutes))

    answer = authority().authenticate(request, service="execute-api", skew_seconds=skew_seconds)

    assert isinstance(answer, Caller) is accepted


def test_a_signature_for_another_service_is_refused() -> None:
    assert fault_of(signed(MINE, service="sts")).kind is FaultKind.SCOPE_SERVICE


def test_a_signature_for_another_region_is_refused() -> None:
    assert fault_of(signed(MINE, region="us-east-1")).kind is FaultKind.SCOPE_REGION


def test_a_service_may_ask_for_a_region_of_its_own() -> None:
    answer = authority().authenticate(
        signed(MINE, service="sts", region="us-east-1"), service="sts", region="us-east-1"
    )

    assert isinstance(answer, Caller)


def test_a_session_policy_is_compiled_with_the_caller() -> None:
    limited = issued(a_session(ROLE, policies=(text_of(allow("execute-api:Invoke")),)))

    caller = authority().authenticate(signed(limited), service="execute-api")

    assert isinstance(caller, Caller)
    assert caller.own.sessions is not None
    assert len(caller.own.sessions) == 1


def test_printing_a_caller_shows_no_secret() -> None:
    caller = authority().authenticate(signed(MINE), service="execute-api")

    assert MINE.secret_access_key not in repr(caller)
    assert MINE.session_token not in repr(caller)
