"""Is it an OpenAPI document? openapi-spec-validator says so; its findings get the places where they are written."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from harness.contracts.finding import Place
from harness.contracts.lint.subjects import Hit, Subject
from harness.contracts.schemas import Location

_DATA: Final = frozenset({"default", "enum", "const", "mapping"})
_LONGEST: Final = 200
_MOST: Final = 50
_PLACE: Final = Place("api", "document")
Path = tuple[str | int, ...]


def openapi(subject: Subject) -> Iterator[Hit]:
    """First the form of the document, then what it means: the validator relies on the form for that."""
    from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator  # slow to import

    version = str(subject.root.raw.get("openapi", ""))
    if not version.startswith(("3.0.", "3.1.")):
        yield Hit(subject.root.below("openapi"), _PLACE, f"openapi is {version or 'missing'}: write 3.0 or 3.1")
        return
    document = expanded(subject)
    renamed = _without_greedy(document)
    validator = (OpenAPIV30SpecValidator if version.startswith("3.0.") else OpenAPIV31SpecValidator)(document)
    found = list(islice(_hits(subject, document, renamed, validator.schema_validator.iter_errors(document)), _MOST))
    found = found or list(islice(_hits(subject, document, renamed, validator.iter_errors()), _MOST))
    yield from found


def _hits(subject: Subject, document: Any, renamed: Mapping[Any, str], errors: Iterable[Any]) -> Iterator[Hit]:
    for error in errors:
        deepest = error
        while deepest.context:  # what was tried deepest is what was meant
            inner = max(deepest.context, key=lambda each: len(each.absolute_path))
            if len(inner.absolute_path) <= len(deepest.absolute_path):
                break
            deepest = inner
        text = " ".join(str(deepest.message).split())
        path = tuple(renamed.get(step, step) for step in _path(document, deepest, text))
        yield Hit(_written(subject, path), _PLACE, text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def _path(document: Any, error: Any, text: str) -> Path:
    """The validator's own path where it is one from the root; of schemas it gives one from the schema, or none."""
    path = tuple(error.absolute_path)
    if path and _at(document, path) is error.instance:
        return path
    owners = (where for where, value in _everywhere(document, ()) if value is error.schema)
    holders = (
        (*where, *path) for where, value in _everywhere(document, ()) if path and _at(value, path) is error.instance
    )
    return next(owners, None) or next(holders, None) or path or _mentioned(document, text)


def _at(value: Any, path: Path) -> Any:
    for step in path:
        known = range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ()
        if step not in known:
            return _at
        value = value[step]
    return value


def _everywhere(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict):
        yield path, value
        for key, item in value.items():
            yield from _everywhere(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _everywhere(item, (*path, index))


def _mentioned(document: Any, text: str) -> Path:
    """What needs two places has none: the last operation whose path or id the text names."""
    found: Path = ()
    for path, item in document.get("paths", {}).items():
        for method, operation in item.items() if isinstance(item, dict) else ():
            name = operation.get("operationId") if isinstance(operation, dict) else None
            if f"'{path}'" in text or f'"{path}"' in text or (name and f"'{name}'" in text):
                found = ("paths", path, method)
    return found


def _written(subject: Subject, path: Path) -> Location:
    """Where the file says what stands at a path of the expanded document."""
    location = subject.root.at
    for step in path:
        location, _ = subject.library.followed(location)
        location = Location(location.file, (*location.path, step))
        try:
            subject.library.at(location)
        except (KeyError, IndexError, TypeError):  # the line of what holds it will do
            break
    return location


def expanded(subject: Subject) -> Any:
    """The document with what is referred to put in place, but for its own schemas: those may refer to each other.

    What is within itself may be anything there.
    """
    root = subject.root.at.file

    def copied(value: Any, location: Location, inside: tuple[Location, ...]) -> Any:
        if isinstance(value, list):
            return [copied(item, _below(location, index), inside) for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        reference = value.get("$ref")
        if isinstance(reference, str):
            target = subject.library.resolve(reference, location)
            if target.file == root and target.path[:2] == ("components", "schemas") and len(target.path) > 2:
                pointer = "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in target.path)
                return {**value, "$ref": f"#/{pointer}"}
            return {} if target in inside else copied(subject.library.at(target), target, (*inside, target))
        return {
            key: item if is_data(key, location) else copied(item, _below(location, key), inside)
            for key, item in value.items()
            # A `$ref` in data is a member like any other; the validator would follow it.
            if not (is_data(key, location) and _has_reference(item))
        }

    return copied(subject.root.raw, subject.root.at, ())


def is_data(key: str, location: Location) -> bool:
    """Whether what is below `key` there is no part of the contract but a value. A property may be called `example`."""
    if location.path and location.path[-1] == "properties":
        return False
    return key in _DATA or key in ("example", "value") or (key == "examples" and not location.path)


def _has_reference(value: Any) -> bool:
    if isinstance(value, dict):
        return "$ref" in value or any(map(_has_reference, value.values()))
    return isinstance(value, list) and any(map(_has_reference, value))


def _below(location: Location, step: str | int) -> Location:
    return Location(location.file, (*location.path, step))


def _without_greedy(document: Any) -> dict[Any, str]:
    """`{proxy+}` is API Gateway's, and its parameter is called `proxy`. The templates that were changed, by the new."""
    paths = document.get("paths")
    if not isinstance(paths, dict):
        return {}
    renamed = {path.replace("+}", "}"): path for path in paths if isinstance(path, str) and path.endswith("+}")}
    for new, old in renamed.items():
        paths[new] = paths.pop(old)
    return renamed
