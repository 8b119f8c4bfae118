"""Notes of calls become usage in files: nothing waits for it, nothing grows without bound, nothing is lost silently."""

import logging
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from harness import manifest
from harness.contracts.usage import Call, Usage, parse_usage, used_once
from harness.errors import InputError
from harness.local import usage_recorder
from harness.local.usage_files import UsageFiles
from harness.local.usage_recorder import Readers, UsageRecorder
from harness.local.usage_recording import check_recording, readers
from harness.wire import HttpRequest

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
DAY = NOON.date()
GET = Call("v2", "GET", "/orders")


class Kept:
    """Stands for the files; `broken`: nothing can be written."""

    def __init__(self) -> None:
        self.broken: OSError | InputError | None = None
        self.written: dict[tuple[str, str], list[Usage]] = {}

    def add(self, provider: str, consumer: str, usages: Sequence[Usage]) -> None:
        if self.broken:
            raise self.broken
        self.written.setdefault((provider, consumer), []).extend(usages)


def call(target: str = "/v2/orders", *, method: str = "GET", body: bytes = b"") -> HttpRequest:
    path, _, query = target.partition("?")
    return HttpRequest(method, path.encode(), query.encode(), [], body)


@pytest.fixture(scope="module")
def known(landscape: manifest.Landscape) -> Readers:
    return readers(landscape)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def recorder(known: Readers, kept: Kept) -> UsageRecorder:
    return UsageRecorder(known, lambda request: "storefront", kept, write_seconds=0)


async def test_calls_are_counted_by_operation(recorder: UsageRecorder, kept: Kept) -> None:
    async with recorder.running():
        for status in (200, 200, 400):
            recorder.note(NOON, call("/v2/orders?limit=5"), "orders", "GET", status)
        recorder.note(NOON, call("/v1/orders"), "orders", "GET", 200)

    found = kept.written["orders", "storefront"]
    assert {str(each.call): each.seen.count for each in found} == {"GET /v2/orders": 3, "GET /v1/orders": 1}
    assert {status: seen.count for status, seen in found[0].statuses.items()} == {200: 2, 400: 1}
    assert found[0].parameters["query"]["limit"].count == 3


@pytest.mark.parametrize(
    ("api", "target"), [("stock", "/v9/items"), ("nobody", "/v1/items"), ("stock", "/"), ("stock", "/v1/nothing")]
)
async def test_what_no_contract_has_is_left_out(api: str, target: str, recorder: UsageRecorder, kept: Kept) -> None:
    async with recorder.running():
        recorder.note(NOON, call(target), api, "GET", 200)

    assert kept.written == {}


async def test_who_has_no_name_is_left_out(known: Readers, kept: Kept) -> None:
    recorder = UsageRecorder(known, lambda request: "", kept)
    async with recorder.running():
        recorder.note(NOON, call(), "orders", "GET", 200)

    assert kept.written == {}


