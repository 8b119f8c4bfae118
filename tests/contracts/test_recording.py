"""What is recorded of a call: names that the contract has, and nothing that a caller sent."""

import copy
import itertools
import json
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contracts.recording import CallReader
from harness.contracts.schemas import Library
from harness.contracts.usage import Usage, merge, parse_usage, serialise
from harness.errors import InputError
from harness.wire import HttpRequest
from tests.contracts.lint.test_lint import mutate

CASES: dict[str, Any] = yaml.load((Path(__file__).parent / "cases/recording.yaml").read_text(), yaml.CSafeLoader)
ROOT = Path(__file__).resolve().parents[2]
DAY = date(2026, 1, 15)
ONCE = {"count": 1, "first": "2026-01-15", "last": "2026-01-15"}


def reader_of(text: str) -> CallReader:
    return CallReader("v2", Library("openapi.yaml", lambda name: text))


READER = reader_of(yaml.safe_dump(CASES["contract"]))


def used(request: HttpRequest, status: int = 200, reader: CallReader = READER) -> Usage | None:
    return reader.used(request, request.method, status, DAY)


def a_request(case: dict[str, Any]) -> HttpRequest:
    method, _, target = case["request"].partition(" ")
    path, _, query = target.partition("?")
    body = case.get("body", "")
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    headers = [(name.encode(), value.encode()) for name, value in case.get("headers", {}).items()]
    return HttpRequest(method, path.encode(), query.encode(), headers, raw)


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: case["name"])
def test_of_a_call_is_recorded(case: dict[str, Any]) -> None:
    found = used(a_request(case))

    if "path" not in case:
        assert found is None
        return
    assert found is not None
    text = serialise([found])
    line = json.loads(text)
    assert line == {
        "version": "v2",
        "method": case["request"].partition(" ")[0],
        "path": case["path"],
        "seen": ONCE,
        "parameters": {place: dict.fromkeys(names, ONCE) for place, names in case.get("parameters", {}).items()},
        "requestFields": dict.fromkeys(case.get("fields", []), ONCE),
        "responseFields": dict.fromkeys(case["response"], ONCE),
        "statuses": {"200": ONCE},
    }
    assert "s3cret" not in text
    assert parse_usage(text, file="x") == (found,)


# Longer than any name of the contract, so that it cannot be part of one by chance.
SECRET = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20).map(
    lambda text: f"zQ7{text}"
)
PLAIN = st.text(st.sampled_from("abcXYZ019-_."), min_size=1, max_size=12).map(lambda text: f"zQ7{text}")


def bodies(secret: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """JSON whose values are secret, and whose names are the contract's or secret too."""
    names = st.sampled_from(["lines", "sku", "customerReference", "quantity", "id", "tags", "gift"]) | secret
    return st.recursive(
        secret | st.integers() | st.none(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
        max_leaves=12,
    )


ORDERS = reader_of((ROOT / "contracts/orders/v2/openapi.yaml").read_text())


@pytest.mark.slow
@pytest.mark.parametrize("reader", [READER, ORDERS], ids=["a contract with maps", "orders v2"])
@settings(max_examples=120, deadline=None, derandomize=True)
@given(data=st.data())
def test_nothing_that_a_caller_sent_is_in_the_file(reader: CallReader, data: st.DataObject) -> None:
    secrets: list[str] = []

    def kept(text: str) -> str:
        secrets.append(text)
        return text

    secret, plain = SECRET.map(kept), PLAIN.map(kept)
    path = data.draw(st.sampled_from(["/v2/orders", "/v2/orders/{}", "/v2/files/{}/{}", "/v2/{}"]))
    names = st.sampled_from(["status", "fields", "limit", "filter[a]"]) | plain
    query = data.draw(st.lists(st.tuples(names, plain), max_size=4))
    headers = data.draw(
        st.lists(
            st.tuples(st.sampled_from(["prefer", "cookie", "idempotency-key", "authorization"]) | plain, plain),
            max_size=4,
        )
    )
    request = HttpRequest(
        data.draw(st.sampled_from(["GET", "POST", "PUT"])),
        path.format(data.draw(plain), data.draw(plain)).encode(),
        "&".join(f"{name}={value}" for name, value in query).encode(),
        [(name.encode(), value.encode()) for name, value in headers],
        json.dumps(data.draw(bodies(secret))).encode(),
        request_id=data.draw(plain),
        client_ip="192.0.2.1",
    )

    found = used(request, reader=reader)

    text = serialise([found] if found else [])
    assert "zQ7" not in text
    assert not any(json.dumps(secret)[1:-1] in text for secret in secrets)


def test_a_body_without_end_is_looked_at_within_bounds() -> None:
    deep: Any = {"leaf": 1}
    for _ in range(900):
        deep = {"left": deep}
    wide = {"lines": [{"sku": "a"}] * 100_000, "tree": deep}

    found = used(HttpRequest("POST", b"/v2/orders", b"", [], json.dumps(wide).encode()))

    assert found is not None
    assert max(len(path) for path in found.request_fields) == 24
    assert len(found.request_fields) < 40


@pytest.mark.parametrize("seed", range(3))
def test_a_broken_contract_is_read_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(40):
        document = copy.deepcopy(CASES["contract"])
        for _ in range(chance.randint(1, 3)):
            mutate(document, chance)
        try:
            reader = reader_of(yaml.safe_dump(document))
        except InputError as error:
            assert str(error).startswith("openapi.yaml")  # noqa: PT017 - being refused is an answer too
            continue
        for case in CASES["cases"]:
            used(a_request(case), reader=reader)


TREE = {
    "openapi": "3.1.0",
    "info": {"title": "trees", "version": "1.0.0"},
    "paths": {
        "/trees": {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Node"}}}},
                "responses": {"201": {"description": "made"}},
            }
        }
    },
    "components": {
        "schemas": {
            "Node": {
                "type": "object",
                "properties": {
                    "value": {"type": "string"},
                    "left": {"$ref": "#/components/schemas/Node"},
                    "right": {"allOf": [{"$ref": "#/components/schemas/Node"}]},
                },
            }
        }
    },
}


def a_branch(turns: str) -> Any:
    tree: dict[str, Any] = {"value": "s3cret"}
    for turn in turns:
        tree = {"left" if turn == "0" else "right": tree}
    return tree


def test_of_paths_without_end_a_bounded_number_is_kept_the_shortest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.contracts.usage.MOST_FIELDS", 20)
    monkeypatch.setattr("harness.contracts.recording.MOST_KNOWN", 50)
    reader = reader_of(yaml.safe_dump(TREE))
    calls = []
    for number in range(64):
        body = json.dumps(a_branch(f"{number:06b}")).encode()
        found = used(HttpRequest("POST", b"/v2/trees", b"", [], body), reader=reader)
        assert found is not None
        calls.append(found)

    for order in (calls, calls[::-1]):
        (merged,) = merge(order)
        assert len(merged.request_fields) == 20
        assert {path for path in merged.request_fields if len(path) < 4} == {
            tuple(steps) for length in (1, 2, 3) for steps in itertools.product(("left", "right"), repeat=length)
        }
    assert len(reader._operations["POST"]["/trees"]._body._names) <= 50


def test_a_status_that_is_none_makes_no_line_that_cannot_be_read() -> None:
    found = used(HttpRequest("POST", b"/v2/trees", b"", [], b"{}"), 999, reader_of(yaml.safe_dump(TREE)))

    assert found is not None
    assert parse_usage(serialise([found]), file="x") == (found,)
