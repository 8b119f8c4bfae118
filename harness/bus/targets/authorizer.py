"""Gets the first token of a connection that is AUTHORIZING, and writes into its document how that went."""

import asyncio
import logging
from collections.abc import Iterable

from harness.bus import documents
from harness.bus.documents import CONNECTIONS, Document
from harness.bus.faults import Patience, fault
from harness.bus.targets.credentials import Tokens
from harness.bus.targets.delivery import Failure
from harness.clock import Clock, utc_now
from harness.errors import FAULTS
from harness.identity import SecretBox
from harness.storage.held import StoreFull, StoreUnavailable
from harness.storage.replica import Replica
from harness.storage.state import Conflict, Key

log = logging.getLogger(__name__)

AGAIN_SECONDS = 5.0
# A slow authorization endpoint holds up no other connection.
TOGETHER = 16


class Authorizer:
    """Any number of them may run: whoever writes first has decided. `patience`: with connections that are broken."""

    def __init__(
        self,
        replica: Replica,
        box: SecretBox,
        tokens: Tokens,
        *,
        clock: Clock = utc_now,
        patience: Patience[Key] | None = None,
    ) -> None:
        self._replica = replica
        self._box = box
        self._tokens = tokens
        self._clock = clock
        self._patience = patience or Patience()
        self._free = asyncio.Semaphore(TOGETHER)
        self._changed = asyncio.Event()
        replica.listen(self._heard)

    async def run(self, stop: asyncio.Event) -> None:
        stopping = asyncio.create_task(stop.wait())
        while not stop.is_set():
            self._changed.clear()
            pending = await self._authorize_all(entry.key for entry in self._replica.below(CONNECTIONS))
            changed = asyncio.create_task(self._changed.wait())
            seconds = AGAIN_SECONDS if pending else self._patience.seconds_left()
            await asyncio.wait((changed, stopping), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            changed.cancel()

    def _heard(self, key: Key) -> None:
        if key[:2] == CONNECTIONS:
            self._patience.forget(key)
            self._changed.set()

    async def _authorize_all(self, keys: Iterable[Key]) -> bool:
        """Whether one is still to be tried again."""
        return any(await asyncio.gather(*(self._is_pending(key) for key in keys if self._patience.ready(key))))

    async def _is_pending(self, key: Key) -> bool:
        try:
            async with self._free:
                pending = not await self._authorize(key)
        except (Conflict, StoreFull, StoreUnavailable) as error:
            log.info("%s: %s", "/".join(key), error)
            return True
        except FAULTS as error:
            seconds = self._patience.failed(key)
            log.error("%s cannot be authorized, again in %g s: %s", "/".join(key), seconds, fault(error))
            return False
        self._patience.forget(key)
        return pending

    async def _authorize(self, key: Key) -> bool:
        entry = self._replica.get(key)
        document = documents.read(entry) if entry is not None else {}
        if entry is None or document.get("ConnectionState") != "AUTHORIZING" or "Secret" not in document:
            return True
        secret = self._replica.get(documents.secret_key(key[2], document["Secret"]))
        parameters = documents.open_secret(self._box, secret) if secret is not None else None
        if parameters is None:
            outcome: object = Failure("NO_PERMISSIONS", "its secret does not open", retryable=False)
        else:
            outcome = await self._tokens.credentials(document["Secret"], document["AuthorizationType"], parameters)
        if isinstance(outcome, Failure) and outcome.retryable:
            log.warning("connection %s: %s", key[3], outcome.message)
            return False
        await self._replica.put(key, documents.write(self._decided(document, outcome)), expected=entry.revision)
        return True

    def _decided(self, document: Document, outcome: object) -> Document:
        now = self._clock().timestamp()
        if isinstance(outcome, Failure):
            return {**document, "ConnectionState": "DEAUTHORIZED", "StateReason": outcome.message}
        kept = {name: value for name, value in document.items() if name != "StateReason"}
        return {**kept, "ConnectionState": "AUTHORIZED", "LastAuthorizedTime": now}
