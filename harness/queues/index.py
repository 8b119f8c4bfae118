"""What a process knows of one queue: which messages there are, which of them are hidden, and until when.

Pure: it is told what the store tells, and asked with the time. Messages stand in lanes: each alone in a standard
queue, by message group in a FIFO queue. While a message of a lane is in flight, no other of the lane is given out.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message that the store has. Times in milliseconds; `lane` names its lane's claims in the store."""

    sequence: int
    lane: str
    sent: int
    due: int


@dataclass(frozen=True, slots=True)
class Claim:
    """That a message was received: by which receipt, `at` which time, hidden `until`; the `first` of `count` times."""

    receipt: str
    at: int
    until: int
    first: int
    count: int
    attempt: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """The claims of a lane by sequence, as of `revision` (0: none was ever written). `erased`: messages that went."""

    key: str
    claims: Mapping[int, Claim] = field(default_factory=dict)
    erased: tuple[int, ...] = ()
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    visible: int
    in_flight: int
    delayed: int


@dataclass(frozen=True, slots=True)
class Pick:
    """Messages of one lane that may be given out together, in their order."""

    lane: Lane
    messages: tuple[Arrived, ...]


class Index:
    """`lanes` of one message each, or `ordered` ones. What is picked stays picked until `settle`."""

    def __init__(self, *, ordered: bool) -> None:
        self._ordered = ordered
        self._messages: dict[int, Arrived] = {}
        self._lanes: dict[str, Lane] = {}
        self._groups: dict[str, dict[int, None]] = {}
        self._picked: set[str] = set()
        self._hidden: dict[int, int] = {}
        self._flying: set[int] = set()
        self._ready: list[int] = []
        self._alarms: list[tuple[int, int]] = []
        self._ages: list[tuple[int, int]] = []
        self._gone: set[int] = set()
        self._purged = 0

    # What the store tells

    def arrived(self, message: Arrived, now: int) -> None:
        sequence = message.sequence
        if sequence in self._messages or sequence in self._gone or sequence <= self._purged:
            return
        self._messages[sequence] = message
        heappush(self._ages, (message.sent, sequence))
        if self._ordered:
            group = self._groups.setdefault(message.lane, {})
            in_order = not group or next(reversed(group)) < sequence
            group[sequence] = None
            if not in_order:
                self._groups[message.lane] = dict.fromkeys(sorted(group))
        self._place(message, now)

    def changed(self, lane: Lane, now: int) -> None:
        """A lane as the store has it; an older state than the one that is known is passed over."""
        known = self._lanes.get(lane.key)
        if known is None or lane.revision > known.revision:
            self._set(lane, known, now)

    def reread(self, lane: Lane, now: int) -> None:
        """A lane as it was just read: what was known of it turned out to be wrong."""
        self._set(lane, self._lanes.get(lane.key), now)

    def _set(self, lane: Lane, known: Lane | None, now: int) -> None:
        for sequence in lane.erased:
            self.forget(sequence)
        if lane.claims or self._groups.get(lane.key) or not lane.erased:
            self._lanes[lane.key] = lane
        else:
            self._lanes.pop(lane.key, None)
        for sequence in {*(known.claims if known else ()), *lane.claims}:
            message = self._messages.get(sequence)
            if message is not None:
                self._place(message, now)

    def purged(self, upto: int) -> None:
        self._purged = max(self._purged, upto)
        for sequence in [each for each in self._messages if each <= upto]:
            self.forget(sequence)

    def forget(self, sequence: int) -> None:
        """The message is gone; one of its kind that is told of late is not taken for new."""
        self._gone.add(sequence)
        message = self._messages.pop(sequence, None)
        if message is None:
            return
        self._hidden.pop(sequence, None)
        self._flying.discard(sequence)
        if not self._ordered:
            self._lanes.pop(message.lane, None)
            return
        group = self._groups[message.lane]
        del group[sequence]
        if not group:
            del self._groups[message.lane]

    def keep_only(self, sequences: Collection[int], upto: int) -> None:
        """Of the messages up to `upto` these are all: the others went while nobody listened."""
        for sequence in [each for each in self._messages if each <= upto and each not in sequences]:
            self.forget(sequence)

    def told(self, upto: int) -> None:
        """The store has told of every message up to this one: nothing older can come late."""
        if len(self._gone) > 64:
            self._gone = {sequence for sequence in self._gone if sequence > upto}

    # Questions

    def lane(self, key: str) -> Lane:
        return self._lanes.get(key, Lane(key))

    def pick(self, now: int, most: int) -> list[Pick]:
        """Up to `most` messages that may be given out now, the oldest first."""
        self._advance(now)
        return self._pick_groups(now, most) if self._ordered else self._pick_single(most)

    def settle(self, pick: Pick, now: int) -> None:
        self._picked.discard(pick.lane.key)
        for message in pick.messages:
            if message.sequence in self._messages:
                self._place(message, now)

    def attempted(self, attempt: str, now: int) -> list[Pick]:
        """What an attempt of that id was given, as far as it is still hidden."""
        picks = []
        for lane in self._lanes.values():
            held = tuple(
                self._messages[sequence]
                for sequence, claim in sorted(lane.claims.items())
                if claim.attempt == attempt and claim.until > now and sequence in self._messages
            )
            if held:
                picks.append(Pick(lane, held))
        return picks

    def drop_older(self, than: int) -> None:
        """Messages sent before `than` have outlived their retention."""
        while self._ages and self._ages[0][0] < than:
            self.forget(heappop(self._ages)[1])

    def in_flight(self, now: int) -> int:
        self._advance(now)
        return len(self._flying)

    def counts(self, now: int) -> Counts:
        self._advance(now)
        return Counts(
            visible=len(self._messages) - len(self._hidden),
            in_flight=len(self._flying),
            delayed=len(self._hidden) - len(self._flying),
        )

    def next_alarm(self) -> int | None:
        """When something hidden comes forth, at the earliest."""
        return self._alarms[0][0] if self._alarms else None

    def _pick_single(self, most: int) -> list[Pick]:
        picks: list[Pick] = []
        while self._ready and len(picks) < most:
            sequence = heappop(self._ready)
            message = self._messages.get(sequence)
            if message is None or sequence in self._hidden or message.lane in self._picked:
                continue
            self._picked.add(message.lane)
            picks.append(Pick(self.lane(message.lane), (message,)))
        return picks

    def _pick_groups(self, now: int, most: int) -> list[Pick]:
        picks: list[Pick] = []
        for key, group in sorted(self._groups.items(), key=lambda item: next(iter(item[1]))):
            if most <= 0:
                break
            lane = self.lane(key)
            if key in self._picked or self._busy(lane, now):
                continue
            run: list[Arrived] = []
            for sequence in group:
                message = self._messages[sequence]
                if message.due > now or len(run) == most:
                    break
                run.append(message)
            if run:
                most -= len(run)
                self._picked.add(key)
                picks.append(Pick(lane, tuple(run)))
        return picks

    def _busy(self, lane: Lane, now: int) -> bool:
        """Claims on messages that are gone (purged, too old) hold up nobody."""
        return any(claim.until > now and sequence in self._messages for sequence, claim in lane.claims.items())

    def _place(self, message: Arrived, now: int) -> None:
        sequence = message.sequence
        claim = self.lane(message.lane).claims.get(sequence)
        claimed = claim.until if claim is not None else 0
        until = max(message.due, claimed)
        self._flying.discard(sequence)
        if until > now:
            self._hidden[sequence] = until
            heappush(self._alarms, (until, sequence))
            if claimed > now:
                self._flying.add(sequence)
            return
        self._hidden.pop(sequence, None)
        if not self._ordered:
            heappush(self._ready, sequence)

    def _advance(self, now: int) -> None:
        while self._alarms and self._alarms[0][0] <= now:
            until, sequence = heappop(self._alarms)
            message = self._messages.get(sequence)
            if message is not None and self._hidden.get(sequence) == until:
                self._place(message, now)
