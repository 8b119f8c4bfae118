"""The condition keys that policies ask for: in their conditions, and as variables."""

from collections.abc import Iterable, Iterator

from harness.policy import Document
from harness.policy.statement import Statement
from harness.policy.variables import keys_of
from harness.policy.vocabulary import CONDITION_KEYS, KEY_FAMILIES

_SPELLED = {key.lower(): key for key in CONDITION_KEYS}
_FAMILIES = {family.lower(): family for family in KEY_FAMILIES}


def keys_of_statement(statement: Statement) -> Iterator[str]:
    for condition in statement.conditions:
        yield condition.key
        yield from condition.variables
    for pattern in statement.open_resources:
        yield from keys_of(pattern)


def keys_of_documents(documents: Iterable[Document]) -> list[str]:
    """Each key once, as AWS spells it, in the order of the documents."""
    statements = (statement for document in documents for statement in document.statements)
    return distinct(key for statement in statements for key in keys_of_statement(statement))


def distinct(keys: Iterable[str]) -> list[str]:
    return list({key.lower(): spelled(key) for key in keys}.values())


def spelled(key: str) -> str:
    """As AWS spells it; a key that is not listed here, and the name of a tag, as written."""
    lower = key.lower()
    prefix = lower.partition("/")[0] + "/"
    if prefix in _FAMILIES:
        return _FAMILIES[prefix] + key[len(prefix) :]
    return _SPELLED.get(lower, key)
