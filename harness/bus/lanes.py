"""The lanes of a router: one for each target that has something to deliver, none for the thousands that have not.

A lane begins when this router enqueues for its target, or when a look at the store finds deliveries that another
router left; it ends when its queue has been empty for a while, or its target is gone.
"""

import asyncio
from collections.abc import Mapping

from harness.bus.lane import Lane, Work
from harness.bus.routes import Routes

IDLE_SECONDS = 60.0


class Lanes:
    def __init__(self, work: Work, routes: Routes, group: asyncio.TaskGroup) -> None:
        self._work = work
        self._routes = routes
        self._group = group
        self._lanes: dict[str, Lane] = {}
        self._wanted: set[str] = set()
        self._stopping = False

    def wake(self, key: str) -> None:
        """Has the queue of this target served from now on, unless it is or its target is gone."""
        if self._stopping or self._routes.get(key) is None:
            return
        self._wanted.add(key)
        if key not in self._lanes:
            lane = self._lanes[key] = Lane(self._work, key, lambda: self._routes.get(key))
            self._group.create_task(self._serve(key, lane))

    def look(self, waiting: Mapping[str, int]) -> None:
        """`waiting`: how many deliveries each target's queue keeps."""
        for key, count in waiting.items():
            if count:
                self.wake(key)
        quiet = asyncio.get_running_loop().time() - IDLE_SECONDS
        for key, lane in self._lanes.items():
            idle = lane.idle_since is not None and lane.idle_since < quiet and not waiting.get(key)
            if idle:
                lane.stop()

    def stop_removed(self) -> None:
        """The lanes of targets that are gone."""
        for key, lane in self._lanes.items():
            if self._routes.get(key) is None:
                lane.stop()

    def stop(self) -> None:
        self._stopping = True
        for lane in self._lanes.values():
            lane.stop()

    async def _serve(self, key: str, lane: Lane) -> None:
        while True:
            self._wanted.discard(key)
            await lane.run()
            # What comes to this process from now on would wait for nobody.
            await self._work.store.release_target(key)
            if self._stopping or key not in self._wanted or self._routes.get(key) is None:
                break
            lane = self._lanes[key] = Lane(self._work, key, lambda: self._routes.get(key))
        del self._lanes[key]
