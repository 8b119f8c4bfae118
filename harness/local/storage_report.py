"""What is kept and how near it is to its bound, told by the names that people use."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

from harness.bus.catalogue import Catalogue
from harness.bus.routes import routes_of
from harness.bus.store import Kept, Kind, Store
from harness.bus.targets.logs import log_group
from harness.local.operator import Lines, Query, Route
from harness.storage.shares import Share

QUEUE = "queue"

Names = Mapping[str, str]
"""What people call a place, by the name that the store has for it."""


def storage_routes(
    store: Store,
    catalogue: Catalogue,
    queues: Callable[[], Names] = dict,
    shares: Callable[[], Mapping[str, Share]] = dict,
) -> dict[str, Route]:
    """`queues`: the ARN of each, by the name of its stream. `shares`: of the state, by account."""

    async def storage(_: Query) -> Mapping[str, Any]:
        told = report(await store.usage(), _targets(catalogue), queues())
        return {**told, "accounts": [_share(account, share) for account, share in shares().items()]}

    async def undelivered(_: Query) -> Lines:
        return _letters(store)

    async def logged(query: Query) -> Lines:
        group = query.get("group", "")
        if not group.startswith("arn:"):
            raise ValueError("group has to be the ARN of a log group")
        return _texts(store, log_group(group))

    return {"storage": storage, "undelivered": undelivered, "logs": logged}


def report(kept: Sequence[Kept], targets: Names, queues: Names) -> dict[str, Any]:
    """`full` is a share of the bound. `bound` of all together is what the disk may come to hold."""
    places: list[dict[str, Any]] = [
        {
            "kind": QUEUE if each.name in queues else each.kind.value,
            "name": queues.get(each.name) or _name(each, targets),
            "messages": each.messages,
            "bytes": each.bytes,
            "bound": each.most_bytes,
            "full": round(each.bytes / each.most_bytes, 4) if each.most_bytes else 0.0,
        }
        for each in kept
    ]
    return {
        "bytes": sum(each.bytes for each in kept),
        "bound": sum(each.most_bytes for each in kept),
        "kept": sorted(places, key=lambda place: (place["kind"], place["name"])),
    }


def _share(account: str, share: Share) -> dict[str, Any]:
    """What the state holds for an account (what manifests declare of queues and topics too), and its share."""
    full = round(share.bytes / share.bound, 4) if share.bound else 0.0
    told = {"documents": share.documents, "bytes": share.bytes, "bound": share.bound}
    return {"account": account, **told, "full": full}


def _name(kept: Kept, targets: Names) -> str:
    if kept.kind is Kind.TARGET:
        return targets.get(kept.name, kept.name)
    return kept.name.partition("#")[0]


def _targets(catalogue: Catalogue) -> dict[str, str]:
    rules = [rule for bus in catalogue.buses() for rule in catalogue.rules(bus.arn)]
    return {route.key: f"{rule.arn} {route.target.id}" for rule in rules for route in routes_of(rule)}


async def _letters(store: Store) -> AsyncGenerator[Any, None]:
    async for letter in store.undelivered():
        yield {
            "queue": letter.queue,
            "reason": letter.reason,
            "attributes": dict(letter.attributes),
            "body": letter.body.decode(),
        }


async def _texts(store: Store, group: str) -> AsyncGenerator[Any, None]:
    async for body in store.logged(group):
        yield body.decode()
