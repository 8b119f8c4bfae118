"""Discoverers in the state that all processes share."""

import json
from collections.abc import Sequence

from harness.schemas.model import Discoverer
from harness.storage.replica import Replica
from harness.storage.state import Entry, Key

DISCOVERERS = ("schemas", "discoverer")
"""Below it: account, id."""


def discoverer_id(source_arn: str) -> str:
    """AWS makes it of the source: `events-event-bus-default`."""
    return "events-" + source_arn.split(":", 5)[5].replace("/", "-")


def read_discoverer(entry: Entry) -> Discoverer:
    kept = json.loads(entry.value)
    return Discoverer(
        entry.key[3],
        entry.key[2],
        kept["source"],
        kept["started"],
        kept["description"],
        kept["cross-account"],
        kept["tags"],
    )


class Discoverers:
    def __init__(self, replica: Replica) -> None:
        self._replica = replica

    def all(self, account: str) -> Sequence[Discoverer]:
        return [read_discoverer(entry) for entry in self._replica.below((*DISCOVERERS, account))]

    def get(self, account: str, id: str) -> Discoverer | None:
        entry = self._replica.get(_key(account, id))
        return None if entry is None else read_discoverer(entry)

    async def create(self, discoverer: Discoverer) -> None:
        """Raises Conflict if there is one for the source."""
        await self._replica.put(_key(discoverer.account, discoverer.id), _value(discoverer), expected=0)

    async def replace(self, discoverer: Discoverer) -> None:
        await self._replica.put(_key(discoverer.account, discoverer.id), _value(discoverer))

    async def delete(self, discoverer: Discoverer) -> None:
        await self._replica.delete(_key(discoverer.account, discoverer.id))


def _key(account: str, id: str) -> Key:
    return (*DISCOVERERS, account, id)


def _value(discoverer: Discoverer) -> bytes:
    kept = {
        "source": discoverer.source_arn,
        "started": discoverer.started,
        "description": discoverer.description,
        "cross-account": discoverer.cross_account,
        "tags": dict(discoverer.tags),
    }
    return json.dumps(kept).encode()
