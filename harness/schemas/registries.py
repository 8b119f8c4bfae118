"""The two registries: the landscape's contracts, and what discoverers have learnt."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from harness.schemas.documents import DRAFT_4, OPENAPI, contract_as_draft_4, of_contract, of_shape
from harness.schemas.model import CONTRACTS, DISCOVERED, Contract, Schema, Version, schema_name
from harness.schemas.shape import Shape, from_json, to_json
from harness.storage.replica import Replica
from harness.storage.state import Entry, Key

VERSIONS = ("schemas", "version")
"""Below it: account, schema, number; a version once written never changes."""


class ContractRegistry:
    """The same in every account: a landscape's contracts are there for all who read events. One version each, since a
    new version of a contract is a new detail-type.
    """

    name = CONTRACTS
    description = "Contracts of the events that the landscape's domains publish"

    def __init__(self, contracts: Iterable[Contract]) -> None:
        named = {schema_name(contract.source, contract.detail_type): contract for contract in contracts}
        self._contracts = dict(sorted(named.items()))

    def schemas(self, account: str) -> Sequence[Schema]:
        return [self._schema(name, contract) for name, contract in self._contracts.items()]

    def schema(self, account: str, name: str) -> Schema | None:
        contract = self._contracts.get(name)
        return None if contract is None else self._schema(name, contract)

    def content(self, account: str, name: str, number: int, type: str) -> str:
        contract = self._contracts[name]
        make = contract_as_draft_4 if type == DRAFT_4 else of_contract
        return make(contract.source, contract.detail_type, contract.schema)

    def _schema(self, name: str, contract: Contract) -> Schema:
        said = contract.schema.get("description")
        text = said if isinstance(said, str) else f"Published by {contract.owner}"
        return Schema(name, OPENAPI, (Version(1, contract.modified),), text)


class DiscoveredRegistry:
    name = DISCOVERED
    description = "Schemas that discoverers have learnt from events"

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._created: dict[Key, datetime] = {}

    def schemas(self, account: str) -> Sequence[Schema]:
        versions: dict[str, list[Version]] = {}
        for entry in self._replica.below((*VERSIONS, account)):
            versions.setdefault(entry.key[3], []).append(self._version(entry))
        return [Schema(name, OPENAPI, found) for name, found in sorted(versions.items())]

    def schema(self, account: str, name: str) -> Schema | None:
        found = self._versions(account, name)
        return Schema(name, OPENAPI, found) if found else None

    def content(self, account: str, name: str, number: int, type: str) -> str:
        entry = self._replica.get(version_key(account, name, number))
        kept = json.loads(entry.value) if entry is not None else {}
        return of_shape(kept["source"], kept["detail-type"], from_json(kept["shape"]), type)

    def _versions(self, account: str, name: str) -> list[Version]:
        return [self._version(entry) for entry in self._replica.below((*VERSIONS, account, name))]

    def _version(self, entry: Entry) -> Version:
        created = self._created.get(entry.key)
        if created is None:  # a version never changes, so it is read once
            created = self._created[entry.key] = datetime.fromisoformat(json.loads(entry.value)["created"])
        return Version(int(entry.key[4]), created)


def version_key(account: str, name: str, number: int) -> Key:
    """Numbers of equal length, so that they are in order as texts."""
    return (*VERSIONS, account, name, f"{number:04d}")


def version_value(source: str, detail_type: str, shape: Shape, created: datetime) -> bytes:
    kept = {"source": source, "detail-type": detail_type, "created": created.isoformat(), "shape": to_json(shape)}
    return json.dumps(kept).encode()
