"""Events as they are published and as they arrive.

Bus, time and id of the envelope are the bus's; what outlives a replay or a second publication is in
`detail.metadata`, and `eventId` there names the event for good.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from starlette.requests import Request

from kit.caller import request_id

SCHEMA_VERSION = "1.0.0"


class Metadata(BaseModel):
    """`correlationId` is shared by all that one request set off; `causationId` is the event that led to this one."""

    eventId: UUID
    correlationId: str = Field(min_length=1, max_length=128)
    causationId: UUID | None = None
    schemaVersion: str
    occurredAt: AwareDatetime
    domain: str

    def cause(self) -> "Cause":
        return Cause(correlation_id=self.correlationId, causation_id=self.eventId)


class Detail(BaseModel):
    metadata: Metadata
    data: dict[str, Any]


class ReceivedEvent(BaseModel):
    """The envelope that a rule's target gets (EventBridge, event structure). Unknown members are ignored."""

    model_config = ConfigDict(populate_by_name=True)

    id: str
    source: str
    account: str
    region: str
    time: AwareDatetime
    detail_type: str = Field(alias="detail-type")
    detail: Detail


@dataclass(frozen=True, slots=True)
class Cause:
    """What an event follows from. `causation_id` is None when a request and no event came first."""

    correlation_id: str = field(default_factory=lambda: str(uuid4()))
    causation_id: UUID | None = None


def cause_of(request: Request) -> Cause:
    """A request's events are correlated by the gateway's id of it."""
    found = request_id(request)
    return Cause(found[:128]) if found else Cause()


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event that has happened. `data` is JSON; `detail_type` carries the major version (`OrderPlaced.v1`)."""

    detail_type: str
    data: Mapping[str, Any]
    occurred_at: datetime
    cause: Cause
    event_id: UUID = field(default_factory=uuid4)

    def detail(self, domain: str) -> dict[str, Any]:
        metadata = Metadata(
            eventId=self.event_id,
            correlationId=self.cause.correlation_id,
            causationId=self.cause.causation_id,
            schemaVersion=SCHEMA_VERSION,
            occurredAt=self.occurred_at,
            domain=domain,
        )
        return {"metadata": metadata.model_dump(mode="json"), "data": dict(self.data)}
