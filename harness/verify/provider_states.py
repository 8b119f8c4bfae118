"""Provider states as data: `contracts/<provider>/states.yaml` says which calls bring a provider into each state.

    an order exists:
      - api: orders
        request: POST /v2/orders
        body: {lines: [{sku: chair-oak, quantity: 1}]}
        capture: {orderId: /id}

The calls go through the gateway like any other. What `capture` takes from an answer (JSON Pointer, RFC 6901) goes to
the verifier, whose `ProviderState` generators put it into the consumer's request.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests
import yaml

from harness.errors import HarnessError, InputError, Problem, did_you_mean

SessionFor = Callable[[str], requests.Session]
"""Answers a signing session for an API, by its name."""


class StateError(HarnessError):
    """A provider state could not be reached: unknown, or one of its calls was refused."""


@dataclass(frozen=True, slots=True)
class Step:
    """`capture`: name of a value -> JSON Pointer into the answer's body."""

    api: str
    method: str
    path: str
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    capture: Mapping[str, str] = field(default_factory=dict)


_KEYS = ("api", "request", "body", "headers", "capture")
_REQUEST = re.compile(r"[A-Z]+ /\S*")


def read_states(text: str, *, file: str) -> dict[str, tuple[Step, ...]]:
    """Raises `InputError` with every mistake."""
    try:
        document = yaml.safe_load(text) or {}
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise InputError([Problem(file, line, f"not YAML: {error.problem}")]) from error
    problems: list[Problem] = []
    states: dict[str, tuple[Step, ...]] = {}
    if not isinstance(document, dict):
        raise InputError([Problem(file, 0, "must map each state's name to a list of calls")])
    for name, entries in document.items():
        steps = []
        for entry in entries if isinstance(entries, list) else [entries]:
            problem = _mistake(entry)
            if problem:
                problems.append(Problem(file, 0, f'state "{name}": {problem}'))
                continue
            method, path = entry["request"].split(" ", 1)
            steps.append(
                Step(
                    entry["api"],
                    method,
                    path,
                    entry.get("body"),
                    entry.get("headers", {}),
                    entry.get("capture", {}),
                )
            )
        states[str(name)] = tuple(steps)
    if problems:
        raise InputError(problems)
    return states


def _mistake(entry: object) -> str:
    if not isinstance(entry, dict):
        return "each call is a mapping with `api` and `request`"
    for key in entry:
        if key not in _KEYS:
            return f'unknown key "{key}"{did_you_mean(str(key), _KEYS)}'
    if not isinstance(entry.get("api"), str):
        return "`api` must name the API to call"
    if not isinstance(entry.get("request"), str) or not _REQUEST.fullmatch(entry["request"]):
        return '`request` must be a method and a path, such as "POST /v2/orders"'
    if not all(isinstance(entry.get(key, {}), dict) for key in ("headers", "capture")):
        return "`headers` and `capture` are mappings"
    return ""


def reach(
    name: str,
    states: Mapping[str, tuple[Step, ...]],
    *,
    session_for: SessionFor,
    base_url: str,
    timeout_seconds: float = 30.0,
) -> dict[str, Any]:
    """Makes the calls of a state; answers the captured values. Raises `StateError`."""
    if name not in states:
        known = list(states)
        raise StateError(f'no provider state "{name}" in states.yaml{did_you_mean(name, known)}')
    captured: dict[str, Any] = {}
    for step in states[name]:
        response = session_for(step.api).request(
            step.method,
            base_url + step.path,
            json=step.body,
            headers=dict(step.headers),
            timeout=timeout_seconds,
            allow_redirects=False,
        )
        if not response.ok:
            answer = f"{response.status_code} {response.text[:500]}"
            raise StateError(f'state "{name}": {step.method} {step.path} of {step.api} answered {answer}')
        for value, pointer in step.capture.items():
            captured[value] = _at(pointer, response.json(), state=name)
    return captured


def _at(pointer: str, document: Any, *, state: str) -> Any:
    found = document
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(key)] if isinstance(found, list) else found[key]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise StateError(f'state "{state}": the answer has nothing at {pointer}') from error
    return found
