"""A contract that is broken anywhere makes a provider that answers, or is refused in a line; never a traceback."""

import copy
import random
from typing import Any

import pytest

from harness.contracts.stub import Provider
from harness.errors import InputError
from tests.contracts.lint.test_lint import mutate
from tests.contracts.stub.contracts import documents, request

ASKED = [
    ("GET", "/orders", b""),
    ("POST", "/orders", b'{"lines": [{"sku": "a", "quantity": 1}]}'),
    ("GET", "/orders/0195a5e4-8f7e-7c3a-9d52-6b1f0c2e4a10", b""),
    ("PUT", "/items/table", b'{"onHand": 3}'),
    ("GET", "/items?limit=1", b""),
    ("POST", "/shelves/1/books", b'{"title": "T"}'),
    ("GET", "/shelves/1/books?tag=1", b""),
    ("GET", "/members/anna", b""),
]


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", ["orders", "stock", "library"])
def test_a_broken_contract_is_served_or_refused(name: str, seed: int) -> None:
    chance = random.Random(f"{name} {seed}")
    version, whole = list(documents(name).items())[-1]
    served = 0
    for _ in range(40):
        document: Any = copy.deepcopy(whole)
        for _ in range(chance.randint(1, 3)):
            mutate(document, chance)
        try:
            provider = Provider({version: document})
        except InputError as error:
            assert str(error).startswith(version)  # noqa: PT017 - being refused is an answer too
            continue
        served += 1
        for method, target, body in ASKED:
            answer = provider.answer(request(method, f"/{version}{target}", body))
            assert 200 <= answer.status < 600

    assert served
