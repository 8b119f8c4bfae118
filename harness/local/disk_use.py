"""How much of its disk the event store of a running landscape uses, asked in passing: soon answered or not at all."""

import http.client
import json
from dataclasses import dataclass
from pathlib import Path

from harness.runtime import keys
from harness.runtime.folder import StateFolder
from harness.runtime.process import Kind
from harness.runtime.state import LandscapeState

PATIENCE_SECONDS = 2.0
MOST_BYTES = 16 * 1024 * 1024
ENDPOINT = "workbench"


@dataclass(frozen=True, slots=True)
class DiskUse:
    """`bound`: what the disk may come to hold. `unknown`: why neither is known, empty when they are."""

    bytes: int = 0
    bound: int = 0
    unknown: str = ""

    def to_json(self) -> dict[str, int] | None:
        return None if self.unknown else {"bytes": self.bytes, "bound": self.bound}

    def __str__(self) -> str:
        if self.unknown:
            return f"not known: {self.unknown}"
        return f"{self.bytes:,} B of at most {self.bound:,} B; each place with: harness events storage"


def disk_use(state: LandscapeState, folder: Path, *, patience: float = PATIENCE_SECONDS) -> DiskUse:
    """Of a landscape with the state folder `folder`. Fails for nothing that is about the landscape."""
    needed = {process.kind: process for process in state.processes if process.kind in (Kind.NATS, Kind.EDGE)}
    for process in needed.values():
        if not process.healthy:
            return DiskUse(unknown=f"{process.name} is not healthy")
    port, place = state.ports.get(ENDPOINT), _keys(folder)
    if port is None or place is None:
        return DiskUse(unknown="its workbench has no address here")
    return _ask(port, keys.master_key(place), patience)


def _keys(folder: Path) -> Path | None:
    """Of processes or of containers. Asking makes none."""
    places = (StateFolder(folder).keys, folder / "docker" / "keys")
    return next((place for place in places if (place / "master.key").is_file()), None)


def _ask(port: int, master_key: bytes, patience: float) -> DiskUse:
    from harness.local.operator import PREFIX, operator_token

    asked = http.client.HTTPConnection("localhost", port, timeout=patience)
    try:
        asked.request("GET", PREFIX + "storage", headers={"Authorization": f"Bearer {operator_token(master_key)}"})
        answer = asked.getresponse()
        if answer.status != 200:
            return DiskUse(unknown=f"the edge answered {answer.status}")
        told = json.loads(answer.read(MOST_BYTES))
        return DiskUse(int(told["bytes"]), int(told["bound"]))
    except TimeoutError:
        return DiskUse(unknown=f"the edge did not answer within {patience:g} s")
    except (OSError, http.client.HTTPException) as error:
        return DiskUse(unknown=f"the edge cannot be asked: {type(error).__name__}")
    except (ValueError, KeyError, TypeError):
        return DiskUse(unknown="the edge's answer is none")
    finally:
        asked.close()
