"""Contracts and consumers of a landscape, read from its files: what the pure checks of contracts are given."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from harness.contracts.consumers import (
    ApiContract,
    EventContractFile,
    Footprint,
    PactFile,
    Provider,
    Published,
    Subscription,
    Use,
    pact_uses,
    published,
    read_pact_file,
    recorded_uses,
)
from harness.contracts.consumers.subscriptions import addressed
from harness.contracts.finding import Source
from harness.contracts.release import NAME, DomainState, EventState, Lock, VersionState, mode_of, parse_lock
from harness.contracts.schemas import Library, Location, Role, Schemas, Subject
from harness.contracts.usage import Usage, parse_usage
from harness.errors import InputError, Problem, did_you_mean
from harness.manifest import Domain, Landscape, load
from harness.manifest.files import MAX_CONTRACT_BYTES, Root, UnreadableError, read_text

_PACT = ".pact.json"
_RECORDED = ".recorded.jsonl"


@dataclass(frozen=True, slots=True)
class Recorded:
    consumer: str
    provider: str
    file: str
    usages: tuple[Usage, ...]


@dataclass(frozen=True, slots=True)
class Contracts:
    """All contracts of a landscape at one revision, and who relies on them. Files are named relative to `folder`."""

    folder: Path
    domains: Mapping[str, DomainState]
    pacts: tuple[PactFile, ...]
    recorded: tuple[Recorded, ...]
    subscriptions: tuple[Subscription, ...]

    def domain(self, name: str) -> DomainState:
        """Raises `InputError` for a name that no domain has."""
        if name not in self.domains:
            known = tuple(self.domains)
            hint = did_you_mean(name, known) or f": known are {', '.join(known)}"
            raise InputError([Problem("DOMAIN", 0, f'unknown domain "{name}"{hint}')])
        return self.domains[name]

    @property
    def events(self) -> tuple[Published, ...]:
        return published([event.contract for domain in self.domains.values() for event in domain.events.values()])

    def footprints(self, of: Provider, *, today: date, forget_after_days: int) -> tuple[Footprint, ...]:
        """Of every consumer of a provider, `of` being its contracts that paths and events are looked up in."""
        uses: dict[str, list[Use]] = defaultdict(list)
        rules: dict[str, list[Subscription]] = defaultdict(list)
        operations = {name: contract.operations for name, contract in of.versions.items()}
        for pact in self.pacts:
            if pact.provider == of.name:
                uses[pact.consumer] += pact_uses(pact, operations, of.events)
        for each in self.recorded:
            if each.provider == of.name:
                uses[each.consumer] += recorded_uses(
                    each.consumer,
                    of.name,
                    each.file,
                    each.usages,
                    today=today,
                    forget_after_days=forget_after_days,
                )
        about = published(list(of.events.values()))
        for rule in self.subscriptions:
            if addressed(rule.pattern, about):
                rules[rule.consumer].append(rule)
        return tuple(
            Footprint(consumer, of.name, tuple(uses[consumer]), tuple(rules[consumer]))
            for consumer in sorted({*uses, *rules})
        )


def read_contracts(manifest: Path) -> Contracts:
    """Raises `InputError` with every file that is wrong."""
    landscape = load(manifest)
    reader = _Reader(landscape)
    domains: dict[str, DomainState] = {}
    for name, domain in landscape.domains.items():
        domains[name] = reader.domain(domain)
    subscriptions = [
        Subscription(name, subscription.rule, subscription.source, Source(reader.shown(domain.file), 0))
        for name, domain in landscape.domains.items()
        for subscription in domain.subscriptions
    ]
    pacts, recorded = reader.consumers(landscape.domains.values())
    if reader.problems:
        raise InputError(sorted(set(reader.problems)))
    return Contracts(landscape.folder, domains, pacts, recorded, tuple(subscriptions))


def read_event(provider: str, name: str, file: str, read: Callable[[str], str]) -> EventContractFile:
    """An event's schema; `read` answers the text of a file by its name. Raises `InputError`."""
    library = Library(file, read)
    schemas = Schemas(library, Role.EVENT)
    said = library.root.value.get("x-event") if isinstance(library.root.value, dict) else None
    source = said.get("source") if isinstance(said, dict) else None
    detail = Subject(schemas, schemas.schema(Location(file, ())))
    return EventContractFile(provider, name, detail, source if isinstance(source, str) else "")


