"""Under which name a caller is recorded."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from harness import manifest
from harness.identity import Credentials, Sealer, start_session
from harness.local.consumers import Consumers, consumer_names
from harness.sigv4 import sign
from harness.wire import HttpRequest

NOON = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
SEALER = Sealer(bytes(32))


def test_a_role_that_a_domain_runs_as_is_the_domain_and_another_is_itself(landscape: manifest.Landscape) -> None:
    names = consumer_names(landscape)

    assert {
        landscape.role(role).name: names[landscape.role(role).arn] for role in ("orders-service", "storefront")
    } == {
        "orders-service": "orders",
        "storefront": "storefront",
    }


def test_two_roles_of_one_name_are_told_apart_by_their_accounts(landscape: manifest.Landscape) -> None:
    storefront = landscape.role("storefront")
    other = replace(storefront, account="555555555555")
    domain_like = replace(storefront, name="orders")
    roles = {**landscape.roles, other.arn: other, domain_like.arn: domain_like}

    names = consumer_names(replace(landscape, roles=roles))

    assert names[storefront.arn] == "storefront.storefront"
    assert names[other.arn] == "backoffice.storefront"
    assert names[domain_like.arn] == "storefront.orders"
    assert len(set(names.values())) == len(names)


def signed(credentials: Credentials) -> HttpRequest:
    headers = [(b"host", b"localhost")]
    request = HttpRequest("GET", b"/v2/orders", b"", headers, b"")
    added = sign(
        request,
        access_key_id=credentials.access_key_id,
        secret=credentials.secret_access_key,
        session_token=credentials.session_token,
        region="eu-west-1",
        service="execute-api",
        now=NOON,
    )
    return replace(request, headers=[*headers, *added])


@pytest.mark.parametrize("times", [1, 2])
def test_the_sender_is_told_by_the_sealed_session(landscape: manifest.Landscape, times: int) -> None:
    consumers = Consumers(consumer_names(landscape), SEALER)
    session = start_session(landscape.role("orders-service"), "anything", now=NOON, seconds=900)
    request = signed(SEALER.issue(session))

    assert [consumers.of(request) for _ in range(times)] == ["orders"] * times


def test_nobody_is_named_without_a_session_of_the_landscape(landscape: manifest.Landscape) -> None:
    consumers = Consumers(consumer_names(landscape), SEALER)
    session = start_session(landscape.role("storefront"), "anything", now=NOON, seconds=900)
    stranger = signed(Sealer(bytes([1] * 32)).issue(session))

    assert consumers.of(stranger) == ""
    assert consumers.of(HttpRequest("GET", b"/v2/orders", b"", [], b"")) == ""
