"""`x-lint-ignore`: rules that are switched off for the part of a contract where it stands, each with a reason."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from harness.contracts.lint.openapi_validity import is_data
from harness.contracts.schemas import Location
from harness.errors import did_you_mean

KEY: Final = "x-lint-ignore"


@dataclass(frozen=True, slots=True)
class Ignore:
    """`rule` is off at `above` and all that is written below it."""

    rule: str
    above: Location
    location: Location

    def hides(self, rule: str, location: Location) -> bool:
        length = len(self.above.path)
        return rule == self.rule and location.file == self.above.file and location.path[:length] == self.above.path


def read_ignores(file: str, document: Any, known: Sequence[str]) -> tuple[list[Ignore], list[tuple[Location, str]]]:
    """All of a file, and what is wrong with them: where, and the text with the mend."""
    ignores: list[Ignore] = []
    troubles: list[tuple[Location, str]] = []
    for above, written in _found(document, Location(file, ())):
        place = Location(file, (*above.path, KEY))
        if not isinstance(written, list):
            troubles.append((place, "must be a list of {rule, reason}"))
            continue
        for index, entry in enumerate(written):
            location = Location(file, (*place.path, index))
            trouble = _trouble(entry, known)
            if trouble:
                troubles.append((location, trouble))
            else:
                ignores.append(Ignore(entry["rule"], above, location))
    return ignores, troubles


def _trouble(entry: Any, known: Sequence[str]) -> str:
    if not isinstance(entry, dict):
        return "must be a mapping of rule and reason"
    unknown = next((key for key in entry if key not in ("rule", "reason")), None)
    if unknown is not None:
        return f'unknown key "{unknown}"{did_you_mean(str(unknown), ("rule", "reason"))}'
    rule, reason = entry.get("rule"), entry.get("reason")
    if rule not in known:
        hint = did_you_mean(str(rule), known) or ": docs/reference/lint.md has them all"
        return f'unknown rule "{rule}"{hint}'
    if not isinstance(reason, str) or not reason.strip():
        return f"{rule} is switched off without a reason: say why"
    return ""


def _found(value: Any, location: Location) -> Iterator[tuple[Location, Any]]:
    if isinstance(value, dict):
        if KEY in value:
            yield location, value[KEY]
        for key, item in value.items():
            if key != KEY and not is_data(key, location):
                yield from _found(item, Location(location.file, (*location.path, key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _found(item, Location(location.file, (*location.path, index)))
