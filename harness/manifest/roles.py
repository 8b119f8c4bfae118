"""How a role is written, in an account of the harness.yaml or in a domain.yaml."""

from collections.abc import Mapping
from pathlib import Path

from harness.manifest import formats
from harness.manifest.fields import At, integer, located, mapping, optional, required, sequence, shape, text

PATH = located(formats.relative_path)


@shape
class RoleEntry:
    trust: At[Path] | None = required(PATH, instead=None, about="trust policy: who may assume the role (file)")
    policies: tuple[At[Path], ...] = optional(
        sequence(PATH), default=(), about="identity policies: what the role may do (files)"
    )
    boundary: At[Path] | None = optional(
        PATH, default=None, about="permissions boundary: what it may do at most (file)"
    )
    path: str = optional(formats.ROLE_PATH, default="/", about="path in the role's ARN; `/` by default")
    tags: Mapping[str, str] = optional(
        mapping(formats.TAG_KEY.mistake, text), default={}, about="tags: `aws:PrincipalTag/…` in conditions"
    )
    max_session_seconds: int = optional(
        integer(3600, 43_200), default=3600, about="longest session in seconds; 3600 by default"
    )
