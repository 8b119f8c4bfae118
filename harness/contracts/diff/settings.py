"""What a team decides about the diff: other levels, ignores with a reason and an end, the notice before a sunset.

`contracts/rules.yaml`:

    levels:
      response-enum-value-added: risky
    ignores:
      - rule: operation-removed
        at: GET /orders/{orderId}*      # as findings name their place, `*` for any text
        reason: nobody but us calls it
        until: 2027-01-31               # the last day
    sunset-notice-days: 90
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Final

from harness.contracts.diff.rules import RULES
from harness.contracts.finding import Finding, Level, Place, Source
from harness.contracts.schemas import read_document
from harness.contracts.schemas.documents import Document
from harness.errors import InputError, Problem, did_you_mean

_PATTERN: Final = re.compile(r"[\[?]")
"""What fnmatch would read as more than text, `*` apart."""
_KEYS: Final = ("levels", "ignores", "sunset-notice-days")
_OF_IGNORES: Final = ("rule", "at", "reason", "until")


@dataclass(frozen=True, slots=True)
class Ignore:
    """`at` is compared with a place's label, `*` standing for any text. `until` is the last day."""

    rule: str
    at: str
    reason: str
    until: date
    source: Source

    def hides(self, finding: Finding) -> bool:
        return finding.rule == self.rule and fnmatchcase(finding.place.label, _PATTERN.sub(r"[\g<0>]", self.at))


@dataclass(frozen=True, slots=True)
class Settings:
    levels: Mapping[str, Level] = field(default_factory=dict)
    ignores: Sequence[Ignore] = ()
    notice_days: int = 0


@dataclass(frozen=True, slots=True)
class Ignored:
    finding: Finding
    ignore: Ignore


def applied(settings: Settings, findings: Sequence[Finding], today: date) -> tuple[list[Finding], list[Ignored]]:
    """The findings that count, at their levels, and those that an ignore hides. Ended ignores are findings."""
    counted: list[Finding] = []
    ignored: list[Ignored] = []
    used: set[Ignore] = set()
    for finding in findings:
        level = settings.levels.get(finding.rule)
        # What was not proven stays risky where the rule is breaking; a team's own word goes further down alone.
        worst = level if level and not (finding.reason and level is Level.BREAKING) else finding.level
        finding = replace(finding, level=worst)
        ignore = next((ignore for ignore in settings.ignores if ignore.hides(finding)), None)
        if ignore is not None:
            used.add(ignore)
        if ignore is not None and today <= ignore.until:
            ignored.append(Ignored(finding, ignore))
        else:
            counted.append(finding)
    counted.extend(_about(settings, used, today))
    return counted, ignored


def _about(settings: Settings, used: set[Ignore], today: date) -> Iterator[Finding]:
    for ignore in settings.ignores:
        words: dict[str, Any] = {
            "name": f"{ignore.rule} at {ignore.at}",
            "was": ignore.until.isoformat(),
            "now": ignore.reason,
        }
        if ignore in used and ignore.until < today:
            yield _note("ignore-expired", ignore, words, settings)
        elif ignore not in used:
            yield _note("ignore-unused", ignore, words, settings)


def _note(rule: str, ignore: Ignore, words: Mapping[str, str], settings: Settings) -> Finding:
    level = settings.levels.get(rule, RULES[rule].level)
    return Finding(rule, level, Place("api", "document"), RULES[rule].text.format(**words), new=ignore.source)


def read_settings(file: str, text: str) -> Settings:
    """Raises `InputError` with every mistake, each with its line and the mend."""
    document = read_document(file, text)
    problems: list[Problem] = []
    value = document.value
    if not isinstance(value, dict):
        raise InputError([Problem(file, 1, f"must be a mapping with {', '.join(_KEYS)}")])
    for key in value:
        if key not in _KEYS:
            problems.append(_problem(document, (key,), f'unknown key "{key}"{did_you_mean(str(key), _KEYS)}'))
    levels = dict(_levels(document, value.get("levels"), problems))
    ignores = list(_ignores(document, value.get("ignores"), problems))
    days = value.get("sunset-notice-days", 0)
    if not isinstance(days, int) or isinstance(days, bool) or days < 0:
        problems.append(_problem(document, ("sunset-notice-days",), "sunset-notice-days: must be a number of days"))
    if problems:
        raise InputError(problems)
    return Settings(levels, tuple(ignores), days)


def _problem(document: Document, path: tuple[str | int, ...], text: str) -> Problem:
    return Problem(document.file, document.source(path).line, text)


def _levels(document: Document, value: Any, problems: list[Problem]) -> Iterator[tuple[str, Level]]:
    if value is not None and not isinstance(value, dict):
        problems.append(_problem(document, ("levels",), "levels: must be a mapping of rule to level"))
        return
    for rule, level in (value or {}).items():
        at = ("levels", rule)
        if rule not in RULES:
            problems.append(_problem(document, at, f'unknown rule "{rule}"{did_you_mean(rule, list(RULES))}'))
        elif level not in list(Level):
            problems.append(_problem(document, at, f'{rule}: must be breaking, risky or safe, not "{level}"'))
        else:
            yield rule, Level(level)


def _ignores(document: Document, value: Any, problems: list[Problem]) -> Iterator[Ignore]:
    if value is not None and not isinstance(value, list):
        problems.append(_problem(document, ("ignores",), "ignores: must be a list"))
        return
    for index, entry in enumerate(value or ()):
        at = ("ignores", index)
        before = len(problems)
        if not isinstance(entry, dict):
            problems.append(_problem(document, at, f"an ignore must be a mapping with {', '.join(_OF_IGNORES)}"))
            continue
        for key in entry:
            if key not in _OF_IGNORES:
                text = f'unknown key "{key}"{did_you_mean(str(key), _OF_IGNORES)}'
                problems.append(_problem(document, (*at, key), text))
        for key in _OF_IGNORES:
            if not isinstance(entry.get(key), str) or not entry[key].strip():
                problems.append(_problem(document, at, f"an ignore must have {key}: {_WANTED[key]}"))
        if len(problems) > before:
            continue
        if entry["rule"] not in RULES:
            text = f'unknown rule "{entry["rule"]}"{did_you_mean(entry["rule"], list(RULES))}'
            problems.append(_problem(document, (*at, "rule"), text))
        until = _date(entry["until"])
        if until is None:
            problems.append(
                _problem(document, (*at, "until"), f'until: "{entry["until"]}" is no date such as 2027-01-31')
            )
        if len(problems) == before and until is not None:
            yield Ignore(entry["rule"], entry["at"], entry["reason"], until, document.source(at))


_WANTED: Final = {
    "rule": "the id of a rule",
    "at": "the place as the finding names it, * for any text",
    "reason": "why it may be ignored",
    "until": "the last day, such as 2027-01-31",
}


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
