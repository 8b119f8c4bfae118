"""The queues and archives behind the targets of rules: made when they are first needed, dropped when nothing has them
any more.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping

from harness.bus.archives import archive_of
from harness.bus.catalogue import Catalogue
from harness.bus.documents import ARCHIVES, RULES, archive_arn
from harness.bus.routes import Routes
from harness.bus.store import Archive, Kept, Kind, Store
from harness.storage.held import name_token
from harness.storage.state import Key

log = logging.getLogger(__name__)

GRACE_SECONDS = 60.0


class Places:
    """`asleep`: keys of targets whose queues are kept although no rule of the catalogue has them now.

    `grace`: how many seconds something must be gone before what it kept is dropped, so that no router that has yet to
    hear of it loses an event.
    """

    def __init__(
        self,
        store: Store,
        catalogue: Catalogue,
        routes: Routes,
        *,
        asleep: Collection[str] = (),
        grace: float = GRACE_SECONDS,
    ) -> None:
        self._store = store
        self._catalogue = catalogue
        self._routes = routes
        self._asleep = frozenset(asleep)
        self._grace = grace
        self._targets: set[str] = set()
        self._archives: set[Archive] = set()
        self._gone: dict[tuple[Kind, str], float] = {}

    async def make(self, targets: Collection[str], archives: Collection[Archive]) -> None:
        """Most of thousands of rules never match: a place is made for those that do."""
        new = [target for target in targets if target not in self._targets]
        if new:
            await self._store.prepare([], new)
            self._targets.update(new)
        for archive in archives:
            if archive not in self._archives:
                await self._store.prepare_archive(archive)
                self._archives.add(archive)

    async def look(self) -> Mapping[str, int]:
        """Drops what is gone long enough; how many deliveries wait in the queue of each target."""
        kept = await self._store.usage()
        waiting = {each.name: each.messages for each in kept if each.kind is Kind.TARGET}
        self._targets.intersection_update(waiting)  # another router may have dropped one
        buses = {bus.arn for bus in self._catalogue.buses()}
        now = asyncio.get_running_loop().time()
        for each in kept:
            place = each.kind, each.name
            if await self._wanted(each, buses):
                self._gone.pop(place, None)
            elif now - self._gone.setdefault(place, now) >= self._grace:
                await self._drop(*place)
        return waiting

    async def _wanted(self, kept: Kept, buses: Collection[str]) -> bool:
        match kept.kind:
            case Kind.TARGET:
                routed = self._routes.get(kept.name) is not None or kept.name in self._asleep
                return routed or self._of_an_unread_rule(kept.name)
            case Kind.ARCHIVE:
                return await self._archive_wanted(kept.name)
            case Kind.BUS:
                return kept.name in buses
        return True

    def _of_an_unread_rule(self, target: str) -> bool:
        """Maybe: it is of an account with a rule that cannot be read, so nobody knows its targets."""
        accounts = {key[2] for key in self._catalogue.unread if key[:2] == RULES}
        return any(target.startswith(name_token(self._catalogue.region, account) + "_") for account in accounts)

    async def _archive_wanted(self, name: str) -> bool:
        arn = name.partition("#")[0]
        if any(arn == archive_arn(self._catalogue.region, key[2], key[3]) for key in self._archives_unread()):
            return True
        document = self._catalogue.archive(arn)
        archive = None if document is None else archive_of(arn, document)
        if archive is None or archive.name != name:
            return False
        await self.make([], [archive])  # its retention may have been changed
        return True

    def _archives_unread(self) -> list[Key]:
        return [key for key in self._catalogue.unread if key[:2] == ARCHIVES]

    async def _drop(self, kind: Kind, name: str) -> None:
        log.info("%s %s is gone, and what it kept", kind, name)
        self._gone.pop((kind, name))
        match kind:
            case Kind.TARGET:
                self._targets.discard(name)
                await self._store.drop([], [name])
            case Kind.ARCHIVE:
                await self._store.drop_archive(name)
            case _:
                await self._store.drop([name])
