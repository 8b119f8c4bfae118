"""Cases that are conversations with an endpoint: operations one after the other, what they give, what is kept of it."""

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from tests.queues.endpoint import contains, dig, filled

PATIENCE_SECONDS = 60

Caller = Callable[[str, str], Any]
"""The SDK's client for a role and an operation."""


def conversations(folder: Path, *files: str) -> list[Any]:
    found = []
    for file in files:
        for case in yaml.load((folder / file).read_text(), yaml.CSafeLoader):
            found.append(pytest.param(case["steps"], id=case["name"]))
    return found


def hold(steps: list[Mapping[str, Any]], client: Caller, names: dict[str, Any]) -> None:
    """`names` stand for `$name`. A step has an operation and maybe `as`, `gives` or `error`, `save`, `soon`."""
    for number, step in enumerate(steps, start=1):
        [operation] = [key for key in step if key[0].isupper()]
        call = getattr(client(step.get("as", "owner"), operation), _snake(operation))
        wanted = filled(step.get("gives", {}), names)
        if "error" in step:
            wanted = {"Error": filled(step["error"], names)}
        deadline = time.monotonic() + (PATIENCE_SECONDS if "soon" in step else 0)
        while True:
            try:
                found = call(**filled(step[operation] or {}, names))
            except ClientError as error:
                found = error.response
            found.pop("ResponseMetadata")
            as_wanted = ("Error" in found) == ("error" in step) and contains(found, wanted)
            if as_wanted or time.monotonic() > deadline:
                break
        assert as_wanted, f"step {number}, {operation}:\n  found  {found}\n  wanted {wanted}"
        for name, path in step.get("save", {}).items():
            names[name] = dig(found, path)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
