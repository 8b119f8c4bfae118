"""Parameters: where they are, whether they must be there, and how a value looks on the wire."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from harness.contracts.contract import STYLES, Operation, Part
from harness.contracts.diff.pairing import Pairing
from harness.contracts.diff.schemas import SchemaDiffs, schema_findings
from harness.contracts.finding import Finding
from harness.contracts.schemas import Role
from harness.contracts.schemas.closed import identical
from harness.contracts.schemas.flat import types_of

Key = tuple[str, str]
Parameters = Mapping[Key, Part]

_ALSO_SCALARS: Final = ("matrix", "label")


def parameter_findings(pairing: Pairing, diffs: SchemaDiffs, was: Operation, now: Operation) -> Iterator[Finding]:
    before, after = was.parameters, now.parameters
    names = dict(zip(now.names, was.names, strict=False))
    after = {(place, names.get(name, name) if place == "path" else name): part for (place, name), part in after.items()}
    for old_name, new_name in zip(was.names, now.names, strict=False):
        if old_name != new_name:
            places = _at(before, ("path", old_name)), _at(after, ("path", old_name))
            inner = pairing.at(part="parameter", parameter=("path", old_name))
            yield inner.finding("path-parameter-renamed", *places, was=old_name, now=new_name)
    gone = {key: part for key, part in before.items() if key not in after and key[0] != "path"}
    fresh = {key: part for key, part in after.items() if key not in before and key[0] != "path"}
    for key, part in gone.items():
        yield _gone(pairing, key, part, fresh)
    for key, part in fresh.items():
        yield from _fresh(pairing, key, part)
    for key, part in before.items():
        if key in after and not pairing.same(part, after[key]):
            yield from _both(pairing.at(part="parameter", parameter=key), diffs, part, after[key])


def _at(parameters: Parameters, key: Key) -> Any:
    return parameters[key].named if key in parameters else None


def _gone(pairing: Pairing, key: Key, part: Part, fresh: dict[Key, Part]) -> Finding:
    """Moved or renamed, when a new one is the same but for its place or its name; it leaves `fresh` then."""
    inner = pairing.at(part="parameter", parameter=key)
    words: dict[str, Any] = {"where": key[0], "name": key[1]}
    for other, candidate in fresh.items():
        if other[1].lower() == key[1].lower():
            del fresh[other]
            places = part.named, candidate.named
            return inner.finding("request-parameter-moved", *places, name=key[1], was=key[0], now=other[0])
    alike = [other for other, candidate in fresh.items() if other[0] == key[0] and _same(pairing, part, candidate)]
    if len(alike) == 1:
        candidate = fresh.pop(alike[0])
        words = {"where": key[0], "was": key[1], "now": alike[0][1]}
        return inner.finding("request-parameter-renamed", part.named, candidate.named, **words)
    rule = "request-parameter-removed" if key[0] == "query" else "request-header-removed"
    return inner.finding(rule, part.named, None, **words)


def _same(pairing: Pairing, part: Part, candidate: Part) -> bool:
    """Whether two parameters are one but for their names; without a schema nothing tells."""
    old, new = pairing.old.subject(part, Role.REQUEST), pairing.new.subject(candidate, Role.REQUEST)
    if old is None or new is None or part.get("required") is not candidate.get("required"):
        return False
    described = part.get("description") is not None and part.get("description") == candidate.get("description")
    plain = isinstance(old.compiled.closed, dict) and old.compiled.closed.keys() <= {"type"}
    return identical(old.compiled.closed, new.compiled.closed) and (described or not plain)


def _fresh(pairing: Pairing, key: Key, part: Part) -> Iterator[Finding]:
    inner = pairing.at(part="parameter", parameter=key)
    rule = "request-required-parameter-added" if part.get("required") is True else "request-parameter-added"
    yield inner.finding(rule, None, part.named, where=key[0], name=key[1])


def _both(pairing: Pairing, diffs: SchemaDiffs, old: Part, new: Part) -> Iterator[Finding]:
    assert pairing.place.parameter is not None
    location, name = pairing.place.parameter
    words: dict[str, Any] = {"where": location, "name": name}
    for key, less, more in _FLAGS:
        was, now = old.get(key) is True, new.get(key) is True
        rule = less if was and not now else more
        if was is not now and rule and (key != "required" or location != "path"):
            yield pairing.finding(rule, _where(old, key), _where(new, key), **words)
    was_written, now_written = _written(pairing, old, True), _written(pairing, new, False)
    if was_written != now_written:
        rule = "request-parameter-style-changed"
        if "content" in old.raw or "content" in new.raw:
            rule = "request-parameter-content-changed"
        yield pairing.finding(
            rule,
            _where(old, "style", "explode", "content"),
            _where(new, "style", "explode", "content"),
            was=was_written,
            now=now_written,
            **words,
        )
    before, after = pairing.old.value_of(old, Role.REQUEST), pairing.new.value_of(new, Role.REQUEST)
    yield from schema_findings(pairing, diffs, before, after, Role.REQUEST, on_wire="content" not in old.raw)


# key, rule when true becomes false, rule when false becomes true
_FLAGS: Final = (
    ("required", "request-parameter-became-optional", "request-parameter-became-required"),
    ("allowEmptyValue", "request-parameter-empty-refused", "request-parameter-empty-accepted"),
    ("allowReserved", "request-parameter-reserved-refused", ""),
    ("deprecated", "", "request-parameter-deprecated"),
)


def _where(part: Part, *keys: str) -> Any:
    return next((part.below(key) for key in keys if key in part.raw), part.at)


def _written(pairing: Pairing, part: Part, old: bool) -> str:
    """How values look on the wire, in the words of OpenAPI; the same text means the same."""
    content = part.get("content")
    if isinstance(content, dict) and content:
        return f"content {next(iter(content))}"
    style = part.get("style") or STYLES.get(str(part.get("in")), "simple")
    explode = part.get("explode")
    exploded = explode if isinstance(explode, bool) else style == "form"
    subject = (pairing.old if old else pairing.new).subject(part, Role.REQUEST)
    compound = subject is not None and types_of(subject.schemas.flat(subject.schema)) & {"array", "object"}
    if not compound:  # one value looks the same exploded or not, and in most styles
        return f"style {style}" if style in _ALSO_SCALARS else "one value"
    return f"style {style}, {'exploded' if exploded else 'not exploded'}"


def header_written(part: Part) -> str:
    """As `_written`, of a response header."""
    content = part.get("content")
    if isinstance(content, dict) and content:
        return f"content {next(iter(content))}"
    return "exploded" if part.get("explode") is True else "not exploded"
