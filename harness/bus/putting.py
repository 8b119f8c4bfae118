"""PutEvents from the question whether the caller may to the event in the store."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from harness.access import Caller
from harness.bus.operations.call import Desk
from harness.bus.put_events import Entry, EntryError, RequestError, read_request
from harness.bus.store import REVISION, Record
from harness.bus.validation import EventValidator
from harness.clock import Clock, utc_now
from harness.policy import ContextValue, denial_message
from harness.storage.held import StoreFull, StoreUnavailable
from harness.wire import bus_arn

log = logging.getLogger(__name__)

ACTION = "events:PutEvents"
INTERNAL_FAILURE = EntryError("InternalFailure", "Internal Service Failure")
THROTTLED = EntryError("ThrottlingException", "Rate exceeded")


class PutEvents:
    def __init__(
        self,
        desk: Desk,
        *,
        clock: Clock = utc_now,
        validator: EventValidator | None = None,
    ) -> None:
        self._authority = desk.authority
        self._catalogue = desk.catalogue
        self._replica = desk.replica
        self._store = desk.store
        self._region = desk.region
        self._new_id = desk.new_id
        self._clock = clock
        self._max_bytes = desk.limits.put_events_bytes
        self._validator = validator or EventValidator()

    async def __call__(
        self, caller: Caller, payload: object, network: Mapping[str, ContextValue]
    ) -> dict[str, Any] | RequestError:
        entries = read_request(payload, max_bytes=self._max_bytes)
        if isinstance(entries, RequestError):
            return entries
        refusal = self._authorize(caller, [entry for entry in entries if isinstance(entry, Entry)], network)
        if refusal is not None:
            return refusal
        now = self._clock()
        # What this edge knows of rules: an event is matched by nobody who knows less.
        known = {REVISION: str(self._replica.newest)}
        results: list[str | EntryError] = []
        records: dict[str, list[tuple[int, Record]]] = {}
        for index, entry in enumerate(entries):
            if isinstance(entry, EntryError):
                results.append(entry)
                continue
            event_id = self._new_id()
            arn = self._bus_arn(caller, entry.bus)
            verdict = self._validator.check(arn, entry, event_id=event_id)
            results.append(verdict.error or event_id)
            # An unknown bus: the entry has an id, the event vanishes (as on AWS).
            if verdict.error is None and self._catalogue.bus(arn) is not None:
                record = entry.record(
                    event_id=event_id, account=caller.account, region=self._region, now=now, headers=known
                )
                records.setdefault(verdict.aside or arn, []).append((index, record))
        for arn, numbered in records.items():
            error = await self._store_records(arn, [record for _, record in numbered])
            if error is not None:
                for index, _ in numbered:
                    results[index] = error
        return _result(results)

    async def _store_records(self, arn: str, records: Sequence[Record]) -> EntryError | None:
        try:
            await self._store.publish(arn, records)
        except StoreFull as error:
            log.warning("PutEvents to %s: %s", arn, error)
            return THROTTLED
        except StoreUnavailable as error:
            log.error("PutEvents to %s: %s", arn, error)
            return INTERNAL_FAILURE
        return None

    def _authorize(
        self, caller: Caller, entries: Sequence[Entry], network: Mapping[str, ContextValue]
    ) -> RequestError | None:
        """One entry that is not allowed refuses the whole call."""
        asked = dict.fromkeys((self._bus_arn(caller, entry.bus), entry.source, entry.detail_type) for entry in entries)
        for arn, source, detail_type in asked:
            bus = self._catalogue.bus(arn)
            decision = self._authority.authorize(
                caller,
                action=ACTION,
                resource=arn,
                resource_account=bus.account if bus else caller.account,
                resource_policy=bus.policy if bus else None,
                context={
                    **network,
                    "events:source": source,
                    "events:detail-type": detail_type,
                    "events:eventbusinvocation": "false",
                },
            )
            if not decision.allowed:
                text = denial_message(caller.principal, ACTION, arn, decision)
                return RequestError("AccessDeniedException", text)
        return None

    def _bus_arn(self, caller: Caller, bus: str) -> str:
        return bus if bus.startswith("arn:") else bus_arn(self._region, caller.account, bus)


def _result(results: Sequence[str | EntryError]) -> dict[str, Any]:
    entries = [
        {"ErrorCode": result.code, "ErrorMessage": result.message}
        if isinstance(result, EntryError)
        else {"EventId": result}
        for result in results
    ]
    return {"FailedEntryCount": sum("ErrorCode" in entry for entry in entries), "Entries": entries}
