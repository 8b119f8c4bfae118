"""Routers for tests, over rules that do not change or a state in which they do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.access import Assumed
from harness.bus.catalogue import Catalogue
from harness.bus.dead_letters import DeadLetters
from harness.bus.lane import Work
from harness.bus.model import Bus, Rule
from harness.bus.router import Router
from harness.bus.store import Store
from harness.bus.targets.delivery import Backoff, Deliver, Failure
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica

SOON = Backoff(first=0.01, most=0.05)


@dataclass
class Queues:
    """Stands for SQS: what each queue took; those in `refuses` take nothing."""

    taken: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    refuses: Mapping[str, Failure] = field(default_factory=dict)

    async def __call__(
        self,
        queue: str,
        body: bytes,
        *,
        source_arn: str,
        id: str,
        attributes: Mapping[str, str] | None = None,
        group: str = "",
        trace: str = "",
        assumed: Assumed | None = None,
        beside: Mapping[str, str] | None = None,
    ) -> Failure | None:
        if queue in self.refuses:
            return self.refuses[queue]
        message = {
            "body": body,
            "source_arn": source_arn,
            "id": id,
            "attributes": dict(attributes or {}),
            "group": group,
            "trace": trace,
        }
        self.taken.setdefault(queue, []).append(message)
        return None


def a_catalogue(rules: Sequence[Rule], replica: Replica | None = None) -> Catalogue:
    """With the buses that the rules are of."""
    names = {(arn.split(":")[3], arn.split(":")[4], arn.split("event-bus/")[1]) for arn in (r.bus_arn for r in rules)}
    buses = [Bus(*name) for name in sorted(names)]
    return Catalogue(replica or Replica(MemoryState()), region="eu-west-1", accounts=[], buses=buses, rules=rules)


def a_router(
    store: Store, rules: Sequence[Rule], deliver: Deliver, *, queues: Queues | None = None, **work: Any
) -> Router:
    dead_letters = DeadLetters(queues or Queues(), store, tracer=work.get("tracer"))
    return Router(a_catalogue(rules), Work(store, deliver, dead_letters, **{"backoff": SOON, **work}), look=0.1)