def lock_of(contract: Path) -> Path:
    """`contracts/released.lock` for `contracts/orders/v2/openapi.yaml` and `contracts/orders/events/….json`."""
    return contract.parent.parent.parent / NAME


class _Reader:
    """Reads files and puts down what is wrong with them, so that all mistakes are told at once."""

    def __init__(self, landscape: Landscape) -> None:
        self.problems: list[Problem] = []
        self._root = Root(landscape.folder)
        self._locks: dict[Path, Lock] = {}

    def shown(self, path: Path) -> str:
        return self._root.shown(path)

    def domain(self, domain: Domain) -> DomainState:
        contracts = _contract_files(domain)
        lock_path = lock_of(contracts[0]) if contracts else self._root.folder / "contracts" / NAME
        versions: dict[str, VersionState] = {}
        for name, version in domain.api.versions.items() if domain.api else ():
            try:
                contract = ApiContract(name, self.shown(version.contract), self._read)
                texts = self._texts(contract.library, lock_path, contract)
            except InputError as error:
                self.problems += error.problems
                continue
            versions[name] = VersionState(contract, texts, version.deprecated, version.sunset)
        events: dict[str, EventState] = {}
        for event in domain.publishes:
            try:
                file = self.shown(event.contract)
                events[event.name] = self._event(domain.name, event.name, file, lock_path)
            except InputError as error:
                self.problems += error.problems
        return DomainState(domain.name, versions, events, self._lock(lock_path), self.shown(lock_path))

    def _event(self, provider: str, name: str, file: str, lock_path: Path) -> EventState:
        contract = read_event(provider, name, file, self._read)
        library = contract.detail.schemas.library
        try:
            mode = mode_of(library.root.value)
        except ValueError as error:
            raise library.mistake(Location(file, ("x-event", "compatibility")), str(error)) from error
        return EventState(contract, self._texts(library, lock_path, None), mode)

    def _read(self, name: str) -> str:
        try:
            return read_text(self._root.folder / name, limit=MAX_CONTRACT_BYTES)
        except UnreadableError as error:
            raise InputError([Problem(name, error.line, error.text)]) from error

    def _texts(self, library: Library, lock_path: Path, contract: ApiContract | None) -> dict[str, str]:
        """By path below the lock's folder. Operations are read first, so that files they lead to are known."""
        if contract is not None:
            for method, template in contract.operations:
                contract.operation(method, template)
        return {
            Path(os.path.relpath(self._root.folder / name, lock_path.parent)).as_posix(): self._read(name)
            for name in library.files()
        }

    def _lock(self, path: Path) -> Lock:
        if path not in self._locks:
            self._locks[path] = Lock()
            if path.exists():
                try:
                    self._locks[path] = parse_lock(self._read(self.shown(path)), file=self.shown(path))
                except InputError as error:
                    self.problems += error.problems
        return self._locks[path]

    def consumers(self, domains: Iterable[Domain]) -> tuple[tuple[PactFile, ...], tuple[Recorded, ...]]:
        pacts: list[PactFile] = []
        recorded: list[Recorded] = []
        for domain in domains:
            for folder in dict.fromkeys(file.parent.parent / "consumers" for file in _contract_files(domain)):
                for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                    try:
                        self._consumer(path, domain.name, pacts, recorded)
                    except InputError as error:
                        self.problems += error.problems
        return tuple(pacts), tuple(recorded)

    def _consumer(self, path: Path, provider: str, pacts: list[PactFile], recorded: list[Recorded]) -> None:
        shown = self.shown(path)
        if path.name.endswith(_PACT):
            pact = read_pact_file(self._read(shown), file=shown)
            if pact.provider != provider:
                text = f'its provider is "{pact.provider}", and it lies with the contracts of "{provider}"'
                raise InputError([Problem(shown, 0, f"{text}: move it, or correct provider.name")])
            pacts.append(pact)
        elif path.name.endswith(_RECORDED):
            usages = parse_usage(self._read(shown), file=shown)
            recorded.append(Recorded(path.name.removesuffix(_RECORDED), provider, shown, usages))


def _contract_files(domain: Domain) -> list[Path]:
    files = [version.contract for version in domain.api.versions.values()] if domain.api else []
    return files + [event.contract for event in domain.publishes]
