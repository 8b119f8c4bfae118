"""Does a request keep the contract? Every fault is told, at a JSON Pointer into the body or in a parameter."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from harness.contracts.stub.generate import Shape
from harness.contracts.stub.operations import Body, Operation, Parameter, is_json
from harness.wire import HttpRequest

MOST_FAULTS: Final = 20
_WHOLE: Final = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_MOST_DIGITS: Final = 400

BROKEN: Final = (400, 422)
UNSUPPORTED: Final = (415, 400, 422)
UNCONDITIONAL: Final = (428, 400, 422)


@dataclass(frozen=True, slots=True)
class Fault:
    """`pointer` (RFC 6901, as a URI fragment) or `parameter` is set."""

    code: str
    detail: str
    pointer: str = ""
    parameter: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """`statuses`: those that say it, the best first; the contract may not have each."""

    statuses: tuple[int, ...]
    faults: Sequence[Fault]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that keeps the contract, its values by name; header names in lower case. `body` None: none was sent."""

    path: Mapping[str, str]
    query: Mapping[str, Any]
    headers: Mapping[str, Any]
    body: Any


def judge(operation: Operation, request: HttpRequest, path: Mapping[str, str]) -> Asked | Rejected:
    """`path`: the text of each path parameter, decoded."""
    values: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}, "cookie": {}}
    pairs = parse_qsl(request.raw_query.decode("latin-1"), keep_blank_values=True)
    faults = list(_unknown(operation, pairs))
    missing_precondition = False
    for parameter in operation.parameters:
        texts = _texts(parameter, request, path, pairs)
        name = parameter.name.lower() if parameter.place == "header" else parameter.name
        if not texts:
            if parameter.required:
                faults.append(Fault("required", "is required", parameter=parameter.name))
                missing_precondition = missing_precondition or name == "if-match"
            continue
        found = _value(parameter, texts)
        if isinstance(found, Fault):
            faults.append(found)
        else:
            values[parameter.place][name] = found[0]
    statuses = UNCONDITIONAL if missing_precondition and len(faults) == 1 else BROKEN
    body = _body(operation.body, request)
    if isinstance(body, Rejected):
        if not faults:
            return body
        faults += body.faults
    if faults:
        return Rejected(statuses, faults[:MOST_FAULTS])
    return Asked({**path, **values["path"]}, values["query"], values["header"], body)


def _unknown(operation: Operation, pairs: Iterable[tuple[str, str]]) -> Iterator[Fault]:
    """Names that the contract does not know; where a parameter is an object, its members may be names as well."""
    known = {parameter.name: parameter for parameter in operation.of_place("query")}
    if any("object" in parameter.types and not parameter.json for parameter in known.values()):
        return
    for name in dict.fromkeys(name for name, _ in pairs):
        if name not in known:
            yield Fault("unknown", "no such query parameter", parameter=name)


def _texts(
    parameter: Parameter, request: HttpRequest, path: Mapping[str, str], pairs: Sequence[tuple[str, str]]
) -> list[str]:
    match parameter.place:
        case "path":
            return [path[parameter.name]] if parameter.name in path else []
        case "query":
            return [value for name, value in pairs if name == parameter.name]
        case "header":
            wanted = parameter.name.lower().encode("latin-1", "replace")
            found = [value.decode("latin-1") for name, value in request.headers if name == wanted]
            return [", ".join(found)] if found else []
    cookies = (request.header(b"cookie") or b"").decode("latin-1").split(";")
    return [value for name, _, value in (each.strip().partition("=") for each in cookies) if name == parameter.name]


def _value(parameter: Parameter, texts: Sequence[str]) -> tuple[Any] | Fault:
    """The first that the parameter's schema takes, of what its text may stand for."""
    if parameter.json:
        try:
            candidates: list[Any] = [orjson.loads(texts[0])]
        except orjson.JSONDecodeError:
            return Fault("json", "is not JSON", parameter=parameter.name)
    elif "array" in parameter.types:
        parts = texts[0].split(parameter.separator) if parameter.separator else list(texts)
        candidates = [[next(_meanings(part, parameter.item_types), part) for part in parts]]
    elif "object" in parameter.types:
        return (texts[0],)
    elif len(texts) > 1:
        return Fault("repeated", "is given more than once", parameter=parameter.name)
    else:
        candidates = [*_meanings(texts[0], parameter.types), texts[0]]
    for candidate in candidates:
        if parameter.shape.fits(candidate):
            return (candidate,)
    return next(_faults(parameter.shape, candidates[0], parameter=parameter.name))


def _meanings(text: str, types: frozenset[str]) -> Iterator[Any]:
    if "string" in types or not types:
        yield text
    if len(text) > _MOST_DIGITS:
        return
    if not types.isdisjoint({"integer", "number"}) and _WHOLE.fullmatch(text):
        yield int(text)
    if "number" in types and _NUMBER.fullmatch(text):
        yield float(text)
    if "boolean" in types and text in ("true", "false"):
        yield text == "true"


def _body(body: Body | None, request: HttpRequest) -> Any:
    """The value that was sent, None without one, or `Rejected`."""
    if body is None:
        return None
    if not request.body:
        return Rejected(BROKEN, [Fault("required", "a body is required", pointer="#")]) if body.required else None
    # API Gateway: application/json is the default.
    written = (request.header(b"content-type") or b"application/json").decode("latin-1")
    essence = written.partition(";")[0].strip().lower()
    ranges = (essence, essence.partition("/")[0] + "/*", "*/*")
    known = next((each for each in ranges if each in body.media), None)
    if known is None:
        detail = f"the body must be {' or '.join(body.media)}"
        return Rejected(UNSUPPORTED, [Fault("media-type", detail, pointer="#")])
    if not is_json(essence):
        return request.body.decode("utf-8", "replace")
    try:
        value = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        return Rejected(BROKEN, [Fault("json", f"is not JSON: {error}", pointer="#")])
    if _is_deep(value):
        return Rejected(BROKEN, [Fault("depth", f"is nested more than {_DEEPEST} deep", pointer="#")])
    shape = body.media[known]
    faults = list(islice(_faults(shape, value), MOST_FAULTS)) if shape is not None else []
    return Rejected(BROKEN, faults) if faults else value


# The validator goes 255 levels deep; what is kept is put into lists, with further levels around it.
_DEEPEST: Final = 200


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        inner = [each for each in level if isinstance(each, dict | list)]
        level = [each for value in inner for each in (value.values() if isinstance(value, dict) else value)]
        if not level:
            return False
    return True


def _faults(shape: Shape, value: Any, *, parameter: str = "") -> Iterator[Fault]:
    try:
        for error in shape.errors(value):
            pointer = "#" + "".join(f"/{_escaped(part)}" for part in error.instance_path)
            yield Fault(error.kind.name, error.message, "" if parameter else pointer, parameter)
    except ValueError as error:  # the validator goes 255 levels deep
        yield Fault("depth", str(error), "" if parameter else "#", parameter)


def _escaped(part: str | int) -> str:
    """RFC 6901 section 3."""
    return str(part).replace("~", "~0").replace("/", "~1")
