"""All manifests of a landscape as they are written: shapes checked, nothing followed yet."""

import os
from dataclasses import dataclass
from pathlib import Path

from harness.errors import Problem
from harness.manifest.domain_file import DomainFile
from harness.manifest.fields import FAILED, At, C, Where, record
from harness.manifest.files import MAX_MANIFEST_BYTES, Root, UnreadableError, read_text
from harness.manifest.harness_file import HarnessFile
from harness.manifest.include import included
from harness.yaml_source import parse_yaml


@dataclass(frozen=True, slots=True)
class Source:
    """A domain.yaml; `path` is real and absolute."""

    path: Path
    where: Where
    entry: DomainFile

    @property
    def folder(self) -> Path:
        return self.path.parent


@dataclass(frozen=True, slots=True)
class Written:
    """A harness.yaml (`path` is real and absolute) and what it includes."""

    path: Path
    where: Where
    entry: HarnessFile
    domains: tuple[Source, ...]

    @property
    def folder(self) -> Path:
        return self.path.parent

    @property
    def root(self) -> Root:
        return Root(self.path.parent)


def read(harness_yaml: Path, problems: list[Problem]) -> Written | None:
    """None when the harness.yaml itself could not be made sense of."""
    # Links are followed first, so that `..` means the same to us and to the operating system.
    path = Path(os.path.realpath(harness_yaml))
    root = Root(path.parent)
    where = Where(path.name, problems)
    entry = _read(path, HarnessFile, where, At(path, 0), where)
    if entry is None:
        return None
    sources = []
    for domain_yaml, line in included(entry.include, path, where):
        inside = Where(root.shown(domain_yaml), problems)
        domain = _read(domain_yaml, DomainFile, inside, At(domain_yaml, line), where)
        if domain is not None:
            sources.append(Source(domain_yaml, inside, domain))
    return Written(path, where, entry, tuple(sources))


def _read(path: Path, shape: type[C], inside: Where, named: At[Path], namer: Where) -> C | None:
    try:
        text = read_text(path, limit=MAX_MANIFEST_BYTES)
    except UnreadableError as error:
        # Where the harness.yaml itself is missing, nothing names it.
        namer.unreadable(named, inside.file if named.line else "", error, file=inside.file)
        return None
    node, flaws = parse_yaml(text)
    inside.flaws(flaws)
    if node is None:
        return None
    entry = record(shape)(node, inside)
    return None if entry is FAILED else entry
