"""Logs: one line in, one line out, through rotation and while they grow."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from harness.errors import InputError
from harness.runtime.child import MAX_LINE, LineSplitter
from harness.runtime.logs import LogFile, follow, log_path, names, read

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


class Ticking:
    """A clock that moves a second with each look."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def test_lines_of_all_processes_come_in_the_order_of_time(tmp_path: Path) -> None:
    clock = Ticking()
    orders, stock = (LogFile(log_path(tmp_path, name), clock=clock) for name in ("orders", "stock"))
    orders.write("placed")
    stock.write("reserved")
    orders.write("confirmed")
    assert [(line.name, line.text) for line in read(tmp_path)] == [
        ("orders", "placed"),
        ("stock", "reserved"),
        ("orders", "confirmed"),
    ]
    assert [line.text for line in read(tmp_path, ["orders"])] == ["placed", "confirmed"]
    assert [line.text for line in read(tmp_path, last=1)] == ["confirmed"]
    assert read(tmp_path, last=0) == []


def test_a_line_keeps_the_time_at_which_it_was_written(tmp_path: Path) -> None:
    LogFile(log_path(tmp_path, "orders"), clock=Ticking()).write("placed")
    assert read(tmp_path)[0].time == NOON + timedelta(seconds=1)


def test_a_line_without_a_time_belongs_to_the_one_before(tmp_path: Path) -> None:
    LogFile(log_path(tmp_path, "supervisor"), clock=Ticking()).write("starting")
    with log_path(tmp_path, "supervisor").open("a") as file:
        file.write("Traceback (most recent call last):\n")
    assert [line.time for line in read(tmp_path)] == [NOON + timedelta(seconds=1)] * 2


def test_a_log_is_bounded_and_the_oldest_lines_go(tmp_path: Path) -> None:
    log = LogFile(log_path(tmp_path, "orders"), clock=Ticking(), max_bytes=100, old_files=2)
    for number in range(20):
        log.write(f"line {number:02}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["orders.log", "orders.log.1", "orders.log.2"]
    assert all(path.stat().st_size <= 100 for path in tmp_path.iterdir())
    kept = [line.text for line in read(tmp_path)]
    assert kept == [f"line {number:02}" for number in range(20 - len(kept), 20)]
    assert names(tmp_path) == ["orders"]


def test_a_log_goes_on_where_an_earlier_run_ended(tmp_path: Path) -> None:
    for text in ("first run", "second run"):
        log = LogFile(log_path(tmp_path, "orders"), clock=Ticking())
        log.write(text)
        log.close()
    assert [line.text for line in read(tmp_path)] == ["first run", "second run"]


def test_following_shows_the_last_lines_and_then_each_new_one(tmp_path: Path) -> None:
    log = LogFile(log_path(tmp_path, "orders"), clock=Ticking())
    for text in ("old", "recent"):
        log.write(text)
    assert _followed(tmp_path, iter([lambda: log.write("new"), lambda: log.write("newer")]), last=1) == [
        "recent",
        "new",
        "newer",
    ]


def test_following_shows_what_was_written_just_before_the_end(tmp_path: Path) -> None:
    log = LogFile(log_path(tmp_path, "orders"), clock=Ticking())

    def end() -> bool:
        log.write("goodbye")
        return False

    assert [line.text for line in follow(tmp_path, wait=end, pause=0)] == ["goodbye"]


def test_following_loses_nothing_to_a_rotation(tmp_path: Path) -> None:
    log = LogFile(log_path(tmp_path, "orders"), clock=Ticking(), max_bytes=80)
    log.write("before")

    def several() -> None:
        for number in range(3):
            log.write(f"line {number}")

    assert _followed(tmp_path, iter([several]), last=0) == ["line 0", "line 1", "line 2"]


def test_following_all_takes_up_a_process_that_begins_later(tmp_path: Path) -> None:
    def begin() -> None:
        LogFile(log_path(tmp_path, "stock"), clock=Ticking()).write("hello")

    assert _followed(tmp_path, iter([begin]), last=5) == ["hello"]


def test_a_half_written_line_is_shown_when_it_is_whole(tmp_path: Path) -> None:
    path = log_path(tmp_path, "orders")
    path.write_bytes(b"")

    def add(data: bytes) -> None:
        with path.open("ab") as file:
            file.write(data)

    assert _followed(tmp_path, iter([lambda: add(b"half "), lambda: add(b"whole\n")]), last=0) == ["half whole"]


def test_a_name_without_a_log_is_refused_with_those_that_have_one(tmp_path: Path) -> None:
    LogFile(log_path(tmp_path, "orders"))
    with pytest.raises(InputError, match=r'no log of "ordrs" \(did you mean "orders"\?\)'):
        read(tmp_path, ["ordrs"])
    with pytest.raises(InputError, match=r'no log of "x" \(there are: orders\)'):
        read(tmp_path, ["x"])


@pytest.mark.parametrize(
    ("pieces", "lines"),
    [
        ([b"one\ntw", b"o\n"], ["one", "two"]),
        ([b"windows\r\n"], ["windows"]),
        ([b"\n\n"], ["", ""]),
        ([b"no end"], ["no end"]),
        ([b"\xff\n"], ["\ufffd"]),
        ([b"x" * (MAX_LINE + 1) + b"\n"], ["x" * MAX_LINE, "x"]),
        ([b"x" * MAX_LINE, b"x" * MAX_LINE], ["x" * MAX_LINE, "x" * MAX_LINE]),
    ],
    ids=["cut anywhere", "carriage return", "empty lines", "an end without a newline", "no UTF-8", "long", "endless"],
)
def test_output_becomes_lines(pieces: list[bytes], lines: list[str]) -> None:
    seen: list[str] = []
    splitter = LineSplitter(seen.append)
    for piece in pieces:
        splitter.feed(piece)
    splitter.finish()
    assert seen == lines


def _followed(logs: Path, steps: Iterator[object], *, last: int) -> list[str]:
    """Follows while there are steps, each taken when there is nothing new."""

    def wait() -> bool:
        step = next(steps, None)
        if callable(step):
            step()
        return step is not None

    return [line.text for line in follow(logs, last=last, wait=wait, pause=0)]
