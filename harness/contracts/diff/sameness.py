"""Whether two parts of two documents say the same to the letter, with all that they refer to: nothing to compare then.

Most of a contract is as it was. Equal text in documents of one dialect means the same whatever it means.
"""

from collections.abc import Iterator
from typing import Any

from harness.contracts.schemas import Library, Location


class Sameness:
    """Of two libraries. Keeps what was asked, so that a shared component is looked at once."""

    def __init__(self, old: Library, new: Library) -> None:
        self._old = old
        self._new = new
        versions = [str(library.root.value.get("openapi"))[:3] for library in (old, new)]
        self._alike = versions[0] == versions[1]
        self._known: dict[tuple[Location, Location], bool] = {}
        self._equal: dict[tuple[Location, Location], list[tuple[Location, Location]] | None] = {}

    def same(self, old: Location, new: Location) -> bool:
        """Raises `InputError` for a reference that leads nowhere."""
        if not self._alike:
            return False
        key = old, new
        if key not in self._known:
            self._known[key] = self._reached(key)
        return self._known[key]

    def _reached(self, start: tuple[Location, Location]) -> bool:
        seen = {start}
        pending = [start]
        while pending:
            pairs = self._pairs(pending.pop())
            if pairs is None or any(self._known.get(pair) is False for pair in pairs):
                return False
            fresh = [pair for pair in pairs if pair not in seen and pair not in self._known]
            seen.update(fresh)
            pending += fresh
        self._known.update(dict.fromkeys(seen, True))
        return True

    def _pairs(self, key: tuple[Location, Location]) -> list[tuple[Location, Location]] | None:
        """What two equal values refer to, in pairs; None when they are not equal."""
        if key not in self._equal:
            old, new = key
            value = self._old.at(old)
            if value != self._new.at(new) or repr(value) != repr(self._new.at(new)):  # 1 == True == 1.0
                self._equal[key] = None
            else:
                references = set(_references(value))
                self._equal[key] = [
                    (self._old.resolve(reference, old), self._new.resolve(reference, new)) for reference in references
                ]
        return self._equal[key]


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in ("$ref", "$dynamicRef", "$recursiveRef") and isinstance(item, str):
                yield item
            elif key == "discriminator" and isinstance(item, dict):
                continue  # its mapping names schemas; those that count are among the variants
            else:
                yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)
