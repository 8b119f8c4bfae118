"""Consumers' expectations of an API: a pact file (specification 2 to 4) as one item an interaction.

Messages are no items: nothing asks a provider for them. `contracts.consumers` holds them against the event's schema.
"""

import json
from dataclasses import dataclass
from typing import Any

from harness.errors import InputError, Problem

_HTTP = "Synchronous/HTTP"


@dataclass(frozen=True, slots=True)
class Interaction:
    description: str
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pact:
    consumer: str
    provider: str
    interactions: tuple[Interaction, ...]


def read_pact(text: str, *, file: str) -> Pact:
    """Raises `InputError` when the text is no pact file."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError([Problem(file, error.lineno, f"not JSON: {error.msg}")]) from error
    try:
        return Pact(
            consumer=document["consumer"]["name"],
            provider=document["provider"]["name"],
            interactions=tuple(
                Interaction(entry["description"], _states(entry)) for entry in _entries(document) if _is_http(entry)
            ),
        )
    except (KeyError, TypeError) as error:
        text = f"not a pact file: {error} is missing (a pact has consumer.name, provider.name and interactions)"
        raise InputError([Problem(file, 0, text)]) from error


def _entries(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Version 3 has files of messages alone, under a name of their own."""
    if "messages" in document and "interactions" not in document:
        return []
    entries: list[dict[str, Any]] = document["interactions"]
    return entries


def _is_http(entry: dict[str, Any]) -> bool:
    return bool(entry.get("type", _HTTP) == _HTTP)


def _states(entry: dict[str, object]) -> tuple[str, ...]:
    """Version 2 has one `providerState`, later ones a list `providerStates`."""
    listed = entry.get("providerStates")
    if isinstance(listed, list):
        return tuple(state["name"] for state in listed)
    single = entry.get("providerState")
    return (single,) if isinstance(single, str) else ()
