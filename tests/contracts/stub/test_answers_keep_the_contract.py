"""Whatever is asked, in whatever order: every answer is one that the contract documents."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.stub.contracts import breaks, documents, provider, request

TARGETS = [
    pytest.param(name, version, id=f"{name} {version}")
    for name in ("orders", "stock", "library")
    for version in documents(name)
]
ODD = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
WORDS = ["lines", "sku", "quantity", "customerReference", "onHand", "title", "tags", "secret", "note", "id", "status"]
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2**70)
    | st.floats(allow_nan=False)
    | ODD
    | st.sampled_from(["a", "chair-oak"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | ODD, inner, max_size=4),
    max_leaves=8,
)
GOOD_BODIES = [
    {"lines": [{"sku": "chair-oak", "quantity": 2}], "customerReference": "basket 17"},
    {"lines": [{"sku": "a", "quantity": 1}, {"sku": "b", "quantity": 100}]},
    {"sku": "chair-oak", "quantity": 2},
    {"onHand": 0},
    {"onHand": 1_000_000_000},
    {"title": "Tales", "tags": [3]},
    {"secret": "s", "note": None},
]
QUERIES = st.dictionaries(
    st.sampled_from(
        ["limit", "cursor", "status", "tag", "sort", "available", "weight", "page_size", "page_token", "x"]
    ),
    st.sampled_from(["1", "2", "pending", "title", "true", "0.5", "AAAAAAAB", ""]) | ODD,
    max_size=2,
)
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "content-type": st.sampled_from(["application/json", "text/plain", "application/merge-patch+json", "x", ""]),
        "if-match": st.sampled_from(["*", '"v1"', '"v2"', "x"]),
        "if-none-match": st.sampled_from(["*", 'W/"1"', '"v1"']),
        "idempotency-key": st.sampled_from(["one", '"one"', "two", "?"]),
        "prefer": st.sampled_from(["code=404", "code=200", "code=201", "code=503", "code=abc", "example=none", ",=;"]),
    },
)
SEGMENTS = st.sampled_from(
    ["0195a5e4-8f7e-7c3a-9d52-6b1f0c2e4a10", "chair-oak", "table", "1", "3", "B-0001", "anna"]
) | ODD.filter(lambda text: text and "/" not in text)


@st.composite
def asked(draw: st.DrawFn, document: dict[str, Any], known: list[str]) -> tuple[str, str, str, bytes, dict[str, str]]:
    """Template, method, target below the version, body, headers. `known`: names that were given out before."""
    template = draw(st.sampled_from(list(document["paths"])))
    method = draw(st.sampled_from([key for key in document["paths"][template] if key != "parameters"]))
    segments = [
        quote(draw(st.sampled_from(known) | SEGMENTS if known else SEGMENTS), safe="") if part.startswith("{") else part
        for part in template.split("/")
    ]
    query = "&".join(f"{name}={quote(value)}" for name, value in draw(QUERIES).items())
    body = draw(st.sampled_from(GOOD_BODIES) | VALUES | st.none())
    raw = json.dumps(body).encode() if body is not None else draw(st.sampled_from([b"", b"{", b"null", b"\xff"]))
    return template, method, "/".join(segments) + (f"?{query}" if query else ""), raw, draw(HEADERS)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "version"), TARGETS)
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_answer_is_documented(name: str, version: str, data: st.DataObject) -> None:
    document = documents(name)[version]
    stub = provider(name)
    known: list[str] = []
    for _ in range(data.draw(st.integers(1, 6))):
        template, method, target, body, headers = data.draw(asked(document, known))

        answer = stub.answer(request(method.upper(), f"/{version}{target}", body, headers))

        trouble = breaks(name, version, template, method, answer)
        if trouble and answer.status in (400, 415, 422, 428):
            assert nothing_says_so(document, template, method), trouble
        else:
            assert not trouble, (method, target, headers, body, answer)
        places = [value.decode() for field, value in answer.headers if field == b"location"]
        known += [place.rpartition("/")[2] for place in places]


def nothing_says_so(document: dict[str, Any], template: str, method: str) -> bool:
    """Whether the contract has no answer for a request that breaks it: then there is only HTTP's."""
    responses = document["paths"][template][method]["responses"]
    return not {"400", "422", "4XX", "default"} & set(responses)
