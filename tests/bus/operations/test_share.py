"""An account that has used its share of the state: it makes nothing more, changes and deletes on, and stops nobody."""

from typing import Any

import pytest

from harness.bus.documents import SECRETS
from harness.storage.shares import ENTRY_BYTES
from tests.bus.operations.conftest import STOCK_ADMIN, Bench

PATTERN = '{"source": ["orders"]}'
BASIC = {"BasicAuthParameters": {"Username": "me", "Password": "p"}}
MAKING: dict[str, dict[str, Any]] = {
    "PutRule": {"Name": "new", "EventPattern": PATTERN},
    "CreateEventBus": {"Name": "new"},
    "CreateArchive": {
        "ArchiveName": "new",
        "EventSourceArn": "arn:aws:events:eu-west-1:111111111111:event-bus/enterprise",
    },
    "CreateConnection": {"Name": "new", "AuthorizationType": "BASIC", "AuthParameters": BASIC},
}
REFUSED = ("LimitExceededException", "The requested resource exceeds the maximum number allowed.")


@pytest.fixture
def full(bench: Bench) -> Bench:
    """With a rule of the account orders, which fills its share: to what a document costs at least there is no room."""
    bench.ask("PutRule", {"Name": "r", "EventPattern": PATTERN})
    bench.desk.replica.shares.bound = bench.desk.replica.shares.used()["111111111111"].bytes + ENTRY_BYTES // 2
    return bench


@pytest.mark.parametrize(("operation", "parameters"), MAKING.items(), ids=MAKING)
def test_it_makes_nothing_more(full: Bench, operation: str, parameters: dict[str, Any]) -> None:
    assert full.refusal(operation, parameters) == REFUSED


def test_a_connection_for_which_there_is_no_room_leaves_no_secret_behind(full: Bench) -> None:
    replica, refusals = full.desk.replica, 0
    for more in range(0, 4000, 50):
        replica.shares.bound = replica.shares.used()["111111111111"].bytes + more
        try:
            full.ask("CreateConnection", MAKING["CreateConnection"])
        except full.client().exceptions.LimitExceededException:
            refusals += 1
            assert replica.below(SECRETS) == []
        else:
            break
    assert refusals > 10
    assert len(replica.below(SECRETS)) == 1


def test_another_account_does_not_notice(full: Bench) -> None:
    assert "RuleArn" in full.ask("PutRule", {"Name": "r", "EventPattern": PATTERN}, STOCK_ADMIN)


def test_what_it_has_can_be_switched_off_and_deleted_and_then_there_is_room(full: Bench) -> None:
    full.ask("DisableRule", {"Name": "r"})
    full.ask("DeleteRule", {"Name": "r"})
    assert "RuleArn" in full.ask("PutRule", {"Name": "s", "EventPattern": PATTERN})
