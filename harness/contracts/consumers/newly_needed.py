"""What a request must have now and need not have had before."""

from harness.contracts.consumers.places import path_of
from harness.contracts.consumers.provider import Operation
from harness.contracts.consumers.reading import Given, presence
from harness.contracts.finding import Place


def newly_required(parameter: tuple[str, str], old: Operation | None, new: Operation) -> bool:
    """Required, and was not: no harm to whoever sends it."""
    was = old.parameter(*parameter) if old else None
    now = new.parameter(*parameter)
    return now is not None and now.required and not (was is not None and was.required)


def newly_needed(place: Place, old: Operation | None, new: Operation) -> bool:
    """Whether a field of the body must be there now and need not have been before."""
    if not place.field or new.body is None:
        return False
    needed = presence(path_of(place.field))

    def always(operation: Operation | None) -> bool:
        found = operation.body.of(place.media_type or "application/json") if operation and operation.body else None
        return found is not None and found[1] is not None and Given(found[1]).is_within(needed)

    return always(new) and not always(old)
