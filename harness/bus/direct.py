"""The short way from a match to targets that do nothing but keep what they get: all events of a batch in one go.

It is for the good case alone. What is not surely taken goes to the target's work queue as if nothing had been tried;
its lane finds out why, tries again and writes dead letters. What the target has by then it knows by the delivery's id.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from harness.bus.lane import Work
from harness.bus.routes import Route, Routes
from harness.bus.store import Delivery
from harness.bus.targets.delivery import Failure, service_of
from harness.bus.targets.shaped import shaped
from harness.bus.tracing import Attempt
from harness.storage.held import StoreFull, StoreUnavailable

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """Taken by its target. `seconds`: how long that took for all that were sent together."""

    delivery: Delivery
    route: Route
    seconds: float


class Direct:
    def __init__(self, work: Work, routes: Routes) -> None:
        self._work = work
        self._routes = routes

    async def send(self, deliveries: Sequence[Delivery]) -> Sequence[Sent]:
        """Those that their targets have taken."""
        by_target: dict[str, list[Delivery]] = {}
        for delivery in deliveries:
            by_target.setdefault(delivery.target, []).append(delivery)
        sending = [
            self._to_target(route, together)
            for key, together in by_target.items()
            if (route := self._routes.get(key)) is not None and service_of(route.target.arn) in self._work.deliver_all
        ]
        return [sent for each in await asyncio.gather(*sending) for sent in each] if sending else ()

    def tell(self, sent: Sent) -> None:
        tracer, route = self._work.tracer, sent.route
        tracer.attempted(Attempt(sent.delivery.event_id, route.rule, route.target, 1, sent.seconds))
        tracer.delivered(sent.delivery.event_id, route.rule, route.target)

    async def _to_target(self, route: Route, deliveries: Sequence[Delivery]) -> Sequence[Sent]:
        now = asyncio.get_running_loop().time
        begun = now()
        try:
            bodies = [shaped(route, delivery) for delivery in deliveries]
            ready = [body for body in bodies if not isinstance(body, Failure)]
            taken = await self._work.deliver_all[service_of(route.target.arn)](route, ready) if ready else False
        except (StoreFull, StoreUnavailable):
            return ()  # the lane meets the same, and says so
        # Whatever it is, the lane meets it for each event alone, where it counts as a failed attempt; here it would end
        # the match of all events and targets of the batch, and be met again with the next one.
        except Exception:
            log.exception("events cannot be brought to %s in one go", route.target.arn)
            return ()
        if not taken:
            return ()
        seconds = now() - begun
        return [
            Sent(delivery, route, seconds)
            for delivery, body in zip(deliveries, bodies, strict=True)
            if not isinstance(body, Failure)
        ]
