"""Unique ids as IAM writes them: four letters for the kind, then base32 text that encodes the account.

Since 2019 the account of an AWS id is readable from the id itself: of the first 48 bits behind the prefix, bits 46
to 7 are the account number. Tools that read logs rely on it, so the ids made here keep it.
"""

import hashlib
from base64 import b32decode, b32encode
from binascii import Error as BinasciiError

TEMPORARY_KEY = "ASIA"
ROLE = "AROA"

ENTROPY_BYTES = 5
_ACCOUNT_MASK = 0x7FFFFFFFFF80
_TOP_BIT = 1 << 47  # set on every id of the new form, which is why they begin with a letter from Q on


def new_access_key_id(account: str, entropy: bytes) -> str:
    """`ASIA` + 16 characters. `entropy` must hold at least 5 bytes, of which 39 bits end up in the id."""
    return TEMPORARY_KEY + _encode(account, entropy)


def role_id(account: str, name: str) -> str:
    """`AROA` + 17 characters, the same for the same account and name in every process and run."""
    digest = hashlib.sha256(f"{account}:{name}".encode()).digest()
    return ROLE + _encode(account, digest) + b32encode(digest[-5:]).decode()[0]


def account_of(unique_id: str) -> str | None:
    """The twelve digits that an access key id or a unique id encodes; None if it is not of the form."""
    if len(unique_id) not in (20, 21) or not unique_id.isascii():
        return None
    try:
        body = b32decode(unique_id[4:20])
    except BinasciiError:
        return None
    return f"{(int.from_bytes(body[:6]) & _ACCOUNT_MASK) >> 7:012d}"


def _encode(account: str, entropy: bytes) -> str:
    if len(account) != 12 or not (account.isascii() and account.isdecimal()):
        raise ValueError(f"an account is twelve digits, not {account!r}")
    if len(entropy) < ENTROPY_BYTES:
        raise ValueError(f"an id takes {ENTROPY_BYTES} bytes of entropy, not {len(entropy)}")
    head = _TOP_BIT | int(account) << 7 | entropy[0] & 0x7F
    return b32encode(head.to_bytes(6) + entropy[1:ENTROPY_BYTES]).decode()
