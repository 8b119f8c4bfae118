"""Secrets at rest: sealed under the landscape's master key, so that what is stored tells nothing.

A sealed secret is bound to the place where it is kept and opens nowhere else.
"""

import os
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from harness.identity.sealer import MASTER_KEY_BYTES, derive

_VERSION = b"\x01"
_NONCE_BYTES = 12


class SecretBox:
    def __init__(self, master_key: bytes, *, entropy: Callable[[int], bytes] = os.urandom) -> None:
        if len(master_key) != MASTER_KEY_BYTES:
            raise ValueError(f"the master key has {MASTER_KEY_BYTES} bytes, not {len(master_key)}")
        self._aead = AESGCM(derive(master_key, b"secret at rest"))
        self._entropy = entropy

    def seal(self, secret: bytes, *, place: str) -> bytes:
        """`place` names where it is kept; it is needed again to open it."""
        nonce = self._entropy(_NONCE_BYTES)
        return _VERSION + nonce + self._aead.encrypt(nonce, secret, _VERSION + place.encode())

    def open(self, sealed: bytes, *, place: str) -> bytes | None:
        """None for what was not sealed for this place with this master key."""
        if sealed[:1] != _VERSION or len(sealed) <= 1 + _NONCE_BYTES:
            return None
        nonce = sealed[1 : 1 + _NONCE_BYTES]
        try:
            return self._aead.decrypt(nonce, sealed[1 + _NONCE_BYTES :], _VERSION + place.encode())
        except InvalidTag:
            return None
