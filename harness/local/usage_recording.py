"""The recording of a landscape: what knows its contracts, its consumers and its files, put together."""

from pathlib import Path

from harness import manifest
from harness.contracts.recording import CallReader
from harness.contracts.schemas import Library
from harness.identity import Sealer
from harness.local.consumers import Consumers, consumer_names
from harness.local.contract_files import contract_text
from harness.local.usage_files import UsageFiles
from harness.local.usage_recorder import Readers, UsageRecorder


def readers(landscape: manifest.Landscape) -> Readers:
    """Raises `InputError` for a contract whose names cannot be told."""
    return {
        name: {
            version.name: CallReader(version.name, Library(str(version.contract), contract_text))
            for version in api.versions.values()
        }
        for name, api in landscape.apis().items()
    }


def check_recording(landscape: manifest.Landscape, lock: Path) -> None:
    """Raises `InputError` with what would keep a landscape from recording."""
    readers(landscape)
    UsageFiles(landscape, lock).check()


def usage_recorder(landscape: manifest.Landscape, sealer: Sealer, lock: Path) -> UsageRecorder:
    """`lock`: see `UsageFiles`."""
    consumers = Consumers(consumer_names(landscape), sealer)
    return UsageRecorder(readers(landscape), consumers.of, UsageFiles(landscape, lock))
