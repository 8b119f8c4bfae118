"""An answer from an example and what is known better: each member is taken over only as far as the schema takes it."""

from collections.abc import Callable, Mapping
from typing import Any

from harness.contracts.stub.generate import NOTHING, Generator, Shape, Unmakeable


class Composer:
    def __init__(self, generator: Generator) -> None:
        self._generator = generator

    def overlaid(self, shape: Shape, base: Any, given: Any, *, exactly: bool = False) -> Any:
        """`base`, with the members of `given` that the schema names. `exactly`: as given, where that fits as well.

        Fits the schema whenever `base` does.
        """
        if not isinstance(base, dict) or not isinstance(given, Mapping):
            merged = self._merged(shape.schema, shape.schema, base, given)
            return next((each for each in (merged, base) if shape.fits(each)), base)
        flat = self._generator.flat(shape.schema, shape.schema)
        made = dict(base)
        for name, value in given.items():
            schema = flat.get("properties", {}).get(name, NOTHING)
            if schema is NOTHING and name not in base:
                continue
            merged = self._merged({} if schema is NOTHING else schema, shape.schema, made.get(name, NOTHING), value)
            for each in (value, merged) if exactly else (merged, value):
                candidate = {**made, name: each}
                if shape.fits(candidate):
                    made = candidate
                    break
        return made

    def without(self, shape: Shape, base: Any, names: Callable[[str], bool]) -> Any:
        """`base` without the members that `names` picks; null where a member has to be there and may be null."""
        if not isinstance(base, dict):
            return base
        made = dict(base)
        for name in [each for each in base if names(each)]:
            dropped = {key: value for key, value in made.items() if key != name}
            for candidate in (dropped, {**made, name: None}):
                if shape.fits(candidate):
                    made = candidate
                    break
        return made

    def item(self, shape: Shape, member: str, template: Any, given: Mapping[str, Any]) -> Any:
        """One entry of the list `member` of a page (the page itself when empty), not judged."""
        root = shape.schema
        flat = self._generator.flat(root, root)
        listed = self._generator.flat(flat.get("properties", {}).get(member, True), root) if member else flat
        first = template[0] if template else NOTHING
        known = self._generator.flat(listed.get("items", True), root).get("properties", {})
        if isinstance(first, Mapping):
            first = {name: value for name, value in first.items() if name in given or name not in known}
        return self._merged(listed.get("items", True), root, first, given)

    def _merged(self, schema: Any, root: Mapping[str, Any], base: Any, given: Any) -> Any:
        flat = self._generator.flat(schema, root)
        if isinstance(given, Mapping):
            properties = flat.get("properties", {})
            made = dict(base) if isinstance(base, Mapping) else {}
            for name, value in given.items():
                if name in properties or name in made or not properties:
                    made[name] = self._merged(properties.get(name, True), root, made.get(name, NOTHING), value)
            for name in flat.get("required", ()):
                if name not in made:
                    made[name] = self._made(properties.get(name, True), root)
            return made
        if isinstance(given, list):
            template = base[0] if isinstance(base, list) and base else NOTHING
            return [self._merged(flat.get("items", True), root, template, each) for each in given]
        return given

    def _made(self, schema: Any, root: Mapping[str, Any]) -> Any:
        try:
            return self._generator.part(schema, root)
        except Unmakeable:
            return None
