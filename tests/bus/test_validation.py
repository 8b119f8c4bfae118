"""Events that break their contracts: warned of, refused or put aside, and never quoted."""

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from harness.access import Authority
from harness.bus.api import EventsApi
from harness.bus.memory import MemoryStore
from harness.bus.model import Bus, Validation, ValidationMode
from harness.bus.put_events import Entry
from harness.bus.validation import GOOD, EventValidator
from harness.clock import utc_now
from harness.contracts.events import EventContract
from tests.access.landscape import ENDPOINT, ORDERS, REGION, a_directory, a_sealer, a_session
from tests.bus.cases import load
from tests.bus.desks import a_desk
from tests.bus.endpoint import Loop, serving
from tests.bus.test_api import OWNER, SESSION

SCHEMA = {
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "integer"},
        "card": {"type": "string", "pattern": "^[0-9]{4}$"},
        "lines": {"type": "array", "items": {"type": "object", "required": ["sku"]}},
        "a/b": {"type": "null"},
    },
}
CONTRACTS = {("orders", "Placed"): EventContract("orders", "Placed", json.dumps(SCHEMA), file="Placed.json")}
SECRET = "4111-1111"


def a_bus(name: str, mode: ValidationMode, *, strict: bool = False) -> Bus:
    aside = f"{name}-quarantine" if mode is ValidationMode.QUARANTINE else ""
    return Bus(REGION, ORDERS, name, validation=Validation(mode, strict, aside))


OFF = Bus(REGION, ORDERS, "off")
BUSES = {mode: a_bus(mode, mode) for mode in ValidationMode}
STRICT = a_bus("strict", ValidationMode.REJECT, strict=True)
ALL = [*BUSES.values(), STRICT]
ASIDE = Bus(REGION, ORDERS, "quarantine-quarantine")


def an_entry(detail: Any, *, source: str = "orders", detail_type: str = "Placed") -> Entry:
    return Entry(source, detail_type, detail, (), "x", datetime(2026, 1, 1, tzinfo=UTC), "")


@pytest.fixture
def validator() -> EventValidator:
    return EventValidator(ALL, CONTRACTS, quarantines=[ASIDE.arn])


@pytest.mark.parametrize("case", load("validation"))
def test_refusal(case: dict[str, Any], validator: EventValidator) -> None:
    entry = an_entry(case["detail"], source=case.get("source", "orders"), detail_type=case.get("type", "Placed"))
    bus = STRICT if case.get("strict") else BUSES[ValidationMode.REJECT]
    error = validator.check(bus.arn, entry, event_id="1").error
    assert (error and (error.code, error.message)) == (("InvalidArgument", case["says"]) if case["says"] else None)


BROKEN = an_entry({"card": SECRET})


@pytest.mark.parametrize("mode", ValidationMode)
def test_what_each_mode_does(mode: ValidationMode, validator: EventValidator, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        verdict = validator.check(BUSES[mode].arn, BROKEN, event_id="event-17")
    assert (verdict.error is not None) is (mode is ValidationMode.REJECT)
    assert verdict.aside == (
        f"arn:aws:events:{REGION}:{ORDERS}:event-bus/quarantine-quarantine" if mode is ValidationMode.QUARANTINE else ""
    )
    looked_at = mode is not ValidationMode.OFF
    assert sum(validator.counts.values()) == looked_at
    assert ("event-17" in caplog.text) is looked_at
    assert ("/card: pattern" in caplog.text) is looked_at


def test_a_good_event_passes_every_mode_in_silence(validator: EventValidator, caplog: pytest.LogCaptureFixture) -> None:
    for bus in ALL:
        assert validator.check(bus.arn, an_entry({"id": 1}), event_id="1") == GOOD
    assert validator.check("arn:aws:events:x:1:event-bus/unknown", BROKEN, event_id="1") == GOOD
    assert not validator.counts
    assert not caplog.records


def test_no_value_is_said_or_logged(validator: EventValidator, caplog: pytest.LogCaptureFixture) -> None:
    error = validator.check(STRICT.arn, BROKEN, event_id="1").error
    assert error is not None
    assert SECRET not in error.message + caplog.text


def test_names_of_fields_begin_no_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    open_ = {"additionalProperties": {"type": "null"}}
    contracts = {("orders", "Placed"): EventContract("orders", "Placed", json.dumps(open_), file="x")}
    validator = EventValidator(ALL, contracts)
    validator.check(BUSES[ValidationMode.WARN].arn, an_entry({"a\nERROR forged\x1b[31m": 1}), event_id="1")
    (record,) = caplog.records
    assert record.getMessage().isprintable()


def test_many_violations_are_cut(validator: EventValidator) -> None:
    entry = an_entry({"id": 1, "lines": [{}] * 500})
    error = validator.check(STRICT.arn, entry, event_id="1").error
    assert error is not None
    assert error.message.count(": required") == 10
    assert error.message.endswith("; …")


def test_a_detail_nested_too_deep_to_be_looked_at_breaks_its_contract(validator: EventValidator) -> None:
    deep: Any = 1
    for _ in range(998):
        deep = {"a": deep}
    error = validator.check(STRICT.arn, an_entry({"id": deep}), event_id="1").error
    assert error is not None
    assert "broken at /: nesting" in error.message


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def test_put_events_refuses_one_entry_and_puts_another_aside(loop: Loop, validator: EventValidator) -> None:
    store, sealer = MemoryStore(), a_sealer()
    loop.run(store.prepare([bus.arn for bus in (*ALL, ASIDE)]))
    authority = Authority(a_directory(OWNER), sealer)
    api = EventsApi(a_desk(authority, store, buses=[*ALL, ASIDE]), validator=validator)
    credentials = sealer.issue(a_session(OWNER, now=utc_now().replace(microsecond=0)))
    bad, good = json.dumps({"card": SECRET}), json.dumps({"id": 1})

    def entry(detail: str, bus: str) -> dict[str, str]:
        return {"Source": "orders", "DetailType": "Placed", "Detail": detail, "EventBusName": bus}

    with serving(api, ENDPOINT, loop) as url:
        client = SESSION.client(
            "events",
            region_name=REGION,
            endpoint_url=url,
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
        )
        answer = client.put_events(
            Entries=[
                entry(bad, "reject"),
                entry(good, "reject"),
                entry(bad, "quarantine"),
                entry(bad, "warn"),
                entry(bad, "quarantine-quarantine"),
            ]
        )

    refused = ["ErrorCode", "ErrorMessage"]
    assert [sorted(each) for each in answer["Entries"]] == [refused, *[["EventId"]] * 3, refused]
    assert "It is a quarantine" in answer["Entries"][4]["ErrorMessage"]

    def stored(name: str) -> list[str]:
        held = loop.run(store.pull_events(Bus(REGION, ORDERS, name).arn, 10, 0.01))
        return [json.loads(item.body)["id"] for item in held]

    ids = [each.get("EventId") for each in answer["Entries"]]
    assert stored("reject") == [ids[1]]
    assert stored("quarantine") == []
    assert stored("warn") == [ids[3]]
    assert stored("quarantine-quarantine") == [ids[2]]
