"""Policy variables and wildcards inside one string: `home/${aws:username}/*` as a sequence of tokens.

Source: IAM User Guide, "IAM policy elements: Variables and tags". Text that replaces a variable is literal: a `*` in it
is no wildcard, so that a caller who chooses a session name or tag cannot widen a policy.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from harness.policy.model import ContextValue


class Wild(Enum):
    ANY = "*"
    ONE = "?"


@dataclass(frozen=True, slots=True)
class Variable:
    """`${key}` or `${key, 'default'}`; `key` in lower case."""

    key: str
    default: str | None = None


Filled = tuple[str | Wild, ...]
"""Literal text and wildcards."""

Template = tuple[str | Wild | Variable, ...]
"""The same, with variables that wait for a request."""

_Token = TypeVar("_Token", str | Wild, str | Wild | Variable)

_VARIABLE = re.compile(r"\$\{(?:([*?$])|([\w.\-:/@+=]+)(?:\s*,\s*'([^']*)')?)\}")
_PLAIN = re.compile(r"[^*?$]+")


class TemplateError(ValueError):
    """A `${` that begins no variable. The text says how to write it."""


def parse_template(text: str, *, variables: bool, wildcards: bool) -> Template:
    """Tokens of `text`. `${*}`, `${?}` and `${$}` are those characters themselves. Raises TemplateError.

    With `variables` off (policy version 2008-10-17) `${…}` is literal text.
    """
    tokens: list[str | Wild | Variable] = []
    at = 0
    while at < len(text):
        plain = _PLAIN.match(text, at)
        if plain:
            tokens.append(plain.group())
            at = plain.end()
        elif variables and text.startswith("${", at):
            found = _VARIABLE.match(text, at)
            if not found:
                raise TemplateError(
                    f"\"{text[at:]}\" is no policy variable; write ${{key}}, ${{key, 'default'}} or, "
                    "for the characters themselves, ${*}, ${?}, ${$}"
                )
            escaped, key, default = found.groups()
            tokens.append(escaped or Variable(key.lower(), default))
            at = found.end()
        else:
            wild = wildcards and text[at] in "*?"
            tokens.append(Wild(text[at]) if wild else text[at])
            at += 1
    return joined(tokens)


def fill(template: Template, context: Mapping[str, ContextValue]) -> Filled | None:
    """The template with this request's values, None when a variable has none.

    A key with several values has no single text to put in, so it counts as unresolved even beside a default.
    """
    tokens: list[str | Wild] = []
    for token in template:
        if isinstance(token, Variable):
            value = context.get(token.key, token.default)
            if not isinstance(value, str):
                return None
            tokens.append(value)
        else:
            tokens.append(token)
    return joined(tokens)


def is_filled(template: Template) -> bool:
    return not any(isinstance(token, Variable) for token in template)


def keys_of(template: Template) -> Iterable[str]:
    return (token.key for token in template if isinstance(token, Variable))


def joined(tokens: Iterable[_Token]) -> tuple[_Token, ...]:
    """Neighbouring pieces of text as one, so that a plain string is one token."""
    joined: list[_Token] = []
    for token in tokens:
        if isinstance(token, str) and joined and isinstance(joined[-1], str):
            joined[-1] = joined[-1] + token
        else:
            joined.append(token)
    return tuple(joined)
