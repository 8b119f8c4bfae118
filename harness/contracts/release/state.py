"""A domain's contracts at one revision: what is compared with another revision."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from harness.contracts.consumers import ApiContract, EventContractFile, Provider
from harness.contracts.release.compatibility import Mode, ReleasedSchema
from harness.contracts.release.lock import Lock


@dataclass(frozen=True, slots=True)
class VersionState:
    """`texts`: every file that the contract is made of, by its path below the folder of the lock, its own first."""

    contract: ApiContract
    texts: Mapping[str, str]
    deprecated: date | None = None
    sunset: date | None = None

    @property
    def key(self) -> str:
        return next(iter(self.texts))


@dataclass(frozen=True, slots=True)
class EventState:
    contract: EventContractFile
    texts: Mapping[str, str]
    mode: Mode

    @property
    def key(self) -> str:
        return next(iter(self.texts))


@dataclass(frozen=True, slots=True)
class DomainState:
    """`lock_file` is for people; `lock` is empty where there is no such file."""

    name: str
    versions: Mapping[str, VersionState]
    events: Mapping[str, EventState]
    lock: Lock
    lock_file: str

    @property
    def provider(self) -> Provider:
        return Provider(
            self.name,
            {name: version.contract for name, version in self.versions.items()},
            {name: event.contract for name, event in self.events.items()},
        )

    @property
    def texts(self) -> dict[str, str]:
        """Every contract file by its path in the lock."""
        found: dict[str, str] = {}
        for version in self.versions.values():
            found |= version.texts
        for event in self.events.values():
            found |= event.texts
        return found


@dataclass(frozen=True, slots=True)
class Released:
    """What released contracts were, as far as their texts could be found.

    `apis` has the latest release by version where it differs from the base; `events` all releases, oldest first.
    `lost`: contracts that have a release whose text was not found, by their path in the lock.
    """

    apis: Mapping[str, ApiContract] = field(default_factory=dict)
    events: Mapping[str, tuple[ReleasedSchema, ...]] = field(default_factory=dict)
    lost: tuple[str, ...] = ()
