"""A sealed secret opens in its place with the master key that sealed it, and nowhere else."""

import pytest

from harness.identity import SecretBox
from tests.identity.values import MASTER_KEY

BOX = SecretBox(MASTER_KEY)
SEALED = BOX.seal(b"hunter2", place="a/b")


def test_what_is_sealed_opens_again() -> None:
    assert BOX.open(SEALED, place="a/b") == b"hunter2"


def test_nothing_of_the_secret_is_seen() -> None:
    assert b"hunter2" not in SEALED
    assert BOX.seal(b"hunter2", place="a/b") != SEALED


FORGED = {
    "nothing": b"",
    "a version alone": SEALED[:1],
    "cut short": SEALED[:-1],
    "with something behind it": SEALED + b"\0",
    "of another version": b"\x02" + SEALED[1:],
    "with a bit turned over": SEALED[:-1] + bytes([SEALED[-1] ^ 1]),
    "in clear": b"hunter2",
}


@pytest.mark.parametrize("sealed", FORGED.values(), ids=FORGED)
def test_what_was_not_sealed_here_does_not_open(sealed: bytes) -> None:
    assert BOX.open(sealed, place="a/b") is None


def test_another_place_or_another_master_key_does_not_open() -> None:
    assert BOX.open(SEALED, place="a/c") is None
    assert SecretBox(bytes(32)).open(SEALED, place="a/b") is None


def test_a_master_key_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes, not 3"):
        SecretBox(b"key")
