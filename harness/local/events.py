"""The edge's side of the event bus: what its EventBridge endpoint works with."""

from collections.abc import Iterator, Mapping

from harness import manifest
from harness.access import Authority
from harness.bus.catalogue import Catalogue
from harness.bus.operations.call import Desk
from harness.bus.store import Store
from harness.identity import SecretBox
from harness.policy import Document
from harness.storage.replica import Replica
from harness.wire import bus_of_rule


def catalogue_of(landscape: manifest.Landscape, upstreams: Mapping[str, str], replica: Replica) -> Catalogue:
    """With the rules of the domains that run."""
    return Catalogue(
        replica,
        region=landscape.region,
        accounts=[account.id for account in landscape.accounts.values()],
        buses=[*landscape.buses.values(), *landscape.quarantines_by_arn().values()],
        rules=landscape.rules(upstreams),
    )


async def open_desk(
    landscape: manifest.Landscape,
    upstreams: Mapping[str, str],
    authority: Authority,
    replica: Replica,
    store: Store,
    box: SecretBox,
) -> Desk:
    """With a place in the store for every bus that there is."""
    catalogue = catalogue_of(landscape, upstreams, replica)
    await store.prepare([bus.arn for bus in catalogue.buses()])
    return Desk(authority, catalogue, replica, store, landscape.region, box, landscape.limits)


class BusPolicies(Mapping[str, Document | None]):
    """The policy of each bus by its ARN, those of buses that the API has made too, as they are now.

    It is that of the bus's rules too, and found by their ARNs.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def __getitem__(self, arn: str) -> Document | None:
        bus = self._catalogue.bus(bus_of_rule(arn) or arn)
        if bus is None:
            raise KeyError(arn)
        return bus.policy

    def __iter__(self) -> Iterator[str]:
        return (bus.arn for bus in self._catalogue.buses())

    def __len__(self) -> int:
        return len(self._catalogue.buses())
