"""`harness events put` and `harness events tail`."""

import json

import pytest

from tests.cli.conftest import Run
from tests.local.edge import Edge

PUT = ["events", "put", "--as", "stock-service", "--source", "acme.stock", "--detail-type", "StockCounted.v1"]
EVENT = {
    "version": "0",
    "id": "e-1",
    "detail-type": "StockCounted.v1",
    "source": "acme.stock",
    "time": "2026-01-15T12:00:00Z",
    "detail": {"name": "é"},
}


def detail_sent(edge: Edge) -> str:
    entry = json.loads(edge.requests[0][2])["Entries"][0]
    assert isinstance(entry["Detail"], str)
    return entry["Detail"]


class TestPut:
    def test_prints_the_id(self, run: Run, running: Edge) -> None:
        running.body = b'{"FailedEntryCount": 0, "Entries": [{"EventId": "e-1"}]}'

        done = run(*PUT, "--detail", '{"a": 1}')

        assert (done.code, json.loads(done.out)) == (0, {"EventId": "e-1"})
        assert detail_sent(running) == '{"a": 1}'

    def test_reads_the_detail_from_standard_input(self, run: Run, running: Edge) -> None:
        running.body = b'{"FailedEntryCount": 0, "Entries": [{"EventId": "e-1"}]}'

        run(*PUT, "--detail", "-", stdin='{"a": "é"}'.encode())

        assert json.loads(detail_sent(running)) == {"a": "é"}

    @pytest.mark.parametrize(
        ("status", "answer"),
        [
            (200, {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "MalformedDetail", "ErrorMessage": "no"}]}),
            (400, {"__type": "AccessDeniedException", "message": "no"}),
        ],
    )
    def test_that_is_refused_prints_why(self, status: int, answer: dict[str, object], run: Run, running: Edge) -> None:
        running.status, running.body = status, json.dumps(answer).encode()

        done = run(*PUT, "--detail", "3")

        assert done.code == 1
        assert "no" in json.loads(done.out).values()


class TestTail:
    def test_prints_two_lines_an_event(self, run: Run, running: Edge) -> None:
        running.body = json.dumps(EVENT).encode() + b"\n"

        done = run("events", "tail", "--from-start", "--count", "1")

        assert done.out == '2026-01-15T12:00:00Z acme.stock StockCounted.v1 e-1\n  {"name": "é"}\n'

    def test_prints_a_line_of_json_an_event_for_programs(self, run: Run, running: Edge) -> None:
        running.body = json.dumps(EVENT).encode() + b"\n"

        done = run("events", "tail", "--json", "--count", "1")

        assert json.loads(done.out) == EVENT
        assert done.out.count("\n") == 1

    def test_asks_for_what_the_options_say(self, run: Run, running: Edge) -> None:
        running.body = json.dumps(EVENT).encode() + b"\n"

        run("events", "tail", "--count", "1", "--pattern", '{"source": ["a"]}', "--bus", "enterprise")

        (target,) = [path for path, _, _ in running.requests]
        assert "from=now" in target
        assert "follow=1" in target
        assert "pattern=%7B%22source%22" in target

    def test_of_a_bad_pattern_is_misuse(self, run: Run, running: Edge) -> None:
        running.status, running.body = 400, b'{"message": "unknown matcher \\"prefx\\""}'

        done = run("events", "tail", "--pattern", '{"source": [{"prefx": "a"}]}')

        assert done.code == 2
        assert done.err == '--pattern: unknown matcher "prefx"\n'

    def test_that_the_landscapes_end_breaks_off_is_told_in_one_line(self, run: Run, running: Edge) -> None:
        running.body, running.broken = json.dumps(EVENT).encode() + b"\n", True

        done = run("events", "tail", "--json")

        assert json.loads(done.out) == EVENT
        assert done.code == 1
        assert "ended in the middle of its answer" in done.err
        assert done.err.count("\n") == 1


PLACE = {"kind": "bus", "name": "arn:b", "messages": 2, "bytes": 50, "bound": 100, "full": 0.5}
SHARE = {"account": "111111111111", "documents": 3, "bytes": 1234, "bound": 4936, "full": 0.25}


class TestStorage:
    def test_shows_each_place_and_each_accounts_share(self, run: Run, running: Edge) -> None:
        told = {"bytes": 50, "bound": 100, "kept": [PLACE], "accounts": [SHARE]}
        running.body = json.dumps(told).encode()

        done = run("events", "storage")

        assert [" ".join(line.split()) for line in done.out.splitlines()] == [
            "50.0% 50 B 2 bus arn:b",
            "25.0% 1,234 B 3 state of account 111111111111, and of its share",
            "50 B together; at most 100 B",
        ]
        assert json.loads(run("events", "storage", "--json").out) == told
