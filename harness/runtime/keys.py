"""Secrets of a landscape, made once and kept under keys/ (mode 0600): master key, passwords, token signing key.

A key file that exists is never overwritten: what it sealed could not be opened again.
"""

import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from harness.errors import StartError
from harness.runtime.folder import disk_trouble, shown

MASTER_KEY_BYTES = 32
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
