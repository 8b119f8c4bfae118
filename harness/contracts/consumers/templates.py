"""Which operation a request is for: the most specific path template wins (OpenAPI 3.1, 4.8.8.2)."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from urllib.parse import unquote

from harness.contracts.usage import Call

_PARAMETER = re.compile(r"\{([^{}]+)\}")


def find_call(method: str, path: str, versions: Mapping[str, Iterable[tuple[str, str]]]) -> tuple[Call, ...]:
    """The operations that `method path` may mean. `versions`: by name (`v2`) its operations (method, template).

    A path that begins with a version's name means that version alone. One that does not was written against a base
    URL that has it, and counts for every version that has such an operation.
    """
    first, below = _split(path)
    if first in versions:
        template = best_template(below, [template for verb, template in versions[first] if verb == method])
        return (Call(first, method, template),) if template is not None else ()
    found = []
    for version, operations in versions.items():
        template = best_template(path, [template for verb, template in operations if verb == method])
        if template is not None:
            found.append(Call(version, method, template))
    return tuple(found)


def _split(path: str) -> tuple[str, str]:
    first, slash, rest = path.removeprefix("/").partition("/")
    return first, slash + rest or "/"


def best_template(path: str, templates: Iterable[str]) -> str | None:
    """A literal segment beats one with a parameter in it, from the left; a greedy parameter (`{proxy+}`) is last."""
    fitting = [template for template in templates if _compiled(template).fullmatch(path)]
    return min(fitting, key=_generality, default=None)


def shape(template: str) -> str:
    """A template without the names of its parameters, which are not on the wire."""
    return _PARAMETER.sub("{}", template)


def path_values(template: str, path: str) -> dict[str, str]:
    """The values of the path parameters, percent-decoded. `path` must fit."""
    _, below = _split(path)
    found = _compiled(template).fullmatch(path) or _compiled(template).fullmatch(below)
    if found is None:
        return {}
    names = [name.removesuffix("+") for name in _PARAMETER.findall(template)]
    return {name: unquote(value) for name, value in zip(names, found.groups(), strict=True)}


def path_value(template: str, path: str, name: str) -> str | None:
    """Of one parameter; None where the path does not fit the template."""
    return path_values(template, path).get(name)


@cache
def _compiled(template: str) -> re.Pattern[str]:
    parts = _PARAMETER.split(template)
    expression = ""
    for index, part in enumerate(parts):
        if index % 2:
            expression += "(.+)" if part.endswith("+") else "([^/]+)"
        else:
            expression += re.escape(unquote(part))
    # A trailing slash does not matter for routing.
    return re.compile(expression.rstrip("/") + "/?")


def _generality(template: str) -> tuple[tuple[int, int], ...]:
    segments = template.strip("/").split("/")
    return tuple((_kind(segment), -len(_PARAMETER.sub("", segment))) for segment in segments)


def _kind(segment: str) -> int:
    """0 literal, 1 a parameter within other text, 2 a parameter, 3 greedy."""
    names = _PARAMETER.findall(segment)
    if not names:
        return 0
    if names[0].endswith("+"):
        return 3
    return 2 if _PARAMETER.fullmatch(segment) else 1
