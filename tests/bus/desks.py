"""EventBridge's endpoint with all that it works with, for tests: a landscape's buses and rules, a state, a store."""

from collections.abc import Iterable

from harness.access import Authority
from harness.bus.catalogue import Catalogue
from harness.bus.limits import Limits
from harness.bus.model import Bus, Rule
from harness.bus.operations.call import Desk
from harness.bus.store import Store
from harness.identity import SecretBox
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica

BOX = SecretBox(bytes(range(32)))


def a_desk(
    authority: Authority,
    store: Store,
    *,
    buses: Iterable[Bus] = (),
    rules: Iterable[Rule] = (),
    replica: Replica | None = None,
    limits: Limits | None = None,
) -> Desk:
    """Without a running `replica` it knows what it has written itself."""
    directory = authority.directory
    kept = replica or Replica(MemoryState())
    catalogue = Catalogue(kept, region=directory.region, accounts=directory.accounts, buses=buses, rules=rules)
    return Desk(authority, catalogue, kept, store, directory.region, BOX, limits or Limits())
