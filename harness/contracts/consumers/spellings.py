"""What a matcher accepts where all values are text (path, query, headers, metadata): a table, one line a matcher.

Two answers: does it accept a text, and which texts does it accept? The second is complete where there are few.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Final

import jsonschema_rs

from harness.contracts.consumers.java_formats import DEFAULTS, rendered
from harness.contracts.consumers.matching_rules import Matcher, Rule
from harness.contracts.schemas.language import all_texts, drawn_texts

Accepts = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Spelled:
    """`texts` are all that are accepted if `listed`, else some; `said` names them for people."""

    accepts: Accepts
    texts: tuple[str, ...]
    listed: bool
    said: str


def spelled(rule: Rule, example: str) -> Spelled:
    """Several matchers: every one holds, or with `any_of` one of them."""
    each = [TABLE[matcher.name](matcher, example) for matcher in rule.matchers] or [
        _equality(Matcher("equality"), example)
    ]
    if len(each) == 1:
        return each[0]
    quantifier = any if rule.any_of else all
    texts = tuple(dict.fromkeys(text for one in each for text in one.texts))

    def accepts(text: str) -> bool:
        return quantifier(one.accepts(text) for one in each)

    said = (" or " if rule.any_of else " and ").join(one.said for one in each)
    listed = (all if rule.any_of else any)(one.listed for one in each)
    return Spelled(accepts, tuple(text for text in texts if accepts(text)), listed, said)


def _equality(matcher: Matcher, example: str) -> Spelled:
    wanted = _text(matcher.attributes.get("value", example))
    return Spelled(lambda text: text == wanted, (wanted,), True, json.dumps(wanted, ensure_ascii=False))


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _regex(matcher: Matcher, example: str) -> Spelled:
    """About the whole of what is sent: what stands before or after it is nobody's intent. But for an expression that
    fits a part of the example alone: then nothing is known of the rest."""
    written = str(matcher.attributes["regex"])
    said = f"what matches {written}"
    whole = _expression(f"^(?:{written})$")
    if whole is None:
        return Spelled(lambda _: True, (), False, said)
    part = _expression(written)
    if part is not None and part.is_valid(example) and not whole.is_valid(example):
        return Spelled(part.is_valid, (example,), False, said)
    complete = all_texts(written)
    found = complete if complete is not None else drawn_texts(written, _LENGTHS, Random(0))
    texts = tuple(text for text in dict.fromkeys((example, *found)) if whole.is_valid(text))
    return Spelled(whole.is_valid, texts, complete is not None, said)


_LENGTHS: Final = (0, 1, 9, 33, 65, 256)


@cache
def _expression(written: str) -> jsonschema_rs.Draft202012Validator | None:
    """None: no expression of ECMA-262, such as one with flags of Java's."""
    try:
        return jsonschema_rs.Draft202012Validator({"type": "string", "pattern": written})
    except ValueError:  # ValidationError is one
        return None


_WHOLE: Final = ("0", "1", "-1", "7", "4294967296")
_PARTED: Final = ("0.5", "-0.5", "12.75", "4294967296.5")


def _of_pattern(
    pattern: str, texts: tuple[str, ...], said: str, *, listed: bool = False
) -> Callable[[Matcher, str], Spelled]:
    compiled = re.compile(pattern)
    made = Spelled(lambda text: compiled.fullmatch(text) is not None, texts, listed, said)
    return lambda _matcher, _example: made


_INTEGER: Final = _of_pattern(r"-?[0-9]+", _WHOLE, "any whole number")
_DECIMAL: Final = _of_pattern(r"-?[0-9]+\.[0-9]+", _PARTED, "any number with decimals")
_NUMBER: Final = _of_pattern(r"-?[0-9]+(\.[0-9]+)?", (*_WHOLE, *_PARTED), "any number")
_BOOLEAN: Final = _of_pattern("true|false", ("true", "false"), "true or false", listed=True)


def _type(matcher: Matcher, example: str) -> Spelled:
    """Every value is text here: the type that is meant is the one that the example is the text of."""
    for kind in (_BOOLEAN, _INTEGER, _NUMBER):
        found = kind(matcher, example)
        if found.accepts(example):
            # `type` of true is a boolean, and no list of values that somebody wrote.
            return Spelled(found.accepts, found.texts, False, found.said)
    return Spelled(lambda _: True, (example, "a", "text of some length", "a" * 300), False, "any text")


def _not_empty(matcher: Matcher, example: str) -> Spelled:
    found = _type(matcher, example)
    return Spelled(lambda text: text != "" and found.accepts(text), found.texts, False, "any text that is not empty")


def _include(matcher: Matcher, example: str) -> Spelled:
    part = _text(matcher.attributes.get("value", ""))
    texts = tuple(dict.fromkeys((example, part, f"a{part}", f"{part}a", f"a{part}a")))
    said = f"any text with {json.dumps(part, ensure_ascii=False)} in it"
    return Spelled(lambda text: part in text, tuple(text for text in texts if part in text), False, said)


def _moment(matcher: Matcher, example: str) -> Spelled:
    form = next(
        (str(matcher.attributes[key]) for key in ("format", matcher.name, "timestamp") if key in matcher.attributes),
        DEFAULTS[matcher.name],
    )
    texts = rendered(form)
    kinds = {_kind(text) for text in texts}
    return Spelled(lambda text: not kinds or _kind(text) in kinds, texts, False, f"any {matcher.name} as {form}")


def _kind(text: str) -> str:
    """Text with its digits and words taken for alike, and the zone written either way."""
    return re.sub(r"[A-Za-z]{2,}", "a", re.sub(r"\d", "0", re.sub(r"(?<=\d)([+-]\d\d:?\d\d|Z)$", "Z", text)))


def _any(_: Matcher, example: str) -> Spelled:
    return Spelled(lambda _: True, (example,), False, "anything")


_SEMVER: Final = r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?"

TABLE: Mapping[str, Callable[[Matcher, str], Spelled]] = {
    "equality": _equality,
    "type": _type,
    "regex": _regex,
    "number": _NUMBER,
    "integer": _INTEGER,
    "decimal": _DECIMAL,
    "boolean": _BOOLEAN,
    "null": _of_pattern("", ("",), "nothing", listed=True),
    "include": _include,
    "date": _moment,
    "time": _moment,
    "datetime": _moment,
    "semver": _of_pattern(_SEMVER, ("1.0.0", "0.10.2-rc.1+5"), "any semantic version"),
    "notEmpty": _not_empty,
    # A media type is looked at where bodies are, a status where answers are.
    "contentType": _any,
    "statusCode": _any,
    # Of the values of a list each: `values` of them are what their own rules say.
    "values": _any,
    "eachKey": _any,
    "eachValue": _any,
    "arrayContains": _any,
}


def first_refused(texts: Iterable[str], accepts: Accepts) -> str | None:
    return next((text for text in texts if not accepts(text)), None)
