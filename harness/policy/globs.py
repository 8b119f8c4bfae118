"""Wildcards as fast tests: `*` is any run of characters, `?` exactly one, and neither crosses a colon before an ARN's
resource part (IAM User Guide, "IAM JSON policy elements: Resource").

A caller chooses what is matched, a policy's author what it is matched against. Each run up to a literal is therefore an
atomic group: the leftmost place is always a good one for a glob, and no input makes the expression backtrack.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from harness.policy.model import ContextValue
from harness.policy.variables import Filled, Template, Wild, fill

Test = Callable[[str], object]
"""Answers truthy when the text matches."""

ARN_PARTS = 6
_NO_ARN: Filled = ("",)
_ANY_CHARACTER = "."
_ANY_BUT_COLON = "[^:]"


def never(_: str) -> bool:
    return False


def always(_: str) -> bool:
    return True


def glob_test(patterns: Sequence[Filled], *, ignore_case: bool = False) -> Test:
    """Matches when one of the globs matches the whole text."""
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    return _one_of([_expression(pattern, _ANY_CHARACTER) for pattern in patterns], flags)


def arn_test(patterns: Sequence[Filled]) -> Test:
    """Matches when one of the ARN globs matches, part by part. A pattern or text that is no ARN never matches.

    The two frequent forms, whole ARNs and prefixes ending in `*`, need no regular expression.
    """
    whole, prefixes, others = set(), [], []
    for pattern in patterns:
        match pattern:
            case (str(text),) if _is_arn(text):
                whole.add(text)
            case (str(text), Wild.ANY) if _is_arn(text):
                prefixes.append(text)
            case _:
                others.append(pattern)
    if not prefixes and not others:
        return whole.__contains__ if whole else never
    if not whole and not others:
        return _prefix_test(tuple(prefixes))
    return _one_of([_arn_expression(pattern) for pattern in patterns], re.DOTALL)


@lru_cache(maxsize=1024)
def filled_arn_test(pattern: Filled) -> Test:
    """`arn_test` for a pattern made from a request's values; the cache is bounded since callers choose some of them."""
    return arn_test([pattern])


@lru_cache(maxsize=1024)
def filled_glob_test(pattern: Filled) -> Test:
    return glob_test([pattern])


def arn_parts(pattern: Template) -> list[Template]:
    """A pattern split at its first five colons; fewer than six parts when it has fewer colons."""
    parts: list[Template] = []
    part: Template = ()
    for token in pattern:
        if not isinstance(token, str):
            part = (*part, token)
            continue
        head, *rest = token.split(":", ARN_PARTS - 1 - len(parts))
        part = (*part, head) if head else part
        for text in rest:
            parts.append(part)
            part = (text,) if text else ()
    return [*parts, part]


def fill_arn(pattern: Template, context: Mapping[str, ContextValue]) -> Filled | None:
    """`fill` for an ARN. A value with a colon before the resource part would move the parts: that matches nothing."""
    parts = [fill(part, context) for part in arn_parts(pattern)]
    filled = [part for part in parts if part is not None]
    if len(filled) != len(parts):
        return None
    if any(":" in str(token) for part in filled[: ARN_PARTS - 1] for token in part):
        return _NO_ARN
    return fill(pattern, context)


def _is_arn(text: str) -> bool:
    return text.startswith("arn:") and text.count(":") >= ARN_PARTS - 1


def _prefix_test(prefixes: tuple[str, ...]) -> Test:
    prefix = prefixes[0] if len(prefixes) == 1 else prefixes
    return lambda text: text.startswith(prefix)


def _one_of(expressions: Sequence[str | None], flags: int) -> Test:
    valid = [expression for expression in expressions if expression is not None]
    if not valid:
        return never
    return re.compile("|".join(f"(?:{expression})" for expression in valid), flags).fullmatch


def _arn_expression(pattern: Filled) -> str | None:
    parts = arn_parts(pattern)
    if len(parts) != ARN_PARTS or parts[0] != ("arn",):
        return None
    before = [_expression(part, _ANY_BUT_COLON) for part in parts[:-1]]
    return ":".join([*before, _expression(parts[-1], _ANY_CHARACTER)])


def _expression(tokens: Template, any_one: str) -> str:
    runs = [""]
    for token in tokens:
        if token is Wild.ANY:
            runs.append("")
        elif token is Wild.ONE:
            runs[-1] += any_one
        else:
            runs[-1] += re.escape(str(token))
    if len(runs) == 1:
        return runs[0]
    first, *middle, last = runs
    return first + "".join(f"(?>{any_one}*?{run})" for run in middle if run) + f"{any_one}*{last}"
