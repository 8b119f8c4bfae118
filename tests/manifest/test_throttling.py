"""What `throttle` and `timeout-seconds` are read as, and what the gateway is told."""

import pytest

from harness.gateway.limits import Limit, Per, Quota, Throttling, UsagePlan
from harness.local.edge_process import apis
from harness.manifest import Landscape, load
from tests.manifest import landscape

API = """api:
  timeout-seconds: 2.5
  throttle:
    rate: 0.5
    burst: 10
    methods:
      GET /things/{thing_id}: {rate: 1, burst: 2}
    callers:
      tester:
        quota: {limit: 1000, per: week}
        methods:
          GET /things/{thing_id}: {rate: 3, burst: 4}
      orders/orders-service: {rate: 5, burst: 6}
      "*": {rate: 7, burst: 8}
"""
OPERATION = "GET /things/{thing_id}"
OF_API = Throttling(
    Limit(0.5, 10),
    {OPERATION: Limit(1, 2)},
    {
        "arn:aws:iam::333333333333:role/quality/tester": UsagePlan(
            None, Quota(1000, Per.WEEK), {OPERATION: Limit(3, 4)}
        ),
        "arn:aws:iam::011111111111:role/orders-service": UsagePlan(Limit(5, 6)),
        "*": UsagePlan(Limit(7, 8)),
    },
)


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Landscape:
    folder = tmp_path_factory.mktemp("landscape")
    harness_yaml = landscape.copy(folder)
    landscape.edit(
        folder,
        {
            "domains/orders/domain.yaml": {
                "api:\n": API,
                "      sunset: 2027-06-30\n": "      sunset: 2027-06-30\n      throttle: {rate: 9, burst: 1}\n",
            },
            "harness.yaml": {
                '    id: "011111111111"\n': '    id: "011111111111"\n    throttle: {rate: 10, burst: 11}\n'
            },
        },
    )
    return load(harness_yaml)


def test_limits_plans_and_quotas_are_read(limited: Landscape) -> None:
    api = limited.apis()["orders"]
    assert api.throttling == OF_API
    assert api.timeout_seconds == 2.5
    assert api.versions["v1"].throttling == Throttling(Limit(9, 1))
    assert api.versions["v2"].throttling == Throttling()
    assert limited.accounts["orders"].throttle == Limit(10, 11)


def test_the_gateway_is_told_of_them(limited: Landscape) -> None:
    told = apis(limited, {"orders": "http://127.0.0.1:1", "stock": "http://127.0.0.1:2"})
    orders, stock = told["orders"], told["stock"]
    assert orders.throttling == OF_API
    assert orders.stages["v1"].throttling == Throttling(Limit(9, 1))
    assert (orders.timeout, orders.account_limit) == (2.5, Limit(10, 11))
    assert (stock.timeout, stock.limited) == (29.0, False)
