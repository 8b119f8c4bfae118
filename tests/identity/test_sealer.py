"""A token opens with the key id and the master key that it was issued with, unchanged, and with nothing else."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.identity import Credentials, Sealer, Session, new_access_key_id, start_session
from tests.identity.values import ENTROPY, MASTER_KEY, NOON, ORDERS, a_role

SESSION = start_session(a_role(), "orders", now=NOON, seconds=3600, entropy=ENTROPY)
ISSUED = Sealer(MASTER_KEY).issue(SESSION)

SESSIONS = {
    "with nothing but a role": SESSION,
    "with tags": replace(SESSION, tags={"Team": "checkout", "stufe": "größer"}, transitive_tag_keys=("Team",)),
    "with session policies": replace(SESSION, policies=('{"Statement": []}', "{}")),
    "with an empty list of session policies": replace(SESSION, policies=()),
    "with a source identity": replace(SESSION, source_identity="alice", chained=True),
    "of a web identity": replace(SESSION, provider="arn:aws:iam::111111111111:oidc-provider/oidc.example"),
}

FORGED = {
    "an empty token": "",
    "a token cut short": ISSUED.session_token[:-4],
    "a token with something behind it": ISSUED.session_token + "AAAA",
    "a token with a line break": ISSUED.session_token + "\n",
    "a token in the alphabet of URLs": ISSUED.session_token.replace("+", "-").replace("/", "_") + "-",
    "a token of another version": "Ag" + ISSUED.session_token[2:],
    "a token that is not ASCII": "ü" + ISSUED.session_token[1:],
    "a token of AWS": "IQoJb3JpZ2luX2VjEBYaCXVzLWVhc3QtMSJHMEUCIQ==",
    "a token longer than any that is issued": "A" * 1_000_000,
    "a nonce and a tag around nothing": "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
}


@pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS.keys())
def test_a_session_comes_out_as_it_went_in(session: Session) -> None:
    credentials = Sealer(MASTER_KEY).issue(session)

    assert Sealer(MASTER_KEY).open(session.access_key_id, credentials.session_token) == session


@given(
    name=st.text(max_size=64),
    tags=st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=5),
    seconds=st.integers(1, 43_200),
    issued=st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1)),
)
def test_any_session_comes_out_as_it_went_in(name: str, tags: dict[str, str], seconds: int, issued: datetime) -> None:
    session = start_session(a_role(), name, now=issued.replace(tzinfo=UTC), seconds=seconds, tags=tags)

    assert Sealer(MASTER_KEY).open(session.access_key_id, Sealer(MASTER_KEY).issue(session).session_token) == session


def test_credentials_have_the_form_of_aws() -> None:
    assert re.fullmatch("ASIA[A-Z2-7]{16}", ISSUED.access_key_id)
    assert re.fullmatch("[A-Za-z0-9+/]{40}", ISSUED.secret_access_key)
    assert ISSUED.expiration == NOON + timedelta(seconds=3600)


def test_printing_credentials_shows_neither_secret_nor_token() -> None:
    assert ISSUED.secret_access_key not in repr(ISSUED)
    assert ISSUED.session_token not in repr(ISSUED)


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_does_not_open(token: str) -> None:
    assert Sealer(MASTER_KEY).open(ISSUED.access_key_id, token) is None


def test_a_token_with_any_one_character_changed_does_not_open() -> None:
    sealer = Sealer(MASTER_KEY)
    token = ISSUED.session_token
    assert sealer.open(ISSUED.access_key_id, token) == SESSION

    changed = [token[:n] + ("A" if token[n] != "A" else "B") + token[n + 1 :] for n in range(len(token))]

    assert [text for text in changed if sealer.open(ISSUED.access_key_id, text) is not None] == []


def test_a_second_text_for_the_same_bytes_does_not_open() -> None:
    padded = _token_with_padding()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stem = padded.session_token.rstrip("=")
    twin = stem[:-1] + alphabet[alphabet.index(stem[-1]) + 1] + "=" * (len(padded.session_token) - len(stem))

    assert Sealer(MASTER_KEY).open(padded.access_key_id, padded.session_token) is not None
    assert Sealer(MASTER_KEY).open(padded.access_key_id, twin) is None


def test_a_token_does_not_open_with_another_key_id() -> None:
    other = start_session(a_role("stock"), "stock", now=NOON, seconds=3600)
    sealer = Sealer(MASTER_KEY)
    sealer.issue(other)
    assert sealer.open(ISSUED.access_key_id, ISSUED.session_token) == SESSION

    assert sealer.open(other.access_key_id, ISSUED.session_token) is None


def test_a_token_does_not_open_with_another_master_key() -> None:
    assert Sealer(bytes(32)).open(ISSUED.access_key_id, ISSUED.session_token) is None


@pytest.mark.parametrize("key", ["AKIA" + ISSUED.access_key_id[4:], "", "ASIAÄ", ISSUED.access_key_id.lower()])
def test_a_token_does_not_open_with_what_is_no_temporary_key(key: str) -> None:
    assert Sealer(MASTER_KEY).open(key, ISSUED.session_token) is None


def test_an_expired_session_still_opens_so_that_it_can_be_told_from_a_forged_one() -> None:
    session = start_session(a_role(), "orders", now=NOON - timedelta(days=400), seconds=900)
    sealer = Sealer(MASTER_KEY)

    assert sealer.open(session.access_key_id, sealer.issue(session).session_token) == session


def test_the_secret_follows_from_key_id_and_master_key_alone() -> None:
    key = new_access_key_id(ORDERS, ENTROPY)

    assert Sealer(MASTER_KEY).secret_for(key) == Sealer(MASTER_KEY).secret_for(key)
    assert Sealer(MASTER_KEY).secret_for(key) != Sealer(bytes(32)).secret_for(key)
    assert Sealer(MASTER_KEY).secret_for(key) != Sealer(MASTER_KEY).secret_for(new_access_key_id(ORDERS, b"other"))


def test_the_same_session_is_never_sealed_into_the_same_token() -> None:
    sealer = Sealer(MASTER_KEY)

    assert sealer.issue(SESSION).session_token != sealer.issue(SESSION).session_token


def test_the_cache_of_opened_tokens_is_bounded_and_forgets_nothing_that_still_opens() -> None:
    sealer = Sealer(MASTER_KEY, cache_size=2)
    sessions = [start_session(a_role(), f"s{n}", now=NOON, seconds=900) for n in range(5)]
    tokens = [sealer.issue(session).session_token for session in sessions]

    for _ in range(2):
        opened = [sealer.open(s.access_key_id, token) for s, token in zip(sessions, tokens, strict=True)]
        assert opened == sessions
    assert len(sealer._opened) == 2


def test_a_token_is_opened_once_and_then_remembered() -> None:
    sealer = Sealer(MASTER_KEY)

    first = sealer.open(ISSUED.access_key_id, ISSUED.session_token)

    assert sealer.open(ISSUED.access_key_id, ISSUED.session_token) is first


def test_forged_tokens_take_no_room_in_the_cache() -> None:
    sealer = Sealer(MASTER_KEY)

    sealer.open(ISSUED.access_key_id, ISSUED.session_token[:-4])

    assert len(sealer._opened) == 0


@pytest.mark.parametrize("key", [b"", b"short", bytes(33)])
def test_a_master_key_has_32_bytes(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(key)


def _token_with_padding() -> Credentials:
    """Credentials whose token ends with `=`, found by trying names."""
    sealer = Sealer(MASTER_KEY)
    for length in range(1, 64):
        session = replace(SESSION, session_name="".join(chr(65 + n % 26) for n in range(length)))
        credentials = sealer.issue(session)
        if credentials.session_token.endswith("="):
            return credentials
    raise AssertionError("no length gives padding")
