"""What became of an event, told from its notes."""

from typing import Any

import pytest

from harness.bus.model import Rule, Target
from harness.bus.patterns.pattern import compile_pattern
from harness.bus.trace.story import links, story
from harness.bus.trace.text import text
from harness.wire import bus_arn, function_arn, queue_arn

BUS = bus_arn("eu-west-1", "333333333333", "enterprise")
STOCK = Target("domain", function_arn("eu-west-1", "222222222222", "stock"))
PLACED = Rule("placed", BUS, "333333333333", compile_pattern({"detail-type": ["OrderPlaced.v1"]}), (STOCK,))
DEAD = queue_arn("eu-west-1", "222222222222", "stock-undelivered")
AT = "2026-01-15T12:00:00+00:00"


def an_event(id_: str = "e-1", kind: str = "OrderPlaced.v1", **metadata: str) -> dict[str, Any]:
    return {
        "version": "0",
        "id": id_,
        "detail-type": kind,
        "source": "acme.orders",
        "account": "111111111111",
        "time": "2026-01-15T12:00:00Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": {"metadata": metadata},
    }


def matched(*rules: Rule) -> dict[str, Any]:
    return {"event": "e-1", "step": "matched", "bus": BUS, "rules": [rule.arn for rule in rules], "at": AT}


def attempt(number: int, **more: Any) -> dict[str, Any]:
    step = {"event": "e-1", "step": "attempt", "at": AT, "rule": PLACED.arn, "target": "domain", "arn": STOCK.arn}
    return {**step, "number": number, "ms": 1.5, **more}


FAILED = {"code": "ERROR_FROM_TARGET", "message": "stock answered 500"}


def given_up(**more: str) -> dict[str, Any]:
    step = {"event": "e-1", "step": "given-up", "at": AT, "rule": PLACED.arn, "target": "domain", "arn": STOCK.arn}
    return {**step, "code": "ERROR_FROM_TARGET", "queue": "", "reason": "", **more}


def told(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"bus": BUS, "steps": steps, "rules": [PLACED], **more}
    return story("e-1", given.pop("event", an_event()), **given)


@pytest.mark.parametrize(
    ("steps", "outcome"),
    [
        pytest.param([matched(PLACED)], "waiting", id="no attempt was noted"),
        pytest.param([matched(PLACED), attempt(1)], "delivered", id="the attempt was taken"),
        pytest.param([matched(PLACED), attempt(1, **FAILED, next=AT)], "retrying", id="another attempt is due"),
        pytest.param([matched(PLACED), attempt(1, **FAILED, next=AT), attempt(2)], "delivered", id="a retry was taken"),
        pytest.param(
            [matched(PLACED), attempt(1, **FAILED)], "failed", id="the last attempt failed, no end is noted yet"
        ),
        pytest.param([matched(PLACED), attempt(1, **FAILED), given_up()], "dropped", id="given up without a queue"),
        pytest.param(
            [matched(PLACED), attempt(1, **FAILED), given_up(queue=DEAD)], "dead-lettered", id="a dead letter"
        ),
        pytest.param(
            [matched(PLACED), attempt(1, **FAILED), given_up(queue=DEAD, reason="no such queue")],
            "set aside",
            id="the dead-letter queue did not take it",
        ),
    ],
)
def test_a_delivery_has_the_outcome_of_its_last_step(steps: list[dict[str, Any]], outcome: str) -> None:
    (delivery,) = told(*steps)["deliveries"]
    assert delivery["outcome"] == outcome


def test_each_attempt_is_told_in_order() -> None:
    (delivery,) = told(matched(PLACED), attempt(1, **FAILED, next=AT), attempt(2))["deliveries"]
    assert [(each["number"], each.get("code")) for each in delivery["attempts"]] == [
        (1, "ERROR_FROM_TARGET"),
        (2, None),
    ]


@pytest.mark.parametrize(
    ("rule", "steps", "why"),
    [
        pytest.param(
            {"source": ["acme.stock"]}, [matched()], 'source is "acme.orders"; wanted "acme.stock"', id="differs"
        ),
        pytest.param({"source": ["acme.orders"]}, [matched()], "made or changed after the event", id="would match now"),
        pytest.param({"source": ["acme.orders"]}, [], "made or changed after the event", id="not matched yet"),
    ],
)
def test_a_rule_that_did_not_match_says_why(rule: object, steps: list[dict[str, Any]], why: str) -> None:
    other = Rule("other", BUS, "333333333333", compile_pattern(rule))
    (row,) = told(*steps, rules=[other])["rules"]
    assert (row["matched"], why in row["why"]) == (False if steps else None, True)


