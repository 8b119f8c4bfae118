"""Events against their contracts when they are put. EventBridge never does this itself; a bus of a landscape may.

What is said and logged has pointers and keywords, never a value of an event: a detail may hold what is secret.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from harness.bus.model import Bus, Validation, ValidationMode
from harness.bus.put_events import Entry, EntryError
from harness.contracts.events import Breach, EventContract
from harness.wire import bus_arn

log = logging.getLogger(__name__)

MOST_BREACHES = 10
MOST_LOOKED_AT = 100
MOST_CHARACTERS = 200

EventType = tuple[str, str]
"""Source and detail-type."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`error`: the entry is refused. `aside`: the ARN of the bus that takes the event instead. Neither: it goes on."""

    error: EntryError | None = None
    aside: str = ""


GOOD = Verdict()
_CLOSED = EntryError(
    "InvalidArgument",
    "Parameter EventBusName is not valid. Reason: It is a quarantine: only what breaks a contract goes there.",
)


class EventValidator:
    """`quarantines`: ARNs of those that are no buses of their own, where nobody else may put events.

    `counts`: events that broke their contract, by bus (ARN), mode, source and detail-type.
    """

    def __init__(
        self,
        buses: Iterable[Bus] = (),
        contracts: Mapping[EventType, EventContract] | None = None,
        *,
        quarantines: Iterable[str] = (),
    ) -> None:
        self._closed = frozenset(quarantines)
        self._validations = {
            bus.arn: (bus.validation, _aside(bus)) for bus in buses if bus.validation.mode is not ValidationMode.OFF
        }
        self._contracts = contracts or {}
        self.counts: Counter[tuple[str, ValidationMode, str, str]] = Counter()

    def check(self, bus: str, entry: Entry, *, event_id: str) -> Verdict:
        """`bus` is the ARN of the one that the entry is put on; `event_id` the id that the event would have."""
        found = self._validations.get(bus)
        if found is None:
            return Verdict(error=_CLOSED) if bus in self._closed else GOOD
        validation, aside = found
        problem = self._problem(validation, entry)
        if problem is None:
            return GOOD
        mode = validation.mode
        self.counts[bus, mode, entry.source, entry.detail_type] += 1
        log.warning("%s: event %s of %s: %s", mode, event_id, _one_line(bus), _one_line(problem.message))
        match mode:
            case ValidationMode.REJECT:
                return Verdict(error=problem)
            case ValidationMode.QUARANTINE:
                return Verdict(aside=aside)
        return GOOD

    def _problem(self, validation: Validation, entry: Entry) -> EntryError | None:
        contract = self._contracts.get((entry.source, entry.detail_type))
        if contract is None:
            return _unknown(entry) if validation.strict else None
        # Two that read the same (two required fields are missing) are one.
        found = dict.fromkeys(islice(contract.breaches(entry.detail), MOST_LOOKED_AT))
        return _broken(entry, list(found)) if found else None


def _aside(bus: Bus) -> str:
    return bus_arn(bus.region, bus.account, bus.validation.quarantine) if bus.validation.quarantine else ""


def _unknown(entry: Entry) -> EntryError:
    reason = f"There is no contract of {entry.source} for {entry.detail_type}."
    return EntryError("InvalidArgument", f"Parameter DetailType is not valid. Reason: {reason}")


def _broken(entry: Entry, breaches: list[Breach]) -> EntryError:
    shown = "; ".join(str(breach)[:MOST_CHARACTERS] for breach in breaches[:MOST_BREACHES])
    more = "; …" if len(breaches) > MOST_BREACHES else ""
    reason = f"The contract of {entry.source} for {entry.detail_type} is broken at {shown}{more}"
    return EntryError("InvalidArgument", f"Parameter Detail is not valid. Reason: {reason}")


def _one_line(text: str) -> str:
    """Names of fields, sources and detail-types are the caller's own: none may begin a line of the log."""
    return "".join(char if char.isprintable() else " " for char in text)
