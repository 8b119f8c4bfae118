"""Credentials of botocore's default chain, as any SDK finds them; a rotating source is asked anew when due."""

import threading
from typing import Any

from botocore.credentials import ReadOnlyCredentials
from botocore.session import Session


class CredentialsMissing(Exception):
    """No provider of the default chain has credentials."""


class DefaultChain:
    """Safe to share between threads. `session` is given to boto3 too, so that there is one rotation."""

    def __init__(self, session: Session | None = None) -> None:
        self.session = session or Session()
        self._lock = threading.Lock()

    def current(self) -> ReadOnlyCredentials:
        """Raises `CredentialsMissing`, or a BotoCoreError when a source is there and does not answer."""
        # The session loads its chain without a lock of its own; refreshing has one.
        with self._lock:
            found: Any = self.session.get_credentials()
        if found is None:
            raise CredentialsMissing("no AWS credentials: the default chain found none")
        frozen: ReadOnlyCredentials = found.get_frozen_credentials()
        return frozen
