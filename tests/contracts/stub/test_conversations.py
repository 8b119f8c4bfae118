"""What a provider made from its contract answers, conversation by conversation."""

import json
from string import Template
from typing import Any

import pytest
import yaml

from harness.wire import HttpResponse
from tests.contracts.stub.contracts import CASES, documents, provider, request

CONVERSATIONS = yaml.load((CASES / "conversations.yaml").read_text(), yaml.CSafeLoader)


@pytest.mark.parametrize("case", CONVERSATIONS, ids=lambda case: case["name"])
def test_conversation(case: dict[str, Any]) -> None:
    stub = provider(case["contract"])
    kept: dict[str, str] = {}
    for step in case["steps"]:
        method, _, target = Template(step["request"]).substitute(kept).partition(" ")
        headers = {name: Template(value).substitute(kept) for name, value in step.get("with", {}).items()}
        body = json.dumps(step["send"]).encode() if "send" in step else step.get("text", "").encode()

        answer = stub.answer(request(method, target, body, headers))

        assert answer.status == step["status"], (step["request"], answer)
        given = {name.decode(): value.decode() for name, value in answer.headers}
        for name, value in step.get("headers", {}).items():
            assert given[name] == Template(value).substitute(kept)
        if "body" in step:
            differs = missing(filled(step["body"], kept), json.loads(answer.body))
            assert not differs, (step["request"], differs, answer.body)
        assert step.get("text-is", answer.body.decode()) == answer.body.decode()
        for name, place in step.get("keep", {}).items():
            kept[name] = str(at(place, answer)) if place.startswith("/") else given[place]


def missing(wanted: Any, given: Any, place: str = "") -> str:
    """The first place where `given` does not say what is wanted; lists have as many entries."""
    if isinstance(wanted, dict):
        if not isinstance(given, dict):
            return place
        parts = (missing(value, given.get(name), f"{place}/{name}") for name, value in wanted.items())
        return next(filter(None, parts), "")
    if isinstance(wanted, list):
        if not isinstance(given, list) or len(given) != len(wanted):
            return f"{place}: {given}"
        pairs = enumerate(zip(wanted, given, strict=True))
        return next(filter(None, (missing(one, other, f"{place}/{at}") for at, (one, other) in pairs)), "")
    return "" if wanted == given else f"{place or '/'}: {given!r} is not {wanted!r}"


def filled(value: Any, kept: dict[str, str]) -> Any:
    filled_in: Any = json.loads(Template(json.dumps(value)).safe_substitute(kept))
    return filled_in


def at(pointer: str, answer: HttpResponse) -> Any:
    found = json.loads(answer.body)
    for part in pointer.split("/")[1:]:
        found = found[part]
    return found


@pytest.mark.parametrize("name", ["orders", "stock", "library"])
def test_the_same_seed_gives_the_same_answers(name: str) -> None:
    said = []
    for seed in (5, 5, 6):
        stub = provider(name, seed=seed)
        version = next(iter(documents(name)))
        made = []
        for path, item in documents(name)[version]["paths"].items():
            for method in ("post", "get"):
                if method in item:
                    target = path.replace("{shelf_id}", "1").replace("{book_id}", "B-0001").replace("{member}", "m")
                    made.append(stub.answer(request(method.upper(), f"/{version}{target}", BODIES.get(path, b""))))
        said.append(made)

    assert said[0] == said[1]
    assert said[0] != said[2] or name == "stock"  # nothing of stock's has to be made up


BODIES = {"/orders": b'{"sku": "a", "quantity": 1}', "/shelves/{shelf_id}/books": b'{"title": "T"}'}
