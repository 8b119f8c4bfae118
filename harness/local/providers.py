"""Providers made from the contracts that the manifests name."""

import os

from harness import manifest
from harness.contracts.stub import Provider
from harness.errors import InputError, Problem


def provider_of(landscape: manifest.Landscape, api: str, *, seed: int) -> Provider:
    """Raises `InputError`, also for a contract that leaves an answer open."""
    found = landscape.apis().get(api)
    if found is None:
        raise InputError([Problem(landscape.file.name, 0, f'"{api}" has no API, and a stub is made from one')])
    versions = found.versions.values()
    return Provider(
        {version.name: version.openapi for version in versions},
        files={version.name: os.path.relpath(version.contract, landscape.folder) for version in versions},
        seed=seed,
    )
