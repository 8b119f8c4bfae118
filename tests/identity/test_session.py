"""What a session inherits, who it is, and which condition keys it brings."""

from datetime import timedelta

import pytest

from harness.identity import Session, inherited_tags, principal_of, session_context, start_session
from harness.policy import PrincipalType
from tests.identity.values import NOON, a_role

FIRST = start_session(
    a_role(),
    "first",
    now=NOON,
    seconds=3600,
    tags={"Team": "checkout", "Trace": "t-1"},
    transitive_tag_keys=("trace",),
    source_identity="alice",
)


def chained(**more: object) -> Session:
    return start_session(a_role("stock"), "second", now=NOON, seconds=900, caller=FIRST, **more)  # type: ignore[arg-type]


def test_a_session_lasts_as_long_as_asked_in_whole_seconds() -> None:
    session = start_session(a_role(), "x", now=NOON + timedelta(microseconds=999_999), seconds=900)

    assert (session.issued, session.expires) == (NOON, NOON + timedelta(seconds=900))


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_session_without_a_second_to_live_is_refused(seconds: int) -> None:
    with pytest.raises(ValueError, match="at least a second"):
        start_session(a_role(), "x", now=NOON, seconds=seconds)


def test_each_session_has_a_key_id_of_its_own() -> None:
    keys = {start_session(a_role(), "x", now=NOON, seconds=900).access_key_id for _ in range(100)}

    assert len(keys) == 100


def test_the_first_session_of_a_chain_is_not_chained() -> None:
    assert not FIRST.chained


def test_a_session_started_by_another_is_chained() -> None:
    assert chained().chained


def test_transitive_tags_go_down_the_chain_and_others_do_not() -> None:
    assert chained(tags={"Stage": "v2"}).tags == {"Stage": "v2", "Trace": "t-1"}


def test_transitive_tags_stay_transitive_beyond_the_second_session() -> None:
    third = start_session(a_role("third"), "third", now=NOON, seconds=900, caller=chained())

    assert third.tags == {"Trace": "t-1"}


def test_a_transitive_tag_cannot_be_overridden() -> None:
    assert chained(tags={"Trace": "forged"}).tags["Trace"] == "t-1"


def test_a_source_identity_goes_down_the_chain_and_cannot_be_changed() -> None:
    assert chained(source_identity="mallory").source_identity == "alice"


def test_session_policies_do_not_go_down_the_chain() -> None:
    limited = start_session(a_role(), "x", now=NOON, seconds=900, policies=("{}",))

    assert start_session(a_role(), "y", now=NOON, seconds=900, caller=limited).policies is None


def test_nothing_is_inherited_from_nobody() -> None:
    assert inherited_tags(None) == {}


def test_the_principal_of_a_session_is_the_session_and_names_its_role_with_the_path() -> None:
    principal = principal_of(FIRST, a_role(path="/services/"))

    assert principal.type is PrincipalType.ASSUMED_ROLE
    assert principal.arn == "arn:aws:sts::111111111111:assumed-role/orders/first"
    assert principal.role_arn == "arn:aws:iam::111111111111:role/services/orders"
    assert principal.account == "111111111111"
    assert principal.user_id == "AROARTXV5AHDT7Z36T7TJ:first"


def test_the_context_of_a_session_has_the_keys_of_a_role_session() -> None:
    role = a_role(tags={"Team": "orders", "Cost": "42"}, path="/services/")

    assert session_context(FIRST, role, organisation="o-example") == {
        "aws:principalarn": "arn:aws:iam::111111111111:role/services/orders",
        "aws:principalaccount": "111111111111",
        "aws:principalorgid": "o-example",
        "aws:principaltype": "AssumedRole",
        "aws:principalisawsservice": "false",
        "aws:userid": "AROARTXV5AHDT7Z36T7TJ:first",
        "aws:tokenissuetime": "2026-01-15T12:00:00Z",
        "aws:multifactorauthpresent": "false",
        "aws:sourceidentity": "alice",
        "aws:principaltag/cost": "42",
        "aws:principaltag/team": "checkout",
        "aws:principaltag/trace": "t-1",
    }


@pytest.mark.parametrize("key", ["aws:username", "aws:sourceidentity", "aws:federatedprovider", "aws:principalorgid"])
def test_a_key_that_a_plain_role_session_lacks_is_absent(key: str) -> None:
    plain = start_session(a_role(), "x", now=NOON, seconds=900)

    assert key not in session_context(plain, a_role(), organisation="")


def test_a_session_of_a_web_identity_tells_its_provider() -> None:
    provider = "arn:aws:iam::111111111111:oidc-provider/oidc.example"
    session = start_session(a_role(), "x", now=NOON, seconds=900, provider=provider)

    assert session_context(session, a_role(), organisation="")["aws:federatedprovider"] == provider
