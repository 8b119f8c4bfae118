"""Which of many requests pass: sequences of calls as data, and what memory they leave behind."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from harness.gateway.api import Api, Stage
from harness.gateway.limits import UNLIMITED, Limit, Per, Quota, Throttling, UsagePlan
from harness.gateway.refusals import Condition
from harness.gateway.routes import RouteTable
from harness.gateway.throttle import Throttle, period_end, throttle_for
from tests.access.landscape import NOON
from tests.gateway.landscape import CONTRACT, RESOURCE_POLICY

CASES = json.loads((Path(__file__).parent / "cases" / "throttle.json").read_text())
CALL = re.compile(
    r"(?P<at>\S+) (?P<caller>\S+) (?P<stage>v\d) (?P<method>[A-Z]+) (?P<path>/[^\s:]*)( x(?P<times>\d+))?"
)
ROUTES = {name: RouteTable.from_openapi(CONTRACT) for name in ("v1", "v2")}
START = NOON.timestamp()


def throttling(written: dict[str, Any]) -> Throttling:
    def plan(of: dict[str, Any]) -> UsagePlan:
        quota = Quota(of["quota"][0], Per(of["quota"][1])) if "quota" in of else None
        return UsagePlan(Limit(*of["limit"]) if "limit" in of else None, quota, methods(of))

    def methods(of: dict[str, Any]) -> dict[str, Limit]:
        return {name: Limit(*limit) for name, limit in of.get("methods", {}).items()}

    plans = {name: plan(of) for name, of in written.get("plans", {}).items()}
    return Throttling(Limit(*written["limit"]) if "limit" in written else None, methods(written), plans)


def an_api(case: dict[str, Any]) -> Api:
    stages = case.get("stages", {})
    return Api(
        "orders",
        "111111111111",
        RESOURCE_POLICY,
        {name: Stage(name, routes, throttling(stages.get(name, {}))) for name, routes in ROUTES.items()},
        "http://127.0.0.1:1",
        throttling=throttling(case.get("api", {})),
        account_limit=Limit(*case["account"]) if "account" in case else None,
    )


def outcomes(throttle: Throttle, api: Api, call: str) -> list[str]:
    read = CALL.fullmatch(call)
    assert read, call
    stage = api.stages[read["stage"]]
    route = stage.routes.match(read["method"], read["path"])
    assert route, call
    found = []
    for _ in range(int(read["times"] or 1)):
        exceeded = throttle.take(api, stage, route, read["caller"], START + float(read["at"]))
        assert exceeded is None or (exceeded.condition is Condition.QUOTA_EXCEEDED) == ("quota" in exceeded.what)
        found.append(f"over {exceeded.what}" if exceeded else "passes")
    return found


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_requests_are_counted(case: dict[str, Any]) -> None:
    api, throttle = an_api(case), Throttle()
    told = [call.rpartition(": ") for call in case["calls"]]
    got = [(call, sorted(set(outcomes(throttle, api, call)))) for call, _, _ in told]
    assert got == [(call, [outcome]) for call, _, outcome in told]


@pytest.mark.parametrize(
    ("per", "at", "ends"),
    [
        ("day", "2026-01-15T00:00:00+00:00", "2026-01-16T00:00:00+00:00"),
        ("day", "2026-01-15T23:59:59+00:00", "2026-01-16T00:00:00+00:00"),
        ("week", "2026-01-17T23:59:59+00:00", "2026-01-18T00:00:00+00:00"),
        ("week", "2026-01-18T00:00:00+00:00", "2026-01-25T00:00:00+00:00"),
        ("month", "2026-01-31T23:59:59+00:00", "2026-02-01T00:00:00+00:00"),
        ("month", "2026-12-01T00:00:00+00:00", "2027-01-01T00:00:00+00:00"),
        ("month", "2028-02-29T12:00:00+00:00", "2028-03-01T00:00:00+00:00"),
    ],
)
def test_a_period_ends_by_the_calendar(per: str, at: str, ends: str) -> None:
    assert period_end(Per(per), datetime.fromisoformat(at).timestamp()) == datetime.fromisoformat(ends).timestamp()


def test_callers_whose_buckets_are_full_again_are_forgotten() -> None:
    api, throttle = an_api({"api": {"plans": {"*": {"limit": [1, 2]}}}}), Throttle(most_plans=100)
    for number in range(1000):
        outcomes(throttle, api, f"{number} role{number} v2 GET /orders")
    assert len(throttle) <= 100


def test_a_caller_that_is_still_limited_is_not_forgotten_for_those_that_are_idle() -> None:
    api, throttle = (
        an_api({"api": {"plans": {"*": {"limit": [0.001, 1], "quota": [5, "day"]}}}}),
        Throttle(most_plans=100),
    )
    outcomes(throttle, api, "0 busy v2 GET /orders")
    assert len(throttle) == 1
    patient = an_api({"api": {"plans": {"*": {"limit": [1000, 1]}}}})
    for number in range(1000):
        outcomes(throttle, patient, f"{number} role{number} v1 GET /orders")
    assert outcomes(throttle, api, "999 busy v2 GET /orders") == ["over the caller's limit"]


def test_there_are_never_more_callers_than_may_be_though_none_is_idle() -> None:
    api, throttle = an_api({"api": {"plans": {"*": {"limit": [0.001, 1]}}}}), Throttle(most_plans=100)
    for number in range(1000):
        assert outcomes(throttle, api, f"0 role{number} v2 GET /orders") == ["passes"]
        assert len(throttle) <= 100
    assert outcomes(throttle, api, "0 role999 v2 GET /orders") == ["over the caller's limit"]


@pytest.mark.parametrize(
    ("case", "limited"),
    [
        pytest.param({}, False, id="nothing"),
        pytest.param({"account": [1, 1]}, True, id="the account"),
        pytest.param({"api": {"limit": [1, 1]}}, True, id="the API"),
        pytest.param({"stages": {"v1": {"plans": {"*": {}}}}}, True, id="a plan of a version"),
    ],
)
def test_nothing_is_counted_where_nothing_is_limited(case: dict[str, Any], limited: bool) -> None:
    assert (throttle_for({"orders": an_api(case)}) is not None) is limited


def test_no_settings_are_the_settings_of_an_api_that_says_none() -> None:
    assert an_api({}).throttling == UNLIMITED
