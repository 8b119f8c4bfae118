"""Which domain.yaml files an `include` means."""

import os
from pathlib import Path

from harness.manifest.fields import At, Where
from harness.manifest.files import Root, near

_WILDCARDS = "*?["


def included(patterns: tuple[At[str], ...], harness_yaml: Path, where: Where) -> list[tuple[Path, int]]:
    """The real path of each file, once, with the line that includes it; by pattern, then by path."""
    found: dict[str, tuple[Path, int]] = {}
    for pattern in patterns:
        for path in _matches(pattern, harness_yaml.parent, where):
            real = os.path.realpath(path)
            if real == str(harness_yaml):
                where.problem(
                    pattern.line, f'include: "{pattern.value}" includes this file itself: name domain.yaml files'
                )
            else:
                found.setdefault(real, (Path(real), pattern.line))
    return list(found.values())


def _matches(pattern: At[str], folder: Path, where: Where) -> list[Path]:
    text = pattern.value
    if text.startswith(("/", "~")) or "\\" in text:
        where.problem(pattern.line, f'include: "{text}" is not a relative path: write it relative to this file')
        return []
    if not any(character in text for character in _WILDCARDS):
        return [folder / text]
    try:
        paths = [path for path in folder.glob(text) if not _hidden(path, text, folder)]
    except (ValueError, NotImplementedError) as error:  # "**" as a part of a name
        where.problem(pattern.line, f'include: "{text}" is not a pattern: {error}')
        return []
    if not paths:
        fixed = Path(*(part for part in Path(text).parts[: _first_wildcard(text)]))
        hint = "" if (folder / fixed).is_dir() else near(folder / fixed)
        where.problem(pattern.line, f'include: "{text}" matches no file{hint}')
    return sorted(paths)


def _first_wildcard(text: str) -> int:
    parts = Path(text).parts
    return next(index for index, part in enumerate(parts) if any(c in part for c in _WILDCARDS))


def _hidden(path: Path, pattern: str, folder: Path) -> bool:
    """Whether a wildcard led into a folder such as `.venv`, as no shell would."""
    parts = Root(folder).shown(path).split("/")
    return any(part.startswith(".") and part != ".." and part not in pattern for part in parts)
