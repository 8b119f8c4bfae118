"""What a tracer hears of an event's way: one call for each step, at the place where the step is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.bus.model import Rule, Target


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a target. `code` and `message` are empty when it took the event.

    `number` counts from 1; `seconds` is how long it took; `next_in`: seconds until the next one, None when it is the
    last.
    """

    event_id: str
    rule: Rule
    target: Target
    number: int
    seconds: float
    code: str = ""
    message: str = ""
    next_in: float | None = None


class Tracer(Protocol):
    """Called on the event's path: it returns at once and raises nothing."""

    def matched(self, event_id: str, bus: str, rules: Sequence[Rule]) -> None:
        """Once the deliveries are stored. Also with no rule at all."""

    def attempted(self, attempt: Attempt) -> None: ...

    def delivered(self, event_id: str, rule: Rule, target: Target) -> None: ...

    def given_up(self, event_id: str, rule: Rule, target: Target, *, code: str, queue: str, reason: str) -> None:
        """`queue`: the ARN of the dead-letter queue, empty without one. `reason`: why that did not take it, if so."""


class Untraced:
    """The tracer where nobody asks."""

    def matched(self, event_id: str, bus: str, rules: Sequence[Rule]) -> None: ...

    def attempted(self, attempt: Attempt) -> None: ...

    def delivered(self, event_id: str, rule: Rule, target: Target) -> None: ...

    def given_up(self, event_id: str, rule: Rule, target: Target, *, code: str, queue: str, reason: str) -> None: ...