def test_a_disabled_rule_says_so() -> None:
    other = Rule("other", BUS, "333333333333", compile_pattern({"source": ["acme.orders"]}), enabled=False)
    assert [row["why"] for row in told(matched(), rules=[other])["rules"]] == ["is disabled"]


def test_a_rule_that_matched_and_is_gone_is_told() -> None:
    (row,) = told(matched(PLACED), rules=[])["rules"]
    assert (row["rule"], row["matched"], row["why"]) == ("placed", True, "is gone now")


def test_an_event_that_its_bus_forgot_is_told_from_its_notes() -> None:
    answer = told(matched(PLACED), attempt(1), event=None)
    assert (answer["event"], answer["deliveries"][0]["outcome"]) == (None, "delivered")
    assert "no longer kept" in text(answer)


@pytest.mark.parametrize(
    ("mine", "theirs", "relation"),
    [
        pytest.param(
            {"eventId": "a", "correlationId": "c"},
            {"eventId": "b", "correlationId": "c", "causationId": "a"},
            "follows from this one",
            id="an effect",
        ),
        pytest.param(
            {"eventId": "b", "correlationId": "c", "causationId": "a"},
            {"eventId": "a", "correlationId": "c"},
            "led to this one",
            id="the cause",
        ),
        pytest.param({"correlationId": "c"}, {"correlationId": "c"}, "same correlation id", id="neither"),
    ],
)
def test_related_events_say_how(mine: dict[str, str], theirs: dict[str, str], relation: str) -> None:
    answer = told(event=an_event(**mine), related=[(BUS, an_event("e-2", "StockReserved.v1", **theirs))])
    assert [(each["id"], each["relation"]) for each in answer["related"]] == [("e-2", relation)]


@pytest.mark.parametrize(
    "detail",
    [
        pytest.param({"metadata": {"correlationId": "c"}}, id="in the metadata"),
        pytest.param({"correlation_id": "c"}, id="in the detail, with an underscore"),
        pytest.param({"metadata": "text", "correlationId": "c"}, id="beside metadata that are none"),
    ],
)
def test_a_correlation_id_is_found(detail: dict[str, Any]) -> None:
    assert links({**an_event(), "detail": detail}).correlation == "c"


def test_the_text_reads_from_the_top_down() -> None:
    answer = told(
        matched(PLACED),
        attempt(1, **FAILED, next="2026-01-15T12:00:01+00:00"),
        attempt(2, **FAILED),
        given_up(queue=DEAD),
    )
    assert text(answer).splitlines() == [
        "acme.orders OrderPlaced.v1 e-1",
        "├─ accepted 2026-01-15T12:00:00Z by the bus enterprise, from account 111111111111",
        "├─ matched 2026-01-15T12:00:00+00:00: 1 of 1 rule",
        "│  └─ ✓ placed",
        "└─ ✗ placed → function:stock: dead-lettered",
        "   ├─ attempt 1 2026-01-15T12:00:00+00:00 (1.5 ms) ERROR_FROM_TARGET: stock answered 500;"
        " next at 2026-01-15T12:00:01+00:00",
        "   ├─ attempt 2 2026-01-15T12:00:00+00:00 (1.5 ms) ERROR_FROM_TARGET: stock answered 500",
        "   └─ dead-letter queue stock-undelivered",
    ]


def test_many_attempts_are_shown_by_their_first_and_last() -> None:
    attempts = [attempt(number, **FAILED, next=AT) for number in range(1, 100)]
    shown = [line for line in text(told(matched(PLACED), *attempts)).splitlines() if "attempt" in line]
    assert [line.split("attempt")[1].split()[0] for line in shown if "more" not in line] == ["1", "2", "3", "98", "99"]
    assert "94 more attempts" in shown[3]


def test_the_text_of_others_cannot_steer_the_terminal() -> None:
    answer = told(matched(PLACED), attempt(1, code="ERROR_FROM_TARGET", message="\x1b[2J\rgone"))
    assert "\\x1b[2J\\x0dgone" in text(answer)
