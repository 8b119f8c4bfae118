"""Places of findings beside paths of fields: a place's "*" is an element or any member."""

from collections.abc import Iterable

from harness.contracts.field_path import ELEMENT, MEMBER, FieldPath, Step, show_field_path


def first_within(paths: Iterable[FieldPath], field: tuple[str, ...]) -> FieldPath | None:
    """The first path that lies at or below a place's field."""
    return next((path for path in paths if touches(field, path)), None)


def touches(field: tuple[str, ...], path: FieldPath) -> bool:
    """Whether `path` lies at or below `field`, whose "*" is an element or any member."""
    return len(path) >= len(field) and all(_same(one, other) for one, other in zip(field, path, strict=False))


def _same(step: str, other: str | Step) -> bool:
    if step == "*":
        return isinstance(other, Step) or other == "*"
    return other is MEMBER or step == other


def path_of(field: tuple[str, ...]) -> FieldPath:
    return tuple(ELEMENT if step == "*" else step for step in field)


def steps_of(path: FieldPath) -> tuple[str, ...]:
    """As a `Place` has them."""
    return tuple("*" if isinstance(step, Step) else step for step in path)


def shown(field: tuple[str, ...]) -> str:
    return show_field_path(path_of(field))
