"""Deprecation and sunset of a version as the manifest says them, and what may be done to them.

A version goes after its sunset (RFC 8594), and a sunset that was announced does not come earlier.
"""

from collections.abc import Iterator
from datetime import date

from harness.contracts.finding import Finding, Level, Place, Source
from harness.contracts.release.state import VersionState

_VERSION = Place("api", "document")


def lifecycle_changes(name: str, old: VersionState, new: VersionState | None, *, today: date) -> Iterator[Finding]:
    """Findings about the whole version. The level is that for a version which somebody uses."""
    source = Source(old.contract.file, 0)
    if new is None:
        yield _removed(name, old, source, today)
        return
    if old.sunset is not None and new.sunset is None:
        text = f"the sunset of {name} on {old.sunset} is no longer announced"
        yield Finding("version-sunset-withdrawn", Level.SAFE, _VERSION, text, old=source)
    elif old.sunset is not None and new.sunset is not None and new.sunset < old.sunset:
        text = f"the sunset of {name} comes on {new.sunset}, and {old.sunset} was announced"
        yield Finding("version-sunset-earlier", Level.BREAKING, _VERSION, text, old=source)
    if new.sunset is not None and new.sunset <= today:
        text = f"the sunset of {name} was on {new.sunset}"
        yield Finding("version-past-sunset", Level.RISKY, _VERSION, text, old=source)


def _removed(name: str, old: VersionState, source: Source, today: date) -> Finding:
    if old.sunset is None:
        text = f"{name} is gone, and no sunset was announced"
        return Finding("version-removed-without-sunset", Level.BREAKING, _VERSION, text, old=source)
    if today < old.sunset:
        text = f"{name} is gone before its sunset on {old.sunset}"
        return Finding("version-removed-before-sunset", Level.BREAKING, _VERSION, text, old=source)
    text = f"{name} is gone, after its sunset on {old.sunset}"
    return Finding("version-removed-after-sunset", Level.SAFE, _VERSION, text, old=source)
