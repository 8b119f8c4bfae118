"""Forms with as many parameters as there may be."""

from typing import Any

from harness.queues.shapes import INPUTS, from_query

ENTRIES, ATTRIBUTES = 40, 49


class Name(str):
    """Counts how often the names of a form are looked at."""

    __slots__ = ()
    looks = 0

    def startswith(self, *given: Any) -> bool:
        Name.looks += 1
        return super().startswith(*given)

    def split(self, *given: Any) -> list[str]:
        Name.looks += 1
        return super().split(*given)


def test_each_name_of_a_form_is_looked_at_once() -> None:
    form: dict[str, str] = {
        Name(f"SendMessageBatchRequestEntry.{entry}.MessageAttribute.{number}.Name"): str(number)
        for entry in range(1, ENTRIES + 1)
        for number in range(1, ATTRIBUTES + 1)
    }
    found = from_query(INPUTS["SendMessageBatch"], form)
    assert isinstance(found, dict)
    assert [len(entry["MessageAttributes"]) for entry in found["Entries"]] == [ATTRIBUTES] * ENTRIES
    assert Name.looks == len(form)


def test_a_name_of_many_parts_costs_no_more_than_its_length() -> None:
    assert from_query(INPUTS["SendMessage"], {"." * 100_000: "x", "MessageBody": "y"}) == {"MessageBody": "y"}
