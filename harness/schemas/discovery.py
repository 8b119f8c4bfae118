"""Learns the shapes of a bus's events while a discoverer of that bus is started.

Every edge follows the buses and merges what it sees into what is known; since merging the same events again changes
nothing, none needs to know of the others.
"""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import orjson

from harness.clock import Clock, utc_now
from harness.schemas.discoverers import DISCOVERERS, read_discoverer
from harness.schemas.documents import OPENAPI, of_shape
from harness.schemas.model import schema_name
from harness.schemas.registries import VERSIONS, version_key, version_value
from harness.schemas.shape import MOST_LEVELS, Shape, from_json, levels, merge, shape_of, to_json
from harness.storage.ending import ended
from harness.storage.held import StoreFull, StoreUnavailable
from harness.storage.replica import Replica
from harness.storage.state import Conflict, Key

log = logging.getLogger(__name__)

MOST_SCHEMAS = 200
MOST_VERSIONS = 100
MOST_CHARACTERS = 100_000
# All versions of an account together: every process has a copy of them.
MOST_BYTES = 16 * 1024 * 1024
SECONDS_BETWEEN = 1.0
EVENTS_A_ROUND = 200

Tail = Callable[[str], AsyncGenerator[bytes, None]]
"""The bodies of a bus's events from now on; the bus by ARN."""

_Type = tuple[str, str]


class Discovery:
    """At most EVENTS_A_ROUND events of a bus are looked at every `between` seconds; the others teach nothing."""

    def __init__(
        self, replica: Replica, tail: Tail, *, clock: Clock = utc_now, between: float = SECONDS_BETWEEN
    ) -> None:
        self._replica = replica
        self._tail = tail
        self._clock = clock
        self._between = between
        self._changed = asyncio.Event()
        self._known: dict[tuple[str, str], tuple[int, Shape]] = {}
        replica.listen(self._on_change)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Discovery"]:
        task = asyncio.create_task(self._run())
        try:
            yield self
        finally:
            await ended((task,))

    def _on_change(self, key: Key) -> None:
        if key[:2] == DISCOVERERS:
            self._changed.set()

    async def _run(self) -> None:
        following: dict[tuple[str, str, bool], asyncio.Task[None]] = {}
        try:
            while True:
                self._changed.clear()
                wanted = {
                    (found.account, found.source_arn, found.cross_account)
                    for found in map(read_discoverer, self._replica.below(DISCOVERERS))
                    if found.started
                }
                await ended([following.pop(place) for place in following.keys() - wanted])
                for place in wanted - following.keys():
                    following[place] = asyncio.create_task(self._follow(*place))
                await self._changed.wait()
        finally:
            await ended(following.values())

    async def _follow(self, account: str, bus: str, of_all: bool) -> None:
        """`of_all`: events that other accounts put on the bus count too."""
        while True:
            try:
                async with aclosing(self._tail(bus)) as bodies:
                    await self._learn_from(account, bodies, of_all)
            except StoreUnavailable as error:
                log.warning("discovery on %s: %s", bus, error)
            await asyncio.sleep(self._between)

    async def _learn_from(self, account: str, bodies: AsyncGenerator[bytes, None], of_all: bool) -> None:
        loop = asyncio.get_running_loop()
        seen, round_ends = 0, 0.0
        async for body in bodies:
            if loop.time() >= round_ends:
                seen, round_ends = 0, loop.time() + self._between
            seen += 1
            if seen > EVENTS_A_ROUND:
                continue
            read = _read(body, "" if of_all else account)
            if read is not None:
                await self._keep(account, *read)

    async def _keep(self, account: str, kind: _Type, shape: Shape) -> None:
        """Adds a version if the shape says more than the newest one; tries again when another edge was first."""
        name = schema_name(*kind)
        for _ in range(5):
            number, known = self._newest(account, name)
            merged = shape if known is None else merge(known, shape)
            if _same(merged, known) or not self._has_room(account, name, number):
                return
            if len(of_shape(*kind, merged, OPENAPI)) > MOST_CHARACTERS:
                log.warning("the schema of %r has more than %d characters: not kept", name, MOST_CHARACTERS)
                return
            value = version_value(*kind, merged, self._clock())
            try:
                await self._replica.put(version_key(account, name, number + 1), value, expected=0)
            except Conflict:
                await self._replica.read(version_key(account, name, number + 1))
            except StoreFull as error:
                log.warning("discovery: %s", error)
                return
            else:
                return

    def _newest(self, account: str, name: str) -> tuple[int, Shape | None]:
        number, shape = self._known.get((account, name), (0, None))
        if number and self._replica.get(version_key(account, name, number)) is None:
            number, shape = 0, None
        while (entry := self._replica.get(version_key(account, name, number + 1))) is not None:
            number, shape = number + 1, from_json(json.loads(entry.value)["shape"])
        if shape is not None:
            self._known[account, name] = (number, shape)
        return number, shape

    def _has_room(self, account: str, name: str, number: int) -> bool:
        if number >= MOST_VERSIONS:
            return False
        entries = self._replica.below((*VERSIONS, account))
        if not number and len({entry.key[3] for entry in entries}) >= MOST_SCHEMAS:
            return False
        return sum(len(entry.value) for entry in entries) < MOST_BYTES


def _same(one: Shape, other: Shape | None) -> bool:
    return other is not None and json.dumps(to_json(one)) == json.dumps(to_json(other))


def _read(body: bytes, account: str) -> tuple[_Type, Shape] | None:
    """Source and detail-type of an event with the shape of its detail; None where EventBridge infers nothing.

    `account`: whose events alone are read, empty for all.
    """
    event: dict[str, Any] = orjson.loads(body)
    if account and event["account"] != account:
        return None
    detail = event["detail"]
    if levels(detail) > MOST_LEVELS:
        return None
    return (event["source"], event["detail-type"]), shape_of(detail)
