"""The policy files that manifests name, each compiled once for each place that it is attached to."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import InputError
from harness.manifest.fields import At, Where
from harness.manifest.files import MAX_POLICY_BYTES, Root, UnreadableError, read_text
from harness.policy.document import Document, compile_document
from harness.policy.model import PolicyKind


@dataclass(frozen=True, slots=True)
class PolicyFiles:
    root: Root
    compiled: dict[tuple[str, PolicyKind, str], Document | None] = field(default_factory=dict)

    def read(self, named: At[Path], kind: PolicyKind, folder: Path, where: Where, api_arn: str = "") -> Document | None:
        """The document in a file named relative to `folder`; None after its mistakes have been put down.

        A file that cannot be read is a mistake of whoever names it; what is wrong in it is one of its own, told once.
        """
        path = folder / named.value
        attached = (os.path.realpath(path), kind, api_arn)
        if attached not in self.compiled:
            self.compiled[attached] = self._compile(path, named, kind, where, api_arn)
        return self.compiled[attached]

    def _compile(self, path: Path, named: At[Path], kind: PolicyKind, where: Where, api_arn: str) -> Document | None:
        shown = self.root.shown(path)
        try:
            text = read_text(path, limit=MAX_POLICY_BYTES)
            return compile_document(text, kind=kind, name=path.stem, file=shown, api_arn=api_arn)
        except UnreadableError as error:
            where.unreadable(named, shown, error)
        except InputError as error:
            where.problems.extend(error.problems)
        return None
