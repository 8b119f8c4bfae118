"""The story of an event as text for a terminal: a tree, readable without colour."""

from collections.abc import Iterator, Sequence
from typing import Any

Json = dict[str, Any]

FIRST_ATTEMPTS, LAST_ATTEMPTS = 3, 2
MARKS = {
    "delivered": "✓",
    "dead-lettered": "✗",
    "dropped": "✗",
    "set aside": "✗",
    "failed": "✗",
    "retrying": "…",
    "waiting": "…",
}


def text(told: Json) -> str:
    """`told` is what `story` gives."""
    event = told["event"]
    lines = [f"{event['source']} {event['detail-type']} {told['id']}" if event else f"event {told['id']}"]
    branches = [_accepted(told), _matching(told), *map(_delivery, told["deliveries"])]
    if told["related"]:
        branches.append(_related(told["related"]))
    for number, (head, rows) in enumerate(branches, start=1):
        last = number == len(branches)
        lines.append(f"{'└─' if last else '├─'} {head}")
        for index, row in enumerate(rows, start=1):
            lines.append(f"{'   ' if last else '│  '}{'└─' if index == len(rows) else '├─'} {row}")
    return "\n".join(map(_printable, lines))


Branch = tuple[str, Sequence[str]]


def _accepted(told: Json) -> Branch:
    event = told["event"]
    if event is None:
        return "accepted, and no longer kept by its bus", ()
    return f"accepted {event['time']} by the bus {told['bus'].rpartition('/')[2]}, from account {event['account']}", ()


def _matching(told: Json) -> Branch:
    rules = sorted(told["rules"], key=lambda rule: not rule["matched"])
    rows = [
        f"{'✓' if rule['matched'] else '·'} {rule['rule']}{': ' if rule['why'] else ''}{rule['why']}" for rule in rules
    ]
    if told["matchedAt"] is None:
        return "not matched yet (no router has noted it; the rules as they are now)", rows
    count = sum(bool(rule["matched"]) for rule in rules)
    return f"matched {told['matchedAt']}: {count} of {len(rules)} {'rule' if len(rules) == 1 else 'rules'}", rows


def _delivery(delivery: Json) -> Branch:
    mark = MARKS[delivery["outcome"]]
    head = f"{mark} {delivery['rule']} → {delivery['arn'].split(':', 5)[-1]}: {delivery['outcome']}"
    rows = list(_attempts(delivery["attempts"]))
    if delivery.get("queue"):
        why = f", which did not take it: {delivery['reason']}" if delivery.get("reason") else ""
        rows.append(f"dead-letter queue {delivery['queue'].rpartition(':')[2]}{why}")
    elif delivery["outcome"] == "dropped":
        rows.append("the target has no dead-letter queue")
    return head, rows


def _attempts(attempts: Sequence[Json]) -> Iterator[str]:
    hidden = len(attempts) - FIRST_ATTEMPTS - LAST_ATTEMPTS
    if hidden > 1:
        yield from _attempts(attempts[:FIRST_ATTEMPTS])
        yield f"… {hidden} more attempts (--json shows them all)"
        attempts = attempts[-LAST_ATTEMPTS:]
    for attempt in attempts:
        outcome = f"{attempt['code']}: {attempt['message']}" if "code" in attempt else "taken"
        again = f"; next at {attempt['next']}" if "next" in attempt else ""
        yield f"attempt {attempt['number']} {attempt['at']} ({attempt['ms']:g} ms) {outcome}{again}"


def _related(related: Sequence[Json]) -> Branch:
    rows = [
        f"{each['time']} {each['source']} {each['detail-type']} {each['id']}: {each['relation']}" for each in related
    ]
    return "related", rows


def _printable(line: str) -> str:
    """A publisher chooses source and detail-type, a target its answer: nothing of it may steer the terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in line)
