"""What STS accepts as a parameter: one table, and AWS's sentence for each way to miss it.

Source: botocore's model of sts 2011-06-15 (min, max, pattern of each shape); the sentences as AWS sends them.
"""

import unicodedata
from collections.abc import Iterable, Mapping

from harness.query_protocol import constraints
from harness.query_protocol.answers import Refusal
from harness.query_protocol.calls import Parameters
from harness.query_protocol.constraints import Text, Whole, violation

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
_TAG_KEY = (1, 128, r"[\p{L}\p{Z}\p{N}_.:/=+\-@]+")
_TAG_VALUE = (0, 256, r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*")
_TAG_SIGNS = frozenset("_.:/=+-@")


def check(
    parameters: Parameters, *, required: Iterable[str], optional: Iterable[str] = (), more: Iterable[str] = ()
) -> Refusal | None:
    """`harness.query_protocol.constraints.check` with the table of STS."""
    return constraints.check(parameters, CONSTRAINTS, required=required, optional=optional, more=more)


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


def _tag_violations(where: str, text: str | None, least: int, most: int, shown: str) -> Iterable[str]:
    if text is None:
        yield f"Value null at '{where}' failed to satisfy constraint: Member must not be null"
        return
    yield from (violation(text, where, sentence) for sentence in Text(least, most).violations(text))
    # Python's re has no \p{…}: letters, separators and numbers by their Unicode category.
    if not all(sign in _TAG_SIGNS or unicodedata.category(sign)[0] in "LZN" for sign in text):
        yield violation(text, where, f"Member must satisfy regular expression pattern: {shown}")
