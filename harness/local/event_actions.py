"""What the landscape's owner may do with events, whatever policies say: replay an archive, send dead letters back."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from harness.access import Caller
from harness.bus import documents
from harness.bus.dead_letters import TARGET_ID, returned
from harness.bus.model import Rule, Target
from harness.bus.operations import replays
from harness.bus.operations.call import Call, Desk
from harness.bus.put_events import RequestError
from harness.bus.store import Delivery, target_key
from harness.bus.targets.roles import SERVICE
from harness.clock import Clock, utc_now
from harness.local.operator import NotKept, Query
from harness.policy import Principal
from harness.policy.model import PrincipalType
from harness.queues.broker import Broker
from harness.queues.dispenser import Received, Trouble
from harness.queues.model import Queue
from harness.wire import PARTITION, bus_arn

VISIBLE_AGAIN_SECONDS = 60
TOGETHER = 10
RULE_ARN = re.compile(r"arn:[^:]+:events:[^:]+:(?P<account>\d{12}):rule/(?:(?P<bus>.+)/)?(?P<name>[^/]+)")


@dataclass
class Redriven:
    """How many messages went back to each `RULE → TARGET`, and how many stay in the queue for each reason."""

    sent: dict[str, int] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)


class EventActions:
    def __init__(self, desk: Desk, broker: Broker, *, clock: Clock = utc_now) -> None:
        self._desk = desk
        self._broker = broker
        self._clock = clock

    async def start_replay(self, query: Query) -> Mapping[str, Any]:
        """`archive`; and `from`, `to` (ISO 8601; all there is by default), `rules` (names, with commas), `name`."""
        name = query.get("archive", "")
        account = self._account_of_archive(name)
        archive = documents.read(self._entry(documents.archive_key(account, name)))
        bus = archive["EventSourceArn"]
        destination: dict[str, Any] = {"Arn": bus}
        if query.get("rules"):
            destination["FilterArns"] = [self._rule(bus, rule).arn for rule in query["rules"].split(",")]
        request = {
            "ReplayName": query.get("name") or f"{name[:40]}-{uuid.uuid4().hex[:8]}",
            "EventSourceArn": documents.archive_arn(self._desk.region, account, name),
            "EventStartTime": _instant(query.get("from"), datetime.fromtimestamp(0, UTC)),
            "EventEndTime": _instant(query.get("to"), self._clock()),
            "Destination": destination,
        }
        answer = await replays.start(self._call(account, "StartReplay", request))
        if isinstance(answer, RequestError):
            raise ValueError(answer.message)
        return {"replay": request["ReplayName"], "account": account, "state": answer["State"]}

    async def replay(self, query: Query) -> Mapping[str, Any]:
        """How far the replay `name` of `account` is."""
        request = {"ReplayName": query.get("name", "")}
        answer = await replays.describe(self._call(query.get("account", ""), "DescribeReplay", request))
        if isinstance(answer, RequestError):
            raise NotKept(answer.message)
        return answer

    async def redrive(self, query: Query) -> Mapping[str, Any]:
        """The dead letters of `queue` (name or ARN) that are there now, `limit` of them at most."""
        queue = self._queue(query.get("queue", ""))
        left = int(query.get("limit", "0")) or (await self._broker.counts(queue)).visible
        done = Redriven()
        while left > 0:
            found = await self._broker.receive(
                queue, limit=min(TOGETHER, left), visibility=VISIBLE_AGAIN_SECONDS, wait=0, bury_worn=False
            )
            if isinstance(found, Trouble) or not found:
                break
            left -= len(found)
            for received in found:
                await self._send_back(queue, received, done)
        return {"queue": queue.arn, "sent": done.sent, "left": done.left}

    async def _send_back(self, queue: Queue, received: Received, done: Redriven) -> None:
        route = self._route(received)
        if isinstance(route, str):
            done.left[route] = done.left.get(route, 0) + 1
            await self._broker.hide(queue, received.handle, 0)
            return
        rule, target, delivery = route
        await self._desk.store.prepare([], [delivery.target])
        await self._desk.store.enqueue([delivery])
        await self._broker.delete(queue, received.handle)
        name = f"{rule.name} → {target.id}"
        done.sent[name] = done.sent.get(name, 0) + 1

    def _route(self, received: Received) -> tuple[Rule, Target, Delivery] | str:
        """Where the letter comes from and what it was, or why it cannot go back."""
        message, attributes = received.message, received.message.attributes
        if "RULE_ARN" not in attributes or "TARGET_ARN" not in attributes:
            return "not a dead letter of a rule"
        # Whoever may send to the queue can write the attributes; who sent it is the landscape's own word.
        if message.sender != SERVICE:
            return "not written by the event bus, whoever it says it is from"
        found = RULE_ARN.fullmatch(attributes["RULE_ARN"].value)
        rule = None
        if found is not None:
            bus = bus_arn(self._desk.region, found["account"], found["bus"] or documents.DEFAULT)
            rule = self._desk.catalogue.rule(bus, found["name"])
        if rule is None:
            return "its rule is gone"
        target = _target(rule, attributes["TARGET_ARN"].value, message.beside.get(TARGET_ID, ""))
        if target is None:
            return "its target is gone"
        key, origin = target_key(rule.arn, target.id), f"redrive-{message.id}"
        delivery = returned(
            message.body, message.beside, target=key, trace=message.trace, origin=origin, now=self._clock()
        )
        if delivery is None:
            return "the letter is not the event, and the event is not kept with it: replay it from an archive"
        return rule, target, delivery

    def _rule(self, bus: str, name: str) -> Rule:
        rule = self._desk.catalogue.rule(bus, name)
        if rule is None:
            raise ValueError(f"unknown rule {name} on the bus {bus.rpartition('/')[2]}")
        return rule

    def _queue(self, name: str) -> Queue:
        found = [queue for queue in self._broker.registry.all() if name in (queue.name, queue.arn)]
        if len(found) == 1:
            return found[0]
        if found:
            raise ValueError(f"{name} is ambiguous: say {' or '.join(queue.arn for queue in found)}")
        raise NotKept(f"There is no queue {name}")

    def _account_of_archive(self, name: str) -> str:
        entries = self._desk.replica.below(documents.ARCHIVES)
        accounts = [entry.key[2] for entry in entries if entry.key[3] == name]
        if len(accounts) == 1:
            return accounts[0]
        if accounts:
            raise ValueError(f"{name} is ambiguous: the accounts {', '.join(accounts)} have one of that name")
        raise NotKept(f"There is no archive {name}")

    def _entry(self, key: tuple[str, ...]) -> Any:
        entry = self._desk.replica.get(key)
        if entry is None:
            raise NotKept(f"There is no archive {key[-1]}")
        return entry

    def _call(self, account: str, operation: str, request: Mapping[str, Any]) -> Call:
        principal = Principal(PrincipalType.ACCOUNT, f"arn:{PARTITION}:iam::{account}:root", account)
        owner = Caller(principal, access_key_id="", session=None, role=None, context={})
        return Call(self._desk, owner, operation, request, {}, self._clock())


def _target(rule: Rule, arn: str, identity: str) -> Target | None:
    """Two targets of a rule may have one ARN; a letter without the id of its target is the first one's."""
    return next((each for each in rule.targets if each.arn == arn and identity in (each.id, "")), None)


def _instant(text: str | None, default: datetime) -> float:
    instant = datetime.fromisoformat(text) if text else default
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp()
