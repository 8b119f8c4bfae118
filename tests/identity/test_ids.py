"""Ids have AWS's form and encode their account."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.identity import account_of, new_access_key_id, role_id

ACCOUNTS = st.integers(0, 999_999_999_999).map(lambda number: f"{number:012d}")

NOT_IDS = {
    "too short": "ASIA",
    "too long": "ASIAQNZGKIQY56JQ7WMLAAA",
    "lower case": "asiaqnzgkiqy56jq7wml",
    "signs outside base32": "ASIAQNZGKIQY56JQ7WM1",
    "not ASCII": "ASIAQNZGKIQY56JQ7WMÄ",
    "empty": "",
}


def test_a_key_id_of_aws_tells_its_account() -> None:
    assert account_of("ASIAQNZGKIQY56JQ7WML") == "029608264753"


@given(account=ACCOUNTS, entropy=st.binary(min_size=5, max_size=16))
def test_a_key_id_has_the_form_of_aws_and_tells_its_account(account: str, entropy: bytes) -> None:
    key = new_access_key_id(account, entropy)

    assert re.fullmatch("ASIA[A-Z2-7]{16}", key)
    assert account_of(key) == account


@given(account=ACCOUNTS, name=st.text(min_size=1, max_size=64))
def test_a_role_id_has_the_form_of_aws_and_tells_its_account(account: str, name: str) -> None:
    unique = role_id(account, name)

    assert re.fullmatch("AROA[A-Z2-7]{17}", unique)
    assert account_of(unique) == account


def test_a_role_id_is_the_same_in_every_run() -> None:
    assert role_id("111111111111", "orders") == "AROARTXV5AHDT7Z36T7TJ"


def test_two_roles_of_an_account_have_different_ids() -> None:
    assert role_id("111111111111", "orders") != role_id("111111111111", "stock")


def test_each_bit_of_entropy_that_fits_makes_another_key_id() -> None:
    ids = {new_access_key_id("111111111111", (1 << bit).to_bytes(5)) for bit in range(39)}

    assert len(ids) == 39


@pytest.mark.parametrize("text", NOT_IDS.values(), ids=NOT_IDS.keys())
def test_what_is_no_id_tells_no_account(text: str) -> None:
    assert account_of(text) is None


@pytest.mark.parametrize("account", ["", "1111", "11111111111x", "1111111111111", "١١١١١١١١١١١١"])
def test_an_account_is_twelve_digits(account: str) -> None:
    with pytest.raises(ValueError, match="twelve digits"):
        new_access_key_id(account, b"12345")


def test_too_little_entropy_is_refused() -> None:
    with pytest.raises(ValueError, match="entropy"):
        new_access_key_id("111111111111", b"1234")
