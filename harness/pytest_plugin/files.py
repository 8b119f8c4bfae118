"""Contract files as collectors. A file that cannot be read is told as its mistakes are everywhere: file, line, mend."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.contracts import EventContract, Pact, operations, read_pact
from harness.errors import HarnessError, InputError, Problem
from harness.manifest.contracts import read_openapi
from harness.manifest.fields import At, Where
from harness.manifest.files import MAX_CONTRACT_BYTES, Root, UnreadableError, read_text
from harness.pytest_plugin.items import EventItem, ExpectationItem, FuzzItem


def contract_file(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """The collector of a file three folders deep in contracts/; None for one that is no contract."""
    kind = path.parts[-2]
    if kind == "consumers":
        return PactFile.from_parent(parent, path=path) if path.name.endswith(".pact.json") else None
    if kind == "events":
        return EventFile.from_parent(parent, path=path) if path.suffix == ".json" else None
    return OpenApiFile.from_parent(parent, path=path) if path.name == "openapi.yaml" else None


class ContractFile(pytest.File):
    def collect(self) -> list[pytest.Item]:
        try:
            return list(self.items())
        except HarnessError as error:
            raise self.CollectError(str(error)) from error

    def items(self) -> Iterator[pytest.Item]:
        raise NotImplementedError

    @property
    def shown(self) -> str:
        return Root(self.config.rootpath).shown(self.path)

    def text(self) -> str:
        try:
            return read_text(self.path, limit=MAX_CONTRACT_BYTES)
        except UnreadableError as error:
            raise InputError([Problem(self.shown, error.line, error.text)]) from error


class OpenApiFile(ContractFile):
    def items(self) -> Iterator[pytest.Item]:
        provider, version = self.path.parts[-3:-1]
        problems: list[Problem] = []
        where = Where(self.shown, problems)
        # As the landscape reads it, so that both find the same mistakes.
        document = read_openapi(At(self.path, 0), self.path, version, Root(self.config.rootpath), where)
        if document is None:
            raise InputError(problems)
        for operation in operations(document):
            yield FuzzItem.from_parent(
                self, name=operation.label, document=document, operation=operation, api=provider, version=version
            )


class PactFile(ContractFile):
    def items(self) -> Iterator[pytest.Item]:
        pact = read_pact(self.text(), file=self.shown)
        for interaction, name in zip(pact.interactions, _names(pact), strict=True):
            yield ExpectationItem.from_parent(self, name=name, pact=pact, interaction=interaction)


def _names(pact: Pact) -> Iterator[str]:
    """The descriptions; with the provider's states where several interactions have one description."""
    times = Counter(interaction.description for interaction in pact.interactions)
    for interaction in pact.interactions:
        alone = times[interaction.description] == 1 or not interaction.states
        yield interaction.description + ("" if alone else f" ({', '.join(interaction.states)})")


class EventFile(ContractFile):
    def items(self) -> Iterator[pytest.Item]:
        contract = EventContract(self.path.parts[-3], self.path.stem, self.text(), file=self.shown)
        yield EventItem.from_parent(self, name=contract.detail_type, contract=contract)
