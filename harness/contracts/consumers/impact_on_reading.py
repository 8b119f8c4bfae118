"""What a consumer reads of an answer or an event, held against a change."""

from collections.abc import Iterator

from harness.contracts.consumers.expectation import Expected
from harness.contracts.consumers.hurt import Hurt
from harness.contracts.consumers.places import first_within
from harness.contracts.consumers.reading import Given, harm
from harness.contracts.consumers.uses import Said
from harness.contracts.field_path import show_field_path


def of_reading(
    said: Said, expected: Expected, field: tuple[str, ...], old: Given | None, new: Given | None
) -> Iterator[Hurt]:
    at = first_within((path for path in expected.fields()), field)
    if at is None:
        return
    found = harm(expected, at[: len(field)], old, new)
    if found is not None:
        yield Hurt(said, found.certain, f"field {show_field_path(found.field)}")
