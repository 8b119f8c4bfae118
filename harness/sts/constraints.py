"""What STS accepts as a parameter: one table, and AWS's sentence for each way to miss it.

Source: botocore's model of sts 2011-06-15 (min, max, pattern of each shape); the sentences as AWS sends them.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.sts.answers import Refusal
from harness.sts.query import Parameters


@dataclass(frozen=True, slots=True)
class Text:
    """Length in characters. `shown` is the pattern as AWS prints it, `pattern` the same for Python."""

    least: int
    most: int
    shown: str = ""
    pattern: str = ""

    def violations(self, value: str) -> Iterable[str]:
        if len(value) < self.least:
            yield f"Member must have length greater than or equal to {self.least}"
        if len(value) > self.most:
            yield f"Member must have length less than or equal to {self.most}"
        if self.shown and not re.fullmatch(self.pattern or self.shown, value, re.ASCII):
            yield f"Member must satisfy regular expression pattern: {self.shown}"


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number."""

    least: int
    most: int

    def violations(self, value: str) -> Iterable[str]:
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", value):
            yield "Member must be a whole number"
        elif int(value) < self.least:
            yield f"Member must have value greater than or equal to {self.least}"
        elif int(value) > self.most:
            yield f"Member must have value less than or equal to {self.most}"


_NAME = r"[\w+=,.@-]*"
_ARN = Text(
    20,
    2048,
    r"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+",
    "[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u0085\\u00A0-\\uD7FF\\uE000-\\uFFFD\\U00010000-\\U0010FFFF]+",
)

CONSTRAINTS: Mapping[str, Text | Whole] = {
    "RoleArn": _ARN,
    "RoleSessionName": Text(2, 64, _NAME),
    "DurationSeconds": Whole(900, 43_200),
    "Policy": Text(1, 2048, r"[\u0009\u000A\u000D\u0020-\u00FF]+"),
    "ExternalId": Text(2, 1224, r"[\w+=,.@:\/-]*"),
    "SourceIdentity": Text(2, 64, _NAME),
    "SerialNumber": Text(9, 256, r"[\w+=/:,.@-]*"),
    "TokenCode": Text(6, 6, r"[\d]*"),
    "WebIdentityToken": Text(4, 20_000),
    "ProviderId": Text(4, 2048),
    "AccessKeyId": Text(16, 128, r"[\w]*"),
}

MAX_TAGS = 50
MAX_POLICY_ARNS = 10
_TAG_KEY = (1, 128, r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+")
_TAG_VALUE = (0, 256, r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*")
_TAG_SIGNS = frozenset("_.:/=+-@")


def check(
    parameters: Parameters, *, required: Iterable[str], optional: Iterable[str] = (), more: Iterable[str] = ()
) -> Refusal | None:
    """All violations at once, as AWS counts them. `more`: violations found elsewhere (of lists)."""
    found = [
        f"Value null at '{member(name)}' failed to satisfy constraint: Member must not be null"
        for name in required
        if name not in parameters
    ]
    for name in (*required, *optional):
        if name in parameters:
            found.extend(
                violation(parameters[name], member(name), sentence)
                for sentence in CONSTRAINTS[name].violations(parameters[name])
            )
    found.extend(more)
    if not found:
        return None
    noun = "error" if len(found) == 1 else "errors"
    return Refusal("ValidationError", f"{len(found)} validation {noun} detected: {'; '.join(found)}")


def check_tags(tags: Iterable[tuple[str | None, str | None]]) -> list[str]:
    """Violations of `Tags` as (key, value) pairs in order; None stands for a part that was not sent."""
    tags = list(tags)
    found = []
    if len(tags) > MAX_TAGS:
        found.append(
            f"Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to {MAX_TAGS}"
        )
    for number, (key, value) in enumerate(tags, start=1):
        for part, text, rule in (("key", key, _TAG_KEY), ("value", value, _TAG_VALUE)):
            found.extend(_tag_violations(f"tags.{number}.member.{part}", text, *rule))
    return found


def check_tag_keys(keys: Iterable[str]) -> list[str]:
    """Violations of `TransitiveTagKeys`."""
    return [
        text
        for number, key in enumerate(keys, start=1)
        for text in _tag_violations(f"transitiveTagKeys.{number}.member", key, *_TAG_KEY)
    ]


def violation(value: str, where: str, sentence: str) -> str:
    return f"Value '{value}' at '{where}' failed to satisfy constraint: {sentence}"


def member(name: str) -> str:
    """`RoleArn` is `roleArn` in AWS's sentences."""
    return name[0].lower() + name[1:]


def _tag_violations(where: str, text: str | None, least: int, most: int, shown: str) -> Iterable[str]:
    if text is None:
        yield f"Value null at '{where}' failed to satisfy constraint: Member must not be null"
        return
    yield from (violation(text, where, sentence) for sentence in Text(least, most).violations(text))
    # Python's re has no \p{…}: letters, separators and numbers by their Unicode category.
    if not all(sign in _TAG_SIGNS or unicodedata.category(sign)[0] in "LZN" for sign in text):
        yield violation(text, where, f"Member must satisfy regular expression pattern: {shown}")
