"""The signatures of messages, as a subscriber verifies them.

Source: Amazon SNS Developer Guide, "Verifying the signatures of Amazon SNS messages".
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

DEFAULT_VERSION = "1"
VERSIONS = {"1": ("sha1", SHA1()), "2": ("sha256", SHA256())}
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED: Mapping[str, tuple[str, ...]] = {
    "Notification": _NOTIFICATION,
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n?", re.DOTALL)
_REMEMBERED = 1024


def string_to_sign(content: Mapping[str, Any]) -> str:
    """Of the names that there are, each with its value, a line each, in the order of their bytes."""
    return "".join(f"{name}\n{content[name]}\n" for name in _SIGNED[content["Type"]] if name in content)


def certificate_in(pem: bytes) -> bytes:
    """The certificate alone, of a text that has the private key too. Raises ValueError when there is none."""
    found = _CERTIFICATE.search(pem)
    if found is None:
        raise ValueError("no certificate in it")
    return found[0]


def certificate_path(certificate: bytes) -> str:
    """Another certificate has another path: whoever keeps what was fetched never verifies with the wrong one."""
    return f"/SimpleNotificationService-{hashlib.sha256(certificate).hexdigest()[:32]}.pem"


class Signer:
    """`pem`: a private RSA key and its certificate. Raises ValueError when it is none."""

    def __init__(self, pem: bytes) -> None:
        key = load_pem_private_key(pem, None)
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("not a private RSA key")
        self.certificate_path = certificate_path(certificate_in(pem))

        # The same message goes to many subscribers; only what they are told beside it differs.
        @lru_cache(_REMEMBERED)
        def sign(digest: bytes, version: str) -> str:
            return b64encode(key.sign(digest, PKCS1v15(), Prehashed(VERSIONS[version][1]))).decode("ascii")

        self._sign = sign

    def signature(self, content: Mapping[str, Any], version: str) -> str:
        digest = hashlib.new(VERSIONS[version][0], string_to_sign(content).encode(), usedforsecurity=False).digest()
        return self._sign(digest, version)
