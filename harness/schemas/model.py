"""Registries, schemas and discoverers as EventBridge names them, and how they are kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from harness.wire import PARTITION

CONTRACTS = "contracts"
DISCOVERED = "discovered-schemas"


@dataclass(frozen=True, slots=True)
class Contract:
    """A published event: `schema` is the parsed JSON Schema of its detail, `modified` aware and in UTC."""

    source: str
    detail_type: str
    schema: Mapping[str, Any]
    modified: datetime
    owner: str


@dataclass(frozen=True, slots=True)
class Version:
    """`number` from 1. `content` by document type, made when it is asked for."""

    number: int
    created: datetime


@dataclass(frozen=True, slots=True)
class Schema:
    """`versions`: oldest first, at least one."""

    name: str
    type: str
    versions: Sequence[Version]
    description: str = ""

    @property
    def newest(self) -> Version:
        return self.versions[-1]


class Registry(Protocol):
    name: str
    description: str

    def schemas(self, account: str) -> Sequence[Schema]:
        """In the order of their names."""

    def schema(self, account: str, name: str) -> Schema | None: ...

    def content(self, account: str, name: str, number: int, type: str) -> str:
        """The document of a version that there is."""


@dataclass(frozen=True, slots=True)
class Discoverer:
    id: str
    account: str
    source_arn: str
    started: bool = True
    description: str = ""
    cross_account: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)


def schema_name(source: str, detail_type: str) -> str:
    """`{source}@{DetailType}`: the detail-type in one word, each part with a capital."""
    words = detail_type.split()
    return f"{source}@{''.join(word[:1].upper() + word[1:] for word in words) if len(words) > 1 else ''.join(words)}"


def registry_arn(region: str, account: str, registry: str) -> str:
    return f"arn:{PARTITION}:schemas:{region}:{account}:registry/{registry}"


def schema_arn(region: str, account: str, registry: str, schema: str) -> str:
    return f"arn:{PARTITION}:schemas:{region}:{account}:schema/{registry}/{schema}"


def discoverer_arn(region: str, account: str, discoverer: str) -> str:
    return f"arn:{PARTITION}:schemas:{region}:{account}:discoverer/{discoverer}"
