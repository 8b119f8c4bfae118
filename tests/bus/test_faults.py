"""How long an item that met a fault is left alone, and what a log says of a fault."""

from harness.bus.faults import Patience, fault


def test_an_item_is_left_alone_longer_each_time_and_no_other_is() -> None:
    now = [0.0]
    patience: Patience[str] = Patience(clock=lambda: now[0], first=1, most=5)
    assert patience.ready("a")
    assert patience.seconds_left() is None
    waited = []
    for _ in range(5):
        waited.append(patience.failed("a"))
        assert (patience.ready("a"), patience.ready("b")) == (False, True)
        assert patience.seconds_left() == waited[-1]
        now[0] += waited[-1]
        assert (patience.ready("a"), patience.seconds_left()) == (True, 0)
    assert waited == [1, 2, 4, 5, 5]


def test_an_item_that_is_forgotten_begins_anew() -> None:
    patience: Patience[str] = Patience(clock=lambda: 0, first=1)
    patience.failed("a")
    patience.failed("a")
    patience.forget("a")
    assert (patience.ready("a"), patience.seconds_left(), patience.failed("a")) == (True, None, 1)


def test_a_very_old_fault_overflows_nothing() -> None:
    patience: Patience[str] = Patience(clock=lambda: 0, first=1, most=30)
    assert {patience.failed("a") for _ in range(2000)} == {1, 2, 4, 8, 16, 30}


def test_a_fault_is_told_without_what_it_quotes() -> None:
    try:
        int("hunter2")
    except ValueError as error:
        told = fault(error)
    assert told.startswith("ValueError at test_faults.py:")
    assert "hunter2" not in told
    assert fault(KeyError("hunter2")) == "KeyError"
