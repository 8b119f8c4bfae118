"""Calls to other domains: repeated while nobody answers, and not without end."""

from collections.abc import Callable

import httpx2
import pytest

from kit.client import ATTEMPTS, ApiClient, ProviderUnavailable


def client_of(answer: Callable[[httpx2.Request], httpx2.Response], pauses: list[float]) -> ApiClient:
    return ApiClient("http://stock.test", httpx2.Auth(), transport=httpx2.MockTransport(answer), pause=pauses.append)


@pytest.mark.parametrize("status", [200, 304, 400, 403, 404])
def test_an_answer_is_an_answer(status: int) -> None:
    pauses: list[float] = []
    assert client_of(lambda _: httpx2.Response(status), pauses).get("/v1/items/x").status_code == status
    assert pauses == []


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_provider_that_is_away_is_asked_again(status: int) -> None:
    pauses: list[float] = []
    answers = iter([httpx2.Response(status), httpx2.Response(status), httpx2.Response(200)])
    assert client_of(lambda _: next(answers), pauses).get("/v1/items/x").status_code == 200
    assert len(pauses) == 2
    assert pauses[0] < 0.2


def test_a_provider_that_stays_away_is_given_up() -> None:
    pauses: list[float] = []

    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("refused", request=request)

    with pytest.raises(ProviderUnavailable, match="ConnectError"):
        client_of(refuse, pauses).get("/v1/items/x")
    assert len(pauses) == ATTEMPTS - 1
    assert sum(pauses) < 4
