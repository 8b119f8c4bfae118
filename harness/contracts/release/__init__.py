"""What may ship: changes held against consumers, releases and their lock."""

from harness.contracts.release.compatibility import DEFAULT_MODE, Mode, ReleasedSchema, incompatibilities, mode_of
from harness.contracts.release.lock import NAME, Lock, Release, digest, parse_lock, serialise_lock
from harness.contracts.release.render import as_json, as_markdown, as_text, judged_text
from harness.contracts.release.state import DomainState, EventState, Released, VersionState
from harness.contracts.release.verdict import Diff, Judged, Settle, Verdict, judge_release

__all__ = [
    "DEFAULT_MODE",
    "NAME",
    "Diff",
    "DomainState",
    "EventState",
    "Judged",
    "Lock",
    "Mode",
    "Release",
    "Released",
    "ReleasedSchema",
    "Settle",
    "Verdict",
    "VersionState",
    "as_json",
    "as_markdown",
    "as_text",
    "digest",
    "incompatibilities",
    "judge_release",
    "judged_text",
    "mode_of",
    "parse_lock",
    "serialise_lock",
]
