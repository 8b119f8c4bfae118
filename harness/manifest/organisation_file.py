"""How the organisation is written in a harness.yaml: its id alone, or the tree of units with their policies."""

from collections.abc import Mapping
from pathlib import Path

from harness.manifest import formats
from harness.manifest.fields import (
    FAILED,
    At,
    Failed,
    Where,
    located,
    mapping,
    optional,
    record,
    required,
    sequence,
    shape,
    text,
)
from harness.manifest.roles import PATH
from harness.yaml_source import Node, Table

_POLICIES = sequence(PATH, at_least=1)  # AWS keeps at least one attached everywhere
_ACCOUNTS = sequence(located(text))
POLICIES_ABOUT = "service control policies attached here (files); `[FullAWSAccess]` by default, as on AWS"


def _unit(node: Node, where: Where) -> "UnitEntry | Failed":
    return record(UnitEntry)(node, where)


_UNITS = mapping(formats.NAME.mistake, located(_unit))


@shape
class UnitEntry:
    id: At[str] | None = optional(
        located(formats.UNIT), default=None, about="its id in `aws:PrincipalOrgPaths`; by default one is made up"
    )
    policies: tuple[At[Path], ...] = optional(_POLICIES, default=(), about=POLICIES_ABOUT)
    accounts: tuple[At[str], ...] = optional(_ACCOUNTS, default=(), about="accounts in it, by name")
    units: "Mapping[str, At[UnitEntry]]" = optional(
        _UNITS, default={}, about="units below it, by name; five deep at most"
    )


@shape
class RootEntry:
    id: At[str] | None = optional(
        located(formats.ROOT), default=None, about="its id in `aws:PrincipalOrgPaths`; by default one is made up"
    )
    policies: tuple[At[Path], ...] = optional(_POLICIES, default=(), about=POLICIES_ABOUT)
    accounts: tuple[At[str], ...] = optional(
        _ACCOUNTS, default=(), about="accounts in it, by name; those that no unit names are in it, too"
    )
    units: Mapping[str, At[UnitEntry]] = optional(_UNITS, default={}, about="organisational units, by name")


@shape
class OrganisationEntry:
    id: str = required(formats.ORGANISATION, instead="", about="id of the AWS organisation: `aws:PrincipalOrgID`")
    root: RootEntry = optional(record(RootEntry), default=RootEntry(), about="the root of its tree")
    management: At[str] | None = optional(
        located(text), default=None, about="the management account, which no service control policy limits"
    )


def organisation(node: Node, where: Where) -> OrganisationEntry | Failed:
    if isinstance(node, Table):
        return record(OrganisationEntry)(node, where)
    alone = formats.ORGANISATION(node, where)
    return FAILED if alone is FAILED else OrganisationEntry(id=alone)
