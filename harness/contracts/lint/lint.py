"""One contract held against the table of rules."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from harness.contracts.finding import Finding, Level, Place
from harness.contracts.lint.ignores import Ignore, read_ignores
from harness.contracts.lint.rules import RULES, Kind
from harness.contracts.lint.subjects import Api, Event, Hit, Subject
from harness.contracts.schemas import Library, Location
from harness.errors import InputError, Problem

# What is wrong with a switch itself; neither can be switched off.
IGNORE_WRONG: Final = "ignore-wrong"
IGNORE_UNUSED: Final = "ignore-unused"


def lint(file: str, read: Callable[[str], str]) -> list[Finding]:
    """Findings in the order of the file. `read` answers the text of a file by its name, `file` or one beside it.

    An OpenAPI document, or an event's JSON Schema. Raises `InputError` for what is neither, or cannot be read at all.
    """
    library = Library(file, read)
    kind = _kind(library)
    subject = Api(library) if kind is Kind.API else Event(library)
    hits = list(_hits(subject, kind))
    ignores, troubles = _ignores(library)
    used = {ignore for ignore in ignores for rule, hit in hits if ignore.hides(rule, hit.location)}
    shown = [(rule, hit) for rule, hit in hits if not any(each.hides(rule, hit.location) for each in used)]
    shown += [(IGNORE_WRONG, Hit(location, _of(kind), text)) for location, text in troubles]
    if not _is_unsound(kind, hits):
        unused = (each for each in ignores if each not in used)
        shown += [
            (IGNORE_UNUSED, Hit(each.location, _of(kind), f"{each.rule} finds nothing here: delete this"))
            for each in unused
        ]
    found = {_finding(library, rule, hit) for rule, hit in shown}
    return sorted(
        found,
        key=lambda each: (each.new.file if each.new else "", each.new.line if each.new else 0, each.rule, each.text),
    )


def _kind(library: Library) -> Kind:
    value = library.root.value
    if isinstance(value, dict):
        if "openapi" in value:
            return Kind.API
        if "$schema" in value or "x-event" in value or "properties" in value:
            return Kind.EVENT
    text = 'is neither an OpenAPI document (no "openapi") nor an event\'s JSON Schema (no "$schema")'
    raise InputError([Problem(library.root.file, 0, text)])


def _hits(subject: Subject, kind: Kind) -> Iterator[tuple[str, Hit]]:
    rules = [rule for rule in RULES.values() if rule.kind is kind]
    for first in (rule for rule in rules if rule.first):
        found = list(first.check(subject))
        yield from ((first.id, hit) for hit in found)
        if found:
            return
    for rule in rules:
        if not rule.first:
            yield from ((rule.id, hit) for hit in rule.check(subject))


def _is_unsound(kind: Kind, hits: list[tuple[str, Hit]]) -> bool:
    """Whether the other rules were not asked."""
    return any(RULES[rule].first for rule, _ in hits)


def _ignores(library: Library) -> tuple[list[Ignore], list[tuple[Location, str]]]:
    ignores: list[Ignore] = []
    troubles: list[tuple[Location, str]] = []
    for file in library.files():
        known, wrong = read_ignores(file, library.document(file).value, list(RULES))
        ignores += known
        troubles += wrong
    return ignores, troubles


def _of(kind: Kind) -> Place:
    return Place("api" if kind is Kind.API else "event", "document")


def _finding(library: Library, rule: str, hit: Hit) -> Finding:
    return Finding(rule, Level.RISKY, hit.place, hit.text, new=library.source(hit.location))


def as_json(finding: Finding) -> dict[str, Any]:
    """The shape of `harness lint --json`."""
    source = finding.new
    return {
        "rule": finding.rule,
        "file": source.file if source else "",
        "line": source.line if source else 0,
        "place": finding.place.label,
        "text": finding.text,
    }
