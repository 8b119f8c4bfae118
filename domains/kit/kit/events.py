"""`POST /events`: one event of a rule's target, to the handler of its source and detail-type.

An event that no handler knows is refused (422): a rule sends it here, so somebody means it to be handled. Refused, it
is delivered again and at last lies in the dead letter queue, where a new version of this domain can still take it up;
accepted, it would be gone without a trace.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Response
from pydantic import ValidationError
from sqlalchemy.orm import Session

from kit.database import Sessions
from kit.envelope import ReceivedEvent
from kit.inbox import first_time
from kit.problems import Finding, ProblemError

log = logging.getLogger(__name__)

EventHandler = Callable[[Session, ReceivedEvent], None]
"""Works in the session's transaction and does not commit. `ValidationError` and `ProblemError` refuse the event."""


@dataclass(frozen=True, slots=True)
class EventType:
    source: str
    detail_type: str


@dataclass(frozen=True, slots=True)
class Subscription:
    """`consumer` is the handler's name in the inbox: keep it when the function is renamed."""

    consumer: str
    handle: EventHandler


def events_router(sessions: Sessions, subscriptions: Mapping[EventType, Subscription]) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.post("/events", status_code=204)
    def receive(event: ReceivedEvent) -> Response:
        subscription = subscriptions.get(EventType(event.source, event.detail_type))
        if subscription is None:
            raise _refused(f"nobody here handles {event.detail_type} of {event.source}", code="unknown-type")
        event_id = event.detail.metadata.eventId
        try:
            with sessions.begin() as session:
                if first_time(session, consumer=subscription.consumer, event_id=event_id):
                    subscription.handle(session, event)
                else:
                    log.info("%s %s was handled before", event.detail_type, event_id)
        except ValidationError as error:
            raise _refused(
                f"{event.detail_type}: {error.error_count()} mistakes in its data", code="bad-data"
            ) from error
        return Response(status_code=204)

    return router


def _refused(detail: str, *, code: str) -> ProblemError:
    log.error("event refused: %s", detail)
    finding = Finding(code=code, detail=detail, pointer="#")
    return ProblemError(422, "event-refused", detail, title="This event cannot be handled", errors=[finding])
