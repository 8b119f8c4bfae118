"""Calls to another domain's private API: signed, bounded in time, reads repeated when nobody answered."""

import logging
import random
import time
from collections.abc import Callable

import httpx2
from botocore.exceptions import BotoCoreError

from kit.credentials import CredentialsMissing

ATTEMPTS = 6
"""Over three seconds: as long as a killed process takes to be back."""
FIRST_PAUSE_SECONDS = 0.1
TRANSIENT = frozenset({429, 500, 502, 503, 504})
"""What a gateway or a domain answers while something behind it is away."""

log = logging.getLogger(__name__)


class ProviderUnavailable(Exception):
    """The other domain gave no answer that can be used."""


class ApiClient:
    """`base_url` is the provider's `<NAME>_API_URL`; paths begin with the version (`/v1/items/chair-oak`)."""

    def __init__(
        self,
        base_url: str,
        auth: httpx2.Auth,
        *,
        transport: httpx2.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = httpx2.Client(
            base_url=base_url,
            auth=auth,
            transport=transport,
            timeout=httpx2.Timeout(3.0, connect=1.0),
            limits=httpx2.Limits(max_connections=40, max_keepalive_connections=20),
            trust_env=False,
        )
        self._pause = pause

    def get(self, path: str) -> httpx2.Response:
        """Any answer that is not transient. Raises `ProviderUnavailable` after the last attempt."""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._pause(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.0))
            try:
                response = self._client.get(path)
            except (httpx2.TransportError, BotoCoreError, CredentialsMissing) as error:
                reason = f"{type(error).__name__}: {error}"
            else:
                if response.status_code not in TRANSIENT:
                    return response
                reason = f"status {response.status_code}"
            log.warning("GET %s: %s", path, reason)
        raise ProviderUnavailable(f"GET {path}: {reason}")

    def close(self) -> None:
        self._client.close()
