"""Secrets of a landscape, made once and kept under keys/ (mode 0600): master key, passwords, signing keys.

A key file that exists is never overwritten: what it sealed could not be opened again.
"""

import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from harness.clock import utc_now
from harness.errors import StartError
from harness.runtime.folder import disk_trouble, shown

MASTER_KEY_BYTES = 32
TOPICS_HOST = "sns.amazonaws.com"
CERTIFICATE_DAYS = 20 * 365
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")


def master_key(keys: Path) -> bytes:
    """32 random bytes from which every session's secret derives (`master.key`)."""
    path = keys / "master.key"
    key = _read_or_create(path, lambda: secrets.token_bytes(MASTER_KEY_BYTES))
    if len(key) != MASTER_KEY_BYTES:
        raise _damaged(path, f"{len(key)} bytes, not {MASTER_KEY_BYTES}")
    return key


def password(keys: Path, name: str) -> str:
    """A random password for `name` (`<name>.password`): 43 characters that need no escape in a URL."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name for a password: {name!r}")
    path = keys / f"{name}.password"
    text = _read_or_create(path, lambda: secrets.token_urlsafe(32).encode()).decode("ascii", "replace")
    if not re.fullmatch(r"[A-Za-z0-9_-]{20,}", text):
        raise _damaged(path, "not a password of ours")
    return text


def workload_identity_key(keys: Path) -> bytes:
    """EC P-256 private key (PKCS 8, PEM) that signs workload identity tokens (`workload-identity.pem`)."""
    path = keys / "workload-identity.pem"
    pem = _read_or_create(path, _new_signing_key)
    if not pem.startswith(b"-----BEGIN PRIVATE KEY-----"):
        raise _damaged(path, "not a PEM private key")
    return pem


def topics_signing_key(keys: Path) -> bytes:
    """RSA private key (PKCS 8) and its certificate, both PEM in one file, that sign SNS's messages (`topics.pem`)."""
    path = keys / "topics.pem"
    pem = _read_or_create(path, _new_certified_key)
    if not _certified(pem):
        raise _damaged(path, "not a PEM private key with its certificate")
    return pem


def _certified(pem: bytes) -> bool:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        key = serialization.load_pem_private_key(pem, None)
        certificate = x509.load_pem_x509_certificate(pem)
        return key.public_key() == certificate.public_key()
    except (ValueError, TypeError):  # TypeError: it asks for a password
        return False


def _new_certified_key() -> bytes:
    """Signed by itself: nobody else vouches for a landscape. It outlives every landscape."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    name = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COMMON_NAME, TOPICS_HOST),
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "domain-harness"),
        ]
    )
    now = utc_now()
    certificate = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        # A subscriber's clock may be behind.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(TOPICS_HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + certificate.public_bytes(serialization.Encoding.PEM)


def _new_signing_key() -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read_or_create(path: Path, make: Callable[[], bytes]) -> bytes:
    """Whole or not there, and the first writer wins: a draft made with O_EXCL is linked, never renamed over."""
    with disk_trouble(path):
        with suppress(FileNotFoundError):
            return _read_private(path)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(make())
                file.flush()
                os.fsync(file.fileno())
            with suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        _sync_folder(path.parent)
        return _read_private(path)


def _read_private(path: Path) -> bytes:
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            os.fchmod(file.fileno(), 0o600)
        return file.read()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _damaged(path: Path, what: str) -> StartError:
    return StartError(
        f"{shown(path)} is damaged ({what}): restore it, or remove it to have a new one made "
        "(what the old one opened or signed is then refused)"
    )
