"""What the matchers of a request let the consumer send, held against what the contract takes.

The example is judged elsewhere. Here a counterexample is looked for: something that the matchers accept and the
contract refuses. Where a matcher lists what is sent all of it is tried; else texts of many kinds are.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from harness.contracts.consumers.matching_rules import Rule, Rules
from harness.contracts.consumers.provider import Parameter
from harness.contracts.consumers.spellings import Spelled, spelled

Texts = Sequence[str]


@dataclass(frozen=True, slots=True)
class Refused:
    """`listed`: the pact itself says that this is sent. Else it is one of those that its matcher accepts."""

    texts: tuple[str, ...]
    listed: bool
    said: str


def refused(
    rules: Rules, name: str, texts: Texts, parameter: Parameter, takes: Callable[[Texts], bool]
) -> Refused | None:
    """Of a query parameter or a header: a value for one of `texts`, or a number of values."""
    at = [rules.at((name, index)) for index in range(len(texts))]
    for index, (rule, example) in enumerate(zip(at, texts, strict=True)):
        if rule is None:
            continue
        values = spelled(_of_values(rule), example)
        for text in (*values.texts, *_around(values, parameter)):
            sent = (*texts[:index], text, *texts[index + 1 :])
            if not takes(sent) and not takes(_plainly(sent)):
                return Refused(sent, values.listed, values.said)
    whole = rules.exactly_at((name,))
    return _of_another_number(whole, texts, parameter, takes) if whole is not None else None


def refused_segment(
    rules: Rules, path: str, values: Callable[[str], str | None], parameter: Parameter, takes: Callable[[Texts], bool]
) -> Refused | None:
    """Of a path parameter. `values`: its text in a path; None for a path that leads elsewhere."""
    rule = rules.at(())
    example = values(path)
    if rule is None or example is None:
        return None
    if not _is_of_whole_path(rule):
        # `type` and the like of a whole path are about the parts of it that vary.
        found = spelled(rule, example)
        texts: Iterator[str] = iter((*found.texts, *_around(found, parameter)))
    else:
        found = spelled(rule, path)
        texts = (text for text in map(values, filter(_plain, found.texts)) if text is not None)
    bad = next((text for text in texts if text and not takes((text,)) and not takes(_plainly((text,)))), None)
    return Refused((bad,), found.listed, found.said) if bad is not None else None


def elsewhere(rules: Rules, path: str, leads_here: Callable[[str], bool]) -> str | None:
    """A path that the pact itself lists and that is no path of the contract."""
    rule = rules.at(())
    if rule is None or not _is_of_whole_path(rule):
        return None
    found = spelled(rule, path)
    if not found.listed:
        return None
    return next((text for text in found.texts if not leads_here(text)), None)


def _plainly(texts: Texts) -> Texts:
    """Whole numbers without the zeros before them, which an expression of digits allows and nobody means."""
    return [re.sub(r"^(-?)0+(?=[0-9]+$)", r"\1", text) for text in texts]


_OF_A_PATH: Final = frozenset({"regex", "equality", "include"})


def _is_of_whole_path(rule: Rule) -> bool:
    return any(matcher.name in _OF_A_PATH for matcher in rule.matchers)


def _plain(path: str) -> bool:
    return path.startswith("/") and path.isascii() and not any(letter in "?#% \\" for letter in path)


def _of_values(rule: Rule) -> Rule:
    """How often a value is sent is said of the parameter, not of a value."""
    return Rule(rule.path, tuple(matcher for matcher in rule.matchers if matcher.name != "values"), rule.any_of)


def _of_another_number(
    rule: Rule, texts: Texts, parameter: Parameter, takes: Callable[[Texts], bool]
) -> Refused | None:
    least = max((matcher.attributes["min"] for matcher in rule.matchers if "min" in matcher.attributes), default=None)
    most = min((matcher.attributes["max"] for matcher in rule.matchers if "max" in matcher.attributes), default=None)
    if (least is None and most is None) or not texts:
        return None
    listed = [number for number in (least, most) if number]
    # Without a bound there may be one more than the contract takes.
    open_end = [_said(parameter, "maxItems") + 1] if most is None and _said(parameter, "maxItems") is not None else []
    for number in (*listed, *open_end):
        if number > _MOST_VALUES or (least is not None and number < least):
            continue
        sent = tuple(texts[index % len(texts)] for index in range(number))
        if not takes(sent):
            how = f"{least or 1} to {most}" if most is not None else f"{least} or more"
            return Refused(sent, number in listed, f"{how} values")
    return None


_MOST_VALUES: Final = 1_000


def _said(parameter: Parameter, keyword: str) -> Any:
    """What the schema says itself, without following it into its parts; None where it is no whole number."""
    schema = parameter.value.compiled.closed if parameter.value is not None else None
    value = schema.get(keyword) if isinstance(schema, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _around(values: Spelled, parameter: Parameter) -> Iterator[str]:
    """Just beyond the contract's limits: what a matcher of numbers or texts takes there as well."""
    for keyword, step in (("minimum", -1), ("maximum", 1), ("exclusiveMinimum", 0), ("exclusiveMaximum", 0)):
        limit = _said(parameter, keyword)
        if limit is not None and values.accepts(str(limit + step)):
            yield str(limit + step)
    longest = _said(parameter, "maxLength")
    if longest is not None and longest < _LONGEST_TEXT and values.accepts("a" * (longest + 1)):
        yield "a" * (longest + 1)


_LONGEST_TEXT: Final = 10_000
