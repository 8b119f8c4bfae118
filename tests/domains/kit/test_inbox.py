"""The inbox: a handler's effect happens once, however often the event comes."""

import threading
from uuid import uuid4

from kit.database import Sessions
from kit.inbox import first_time


def test_an_event_is_new_once(sessions: Sessions) -> None:
    event_id = uuid4()
    seen = []
    for _ in range(3):
        with sessions.begin() as session:
            seen.append(first_time(session, consumer="stock.reserve", event_id=event_id))
    assert seen == [True, False, False]


def test_each_consumer_has_its_own_first_time(sessions: Sessions) -> None:
    event_id = uuid4()
    with sessions.begin() as session:
        assert first_time(session, consumer="stock.reserve", event_id=event_id)
        assert first_time(session, consumer="stock.report", event_id=event_id)


def test_a_handler_that_failed_gets_the_event_again(sessions: Sessions) -> None:
    event_id = uuid4()
    with sessions() as session:
        assert first_time(session, consumer="stock.reserve", event_id=event_id)
        session.rollback()
    with sessions.begin() as session:
        assert first_time(session, consumer="stock.reserve", event_id=event_id)


def test_a_second_delivery_waits_for_the_first_to_end(sessions: Sessions) -> None:
    event_id = uuid4()
    answers: list[bool] = []

    def deliver_again() -> None:
        with sessions.begin() as session:
            answers.append(first_time(session, consumer="stock.reserve", event_id=event_id))

    with sessions.begin() as session:
        assert first_time(session, consumer="stock.reserve", event_id=event_id)
        second = threading.Thread(target=deliver_again)
        second.start()
        second.join(0.2)
        assert answers == []
    second.join(60)
    assert answers == [False]