async def test_more_than_may_wait_is_counted_and_said(
    recorder: UsageRecorder, kept: Kept, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(usage_recorder, "MOST_WAITING", 3)
    async with recorder.running():
        for _ in range(5):
            recorder.note(NOON, call(), "orders", "GET", 200)

    assert kept.written["orders", "storefront"][0].seen.count == 3
    assert "2 calls were not recorded" in caplog.text


async def test_bodies_that_wait_have_a_bound_together(recorder: UsageRecorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage_recorder, "MOST_WAITING_BYTES", 120)
    for _ in range(3):
        recorder.note(NOON, call(method="POST", body=b" " * 60), "orders", "POST", 201)
    assert recorder.dropped == 2

    recorder.read()
    recorder.note(NOON, call(method="POST", body=b" " * 60), "orders", "POST", 201)
    assert recorder.dropped == 2


async def test_heads_that_wait_count_as_bodies_do(recorder: UsageRecorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage_recorder, "MOST_WAITING_BYTES", 1_000)
    large = HttpRequest("GET", b"/v2/orders", b"", [(b"x-a", b"a" * 600)], b"")
    for _ in range(3):
        recorder.note(NOON, large, "orders", "GET", 200)
    assert recorder.dropped == 2

    recorder.read()
    recorder.note(NOON, large, "orders", "GET", 200)
    assert recorder.dropped == 2


async def test_of_a_large_body_the_call_is_recorded_and_no_field(
    recorder: UsageRecorder, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage_recorder, "MOST_BODY_BYTES", 20)
    async with recorder.running():
        recorder.note(NOON, call(method="POST", body=b'{"lines": []}'), "orders", "POST", 400)
        recorder.note(NOON, call(method="POST", body=b'{"lines": []}' + b" " * 20), "orders", "POST", 400)

    (found,) = kept.written["orders", "storefront"]
    assert (found.seen.count, {path: seen.count for path, seen in found.request_fields.items()}) == (2, {("lines",): 1})


async def test_what_cannot_be_written_is_said_and_kept_for_the_next_time(
    recorder: UsageRecorder, kept: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    kept.broken = OSError("disk full")
    recorder.note(NOON, call(), "orders", "GET", 200)
    recorder.read()
    await recorder._write()
    kept.broken = None
    recorder.note(NOON, call(), "orders", "GET", 200)
    recorder.read()
    await recorder._write()

    assert "what storefront uses of orders could not be written: disk full" in caplog.text
    assert kept.written["orders", "storefront"][0].seen.count == 2
    assert all(record.levelno == logging.ERROR for record in caplog.records)


class TestFiles:
    @pytest.fixture
    def files(self, landscape: manifest.Landscape, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> UsageFiles:
        monkeypatch.setattr("harness.local.usage_files.usage_folder", lambda api: tmp_path / api.id / "consumers")
        return UsageFiles(landscape, tmp_path / "lock")

    def test_are_beside_the_versions_of_the_contract(self, landscape: manifest.Landscape, tmp_path: Path) -> None:
        folders = UsageFiles(landscape, tmp_path / "lock")._folders

        assert folders["orders"] == landscape.folder / "contracts/orders/consumers"

    def test_add_up(self, files: UsageFiles, tmp_path: Path) -> None:
        later = date(2026, 2, 1)
        files.add("orders", "storefront", [used_once(GET, DAY, status=200)])
        files.add("orders", "storefront", [used_once(GET, later, status=200)])

        (found,) = parse_usage((tmp_path / "orders/consumers/storefront.recorded.jsonl").read_text(), file="x")
        assert (found.seen.count, found.seen.first, found.seen.last) == (2, DAY, later)
        assert [path.name for path in (tmp_path / "orders/consumers").iterdir()] == ["storefront.recorded.jsonl"]

    def test_of_several_edges_lose_nothing(
        self, landscape: manifest.Landscape, files: UsageFiles, tmp_path: Path
    ) -> None:
        def edge() -> None:
            for _ in range(20):
                files.add("orders", "storefront", [used_once(GET, DAY, status=200)])

        edges = [threading.Thread(target=edge) for _ in range(4)]
        for each in edges:
            each.start()
        for each in edges:
            each.join()

        (found,) = parse_usage((tmp_path / "orders/consumers/storefront.recorded.jsonl").read_text(), file="x")
        assert found.seen.count == 80

    def test_that_are_no_such_are_refused_and_left_alone(self, files: UsageFiles, tmp_path: Path) -> None:
        file = tmp_path / "orders/consumers/storefront.recorded.jsonl"
        file.parent.mkdir(parents=True)
        file.write_text("<<<<<<< HEAD\n")

        with pytest.raises(InputError, match=r"storefront\.recorded\.jsonl:1: not JSON"):
            files.check()
        with pytest.raises(InputError):
            files.add("orders", "storefront", [used_once(GET, DAY, status=200)])
        assert file.read_text() == "<<<<<<< HEAD\n"


def test_the_sample_landscape_can_be_recorded(landscape: manifest.Landscape, tmp_path: Path) -> None:
    check_recording(landscape, tmp_path / "lock")
