"""Credentials without a table: everything a session is travels sealed in its token, and the secret follows from the
key id.

Whoever holds the master key can open any token that any process with that key issued. A token is bound to its
access key id (as associated data of the AEAD), so that a token presented with another key id does not open.
"""

import hashlib
import hmac
import os
import zlib
from base64 import b64decode, b64encode
from binascii import Error as BinasciiError
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from harness.identity.cache import RecentlyUsed
from harness.identity.ids import TEMPORARY_KEY
from harness.identity.model import Credentials, Session

MASTER_KEY_BYTES = 32
MAX_TOKEN_CHARACTERS = 16_384
_VERSION = b"\x01"
_NONCE_BYTES = 12
_TAG_BYTES = 16


class Sealer:
    """Issues and opens session tokens. Up to `cache_size` opened tokens are kept: opening one again costs a lookup."""

    def __init__(
        self, master_key: bytes, *, cache_size: int = 4096, entropy: Callable[[int], bytes] = os.urandom
    ) -> None:
        if len(master_key) != MASTER_KEY_BYTES:
            raise ValueError(f"the master key has {MASTER_KEY_BYTES} bytes, not {len(master_key)}")
        self._aead = AESGCM(derive(master_key, b"session token"))
        self._secret_key = derive(master_key, b"secret access key")
        self._entropy = entropy
        self._opened: RecentlyUsed[tuple[str, str], Session] = RecentlyUsed(cache_size)

    def issue(self, session: Session) -> Credentials:
        nonce = self._entropy(_NONCE_BYTES)
        plain = zlib.compress(orjson.dumps(_to_json(session)), level=9)
        sealed = self._aead.encrypt(nonce, plain, _bound_to(session.access_key_id))
        return Credentials(
            access_key_id=session.access_key_id,
            secret_access_key=self.secret_for(session.access_key_id),
            session_token=b64encode(_VERSION + nonce + sealed).decode(),
            expiration=session.expires,
        )

    def open(self, access_key_id: str, token: str) -> Session | None:
        """The session of a token that was issued with exactly this key id, else None.

        A session that has expired is returned too, so that the caller can tell an expired token from a forged one;
        whoever grants anything on a session compares `expires` with its clock.
        """
        known = self._opened.get((access_key_id, token))
        if known is not None:
            return known
        session = self._unseal(access_key_id, token)
        if session is not None:
            self._opened.put((access_key_id, token), session)
        return session

    def secret_for(self, access_key_id: str) -> str:
        """40 characters of the base64 alphabet, as the secrets of AWS have."""
        digest = hmac.digest(self._secret_key, access_key_id.encode("utf-8", "surrogateescape"), "sha256")
        return b64encode(digest[:30]).decode()

    def _unseal(self, access_key_id: str, token: str) -> Session | None:
        if len(token) > MAX_TOKEN_CHARACTERS or not (token.isascii() and access_key_id.isascii()):
            return None
        if not access_key_id.startswith(TEMPORARY_KEY):
            return None
        try:
            raw = b64decode(token, validate=True)
        except BinasciiError:
            return None
        # Base64 has several texts for the same bytes when the last group is short: only the issued one counts.
        if b64encode(raw).decode() != token:
            return None
        if len(raw) <= 1 + _NONCE_BYTES + _TAG_BYTES or raw[:1] != _VERSION:
            return None
        nonce, sealed = raw[1 : 1 + _NONCE_BYTES], raw[1 + _NONCE_BYTES :]
        try:
            plain = self._aead.decrypt(nonce, sealed, _bound_to(access_key_id))
        except InvalidTag:
            return None
        return _from_json(access_key_id, orjson.loads(zlib.decompress(plain)))


def derive(master_key: bytes, purpose: bytes) -> bytes:
    """A key of its own for each purpose."""
    return hmac.digest(master_key, b"domain-harness 1 " + purpose, hashlib.sha256)


def _bound_to(access_key_id: str) -> bytes:
    return _VERSION + access_key_id.encode("ascii")


def _to_json(session: Session) -> dict[str, Any]:
    return {
        "role": session.role_arn,
        "name": session.session_name,
        "issued": int(session.issued.timestamp()),
        "expires": int(session.expires.timestamp()),
        "source": session.source_identity,
        "tags": dict(session.tags),
        "transitive": list(session.transitive_tag_keys),
        "policies": None if session.policies is None else list(session.policies),
        "chained": session.chained,
        "provider": session.provider,
    }


def _from_json(access_key_id: str, sealed: Mapping[str, Any]) -> Session:
    policies = sealed["policies"]
    return Session(
        role_arn=sealed["role"],
        session_name=sealed["name"],
        access_key_id=access_key_id,
        issued=datetime.fromtimestamp(sealed["issued"], UTC),
        expires=datetime.fromtimestamp(sealed["expires"], UTC),
        source_identity=sealed["source"],
        tags=sealed["tags"],
        transitive_tag_keys=tuple(sealed["transitive"]),
        policies=None if policies is None else tuple(policies),
        chained=sealed["chained"],
        provider=sealed["provider"],
    )
