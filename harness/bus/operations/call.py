"""A call of one management operation while it is worked on: who asks for what, and what there is to work with."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from harness.access import Authority, Caller
from harness.bus import documents
from harness.bus.catalogue import Catalogue
from harness.bus.documents import DEFAULT, Document
from harness.bus.limits import Limits
from harness.bus.put_events import RequestError
from harness.bus.store import Store
from harness.identity import SecretBox
from harness.policy import ContextValue, denial_message
from harness.policy import Document as Policy
from harness.storage.held import ShareUsed
from harness.storage.replica import Replica
from harness.storage.state import Conflict, Key
from harness.wire import bus_arn, bus_of_rule, new_uuid

log = logging.getLogger(__name__)

Answer = dict[str, Any] | RequestError

ATTEMPTS: Final = 5
CONCURRENT = RequestError(
    "ConcurrentModificationException",
    "There is concurrent modification on a rule, target, archive, or replay.",
)


@dataclass(frozen=True, slots=True)
class Desk:
    """What all calls share. `box` seals the secrets of connections."""

    authority: Authority
    catalogue: Catalogue
    replica: Replica
    store: Store
    region: str
    box: SecretBox
    limits: Limits = field(default_factory=Limits)
    new_id: Callable[[], str] = new_uuid

    def pattern_characters(self, bus: str = "") -> int:
        """How long a pattern on that bus (ARN) may be: a manifest may have raised the quota. Without one: on any."""
        buses = [self.catalogue.bus(bus)] if bus else self.catalogue.buses()
        return max(self.limits.pattern_characters, *(each.pattern_characters for each in buses if each is not None), 0)


@dataclass(frozen=True, slots=True)
class Call:
    """`request` has been checked for its shape. `network`: the condition keys of where it came from."""

    desk: Desk
    caller: Caller
    operation: str
    request: Mapping[str, Any]
    network: Mapping[str, ContextValue]
    now: datetime

    @property
    def account(self) -> str:
        return self.caller.account

    @property
    def time(self) -> float:
        """Now, as an answer and a document have it."""
        return round(self.now.timestamp(), 3)

    def bus_arn(self, member: str = "EventBusName") -> str:
        """The bus that the request names or has the ARN of, else the default bus."""
        named: str = self.request.get(member) or DEFAULT
        return named if named.startswith("arn:") else bus_arn(self.desk.region, self.account, named)

    def authorize(
        self, *, action: str, resource: str, account: str, context: Mapping[str, ContextValue]
    ) -> RequestError | None:
        """A bus's policy is that of its rules too; nothing else here has one."""
        decision = self.desk.authority.authorize(
            self.caller,
            action=action,
            resource=resource,
            resource_account=account,
            resource_policy=self._policy_of(resource),
            context={**self.network, **context},
        )
        if decision.allowed:
            return None
        text = denial_message(self.caller.principal, action, resource, decision)
        return RequestError("AccessDeniedException", text)

    def _policy_of(self, resource: str) -> Policy | None:
        bus = bus_of_rule(resource)
        found = self.desk.catalogue.bus(bus) if bus else None
        return found.policy if found is not None else None

    def document(self, key: Key) -> Document | None:
        entry = self.desk.replica.get(key)
        return None if entry is None else documents.read(entry)

    async def change(
        self, key: Key, edit: Callable[[Document | None], Document | RequestError | None]
    ) -> Document | RequestError | None:
        """Puts what `edit` makes of the document, once more if another process has changed it meanwhile.

        None from `edit` takes it away. A refusal leaves it as it is and is the answer.
        """
        replica = self.desk.replica
        entry = replica.get(key)
        for _ in range(ATTEMPTS):
            edited = edit(None if entry is None else documents.read(entry))
            if isinstance(edited, RequestError) or (edited is None and entry is None):
                return edited
            revision = 0 if entry is None else entry.revision
            try:
                if edited is None:
                    await replica.delete(key, expected=revision)
                else:
                    await replica.put(key, documents.write(edited), expected=revision)
            except Conflict:
                entry = await replica.read(key)
                continue
            except ShareUsed as error:
                log.warning("%s: %s", self.operation, error)
                return TOO_MANY
            return edited
        return CONCURRENT

    async def put(
        self, key: Key, edit: Callable[[Document | None], Document | RequestError]
    ) -> Document | RequestError:
        """`change` that never takes away."""
        changed = await self.change(key, edit)
        return {} if changed is None else changed


def not_found(text: str) -> RequestError:
    return RequestError("ResourceNotFoundException", text)


def invalid(text: str) -> RequestError:
    return RequestError("ValidationException", text)


def exists(text: str) -> RequestError:
    return RequestError("ResourceAlreadyExistsException", text)


TOO_MANY = RequestError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")


def given(request: Mapping[str, Any], *names: str) -> Document:
    """Those members that say something: AWS takes an empty text for one that is not given."""
    return {name: request[name] for name in names if request.get(name) not in (None, "")}
