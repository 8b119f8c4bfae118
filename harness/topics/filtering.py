"""Filter policies: which messages a subscription gets. The patterns themselves are EventBridge's.

Source: Amazon SNS Developer Guide, "Amazon SNS subscription filter policies".
"""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from math import prod
from typing import Any

from harness.topics.model import Publication, Subscription

MOST_KEYS = 5
MOST_COMBINATIONS = 150

Matches = Callable[[Mapping[str, Any]], bool]
Compile = Callable[[Mapping[str, Any]], "Matches | str"]
"""From a pattern to what it matches, or why it is none."""


def filter_fault(text: str, *, of_body: bool, compile: Compile) -> str | None:
    """AWS's sentence about a filter policy; None when it is one. An empty object takes everything."""
    try:
        policy = json.loads(text)
        json.dumps(policy, ensure_ascii=False).encode()  # escapes of half a character spell no text
    except (ValueError, RecursionError):
        return "FilterPolicy: failed to parse JSON."
    if not isinstance(policy, dict):
        return "FilterPolicy: Filter policy must be a JSON object."
    if not policy:
        return None
    counts = _alternatives(policy)
    if len(counts) > MOST_KEYS:
        return f"FilterPolicy: Filter policy can not have more than {MOST_KEYS} keys"
    if prod(counts) > MOST_COMBINATIONS:
        return f"FilterPolicy: Filter policy is too complex: {prod(counts)} combinations, at most {MOST_COMBINATIONS}"
    if not of_body and any(isinstance(value, dict) for name, value in policy.items() if name != "$or"):
        return "FilterPolicy: Filter policy scope MessageAttributes does not support nested filter policy"
    compiled = compile(policy)
    return f"FilterPolicy: {compiled}" if isinstance(compiled, str) else None


def _alternatives(policy: Mapping[str, Any]) -> list[int]:
    """How many values each key has, nested ones too."""
    counts: list[int] = []
    for value in policy.values():
        for item in value if isinstance(value, list) and all(isinstance(each, dict) for each in value) else [value]:
            if isinstance(item, dict) and not isinstance(value, list):
                counts += _alternatives(item)
        if isinstance(value, list):
            counts.append(max(1, len(value)))
    return counts


def wants(subscription: Subscription, publication: Publication, compile: Compile) -> bool:
    policy = subscription.filter
    if not policy:
        return True
    matches = compile(policy)
    if isinstance(matches, str):
        return False  # it was accepted before, so this cannot be; and what cannot be decided is not sent
    if not subscription.of_body:
        return matches({name: _value(each.type, each.value) for name, each in publication.attributes.items()})
    try:
        body = json.loads(publication.text(subscription.protocol))
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and matches(body)


def _value(kind: str, text: str) -> Any:
    if kind.startswith("Number"):
        return _number(text)
    if kind == "String.Array":
        try:
            items = json.loads(text)
        except (ValueError, RecursionError):
            return text
        return items if isinstance(items, list) else text
    return text


def _number(text: str) -> Any:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return int(number) if number == number.to_integral_value() and abs(number) < 2**53 else float(number)
