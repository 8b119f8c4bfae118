"""OpenAPI documents as this project uses them: one file a major version, paths below `servers[0].url` (`/v2`)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""The fixed fields of a Path Item Object that hold an Operation Object (OpenAPI 3.1, 4.8.9)."""


@dataclass(frozen=True, slots=True)
class Operation:
    """`path` is the template below the server's base path, `method` in upper case."""

    method: str
    path: str
    operation_id: str

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"


def operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Every operation in the order of the document."""
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                yield Operation(method.upper(), path, item[method].get("operationId", ""))
