"""What the operations of SNS share: refusals, who may, and the forms of maps in the query protocol.

Source: botocore's model of sns 2010-03-31; texts as AWS answers them.
"""

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.access import Authority, Caller
from harness.clock import Clock
from harness.errors import InputError
from harness.policy import ContextValue, Document, PolicyKind, compile_document, denial_message
from harness.query_protocol.answers import Members, Refusal
from harness.query_protocol.calls import Parameters
from harness.topics.filtering import Compile
from harness.topics.model import FILTER, Subscription, Topic
from harness.topics.outbox import Outbox
from harness.topics.registry import Registry

NO_TOPIC = Refusal("NotFound", "Topic does not exist", 404)
NO_SUBSCRIPTION = Refusal("NotFound", "Subscription does not exist", 404)
# What a landscape keeps for good has a bound; of a filter policy it is AWS's.
MOST_CHARACTERS = 10_240
MOST_FILTER_CHARACTERS = 262_144
ARN = re.compile(r"arn:aws[\w-]*:sns:[\w-]+:\d{12}:[\w-]{1,256}(\.fifo)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    caller: Caller
    operation: str
    parameters: Parameters
    context: Mapping[str, ContextValue]
    host: str


Operation = Callable[[Asked], Awaitable[Members | Refusal]]


@dataclass(frozen=True, slots=True)
class Counter:
    """Where the operations are asked."""

    authority: Authority
    registry: Registry
    outbox: Outbox
    compile: Compile
    region: str
    clock: Clock

    def refused(self, asked: Asked, arn: str, policy: Document | None, *, operation: str = "") -> Refusal | None:
        operation = operation or asked.operation
        account = arn.split(":")[4]
        decision = self.authority.authorize(
            asked.caller,
            action=f"sns:{operation}",
            resource=arn,
            resource_account=account,
            resource_policy=policy,
            context=asked.context,
        )
        if decision.allowed:
            return None
        text = denial_message(asked.caller.principal, f"SNS:{operation}", arn, decision)
        return Refusal("AuthorizationError", text, 403)

    async def topic(self, asked: Asked, *, operation: str = "") -> tuple[Topic, int] | Refusal:
        """The topic that `TopicArn` names, and its revision, for a caller who may.

        Another account cannot tell one that it may not use from one that is not there.
        """
        arn = asked.parameters.get("TopicArn", "")
        if not ARN.fullmatch(arn):
            return invalid("TopicArn")
        return await self.topic_of(asked, arn, operation=operation)

    async def topic_of(self, asked: Asked, arn: str, *, operation: str = "") -> tuple[Topic, int] | Refusal:
        found = await self.registry.topic(arn)
        refused = self.refused(asked, arn, found[0].policy if found else None, operation=operation)
        return refused or found or NO_TOPIC

    def milliseconds(self) -> int:
        return int(self.clock().timestamp() * 1000)


def declared(what: Topic | Subscription, may: str) -> Refusal:
    """What a manifest says, the manifest alone changes."""
    kind = "topic" if isinstance(what, Topic) else "subscription"
    return Refusal("InvalidState", f"The {kind} {what.arn} is declared in {what.declared_in}, which alone may {may}.")


def may_change(what: Topic | Subscription, name: str, value: str) -> bool:
    """Also what a manifest says, to what it is already."""
    now = what.given.get(name, "")
    return name not in what.fixed or now == value or (json_object(now) or 0) == json_object(value)


def invalid(what: str, reason: str = "") -> Refusal:
    text = f"Invalid parameter: {what}"
    return Refusal("InvalidParameter", f"{text} Reason: {reason}" if reason else text)


def entries(parameters: Parameters, name: str, *, key: str = "key", value: str = "value") -> dict[str, str]:
    """A map: `Attributes.entry.1.key`, `Attributes.entry.1.value`."""
    found = {}
    for number in range(1, 100):
        place = f"{name}.entry.{number}"
        if f"{place}.{key}" not in parameters:
            break
        found[parameters[f"{place}.{key}"]] = parameters.get(f"{place}.{value}", "")
    return found


def policy_fault(text: str) -> Refusal | None:
    if not text:
        return None
    try:
        compile_document(text, kind=PolicyKind.RESOURCE, name="Policy")
    except InputError as error:
        return invalid("Policy", str(error))
    return None


def long_value(given: Mapping[str, str]) -> str | None:
    """The name of an attribute whose value is too long."""
    return next(
        (
            name
            for name, value in given.items()
            if len(value) > (MOST_FILTER_CHARACTERS if name == FILTER else MOST_CHARACTERS)
        ),
        None,
    )


def json_object(text: str) -> dict[str, Any] | None:
    """None for what is no object, and for escapes of half a character: they spell no text that can be sent."""
    try:
        content = json.loads(text)
        json.dumps(content, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def tags_fault(tags: Mapping[str, str]) -> Refusal | None:
    if len(tags) > 50:
        return Refusal("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded")
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or len(value) > 256 or key.lower().startswith("aws:"):
            return invalid(
                "Tags", f'"{key[:128]}" has 1 to 128 characters and not the prefix aws:, its value up to 256'
            )
    return None
