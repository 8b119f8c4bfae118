"""The documents that apply to one request."""

from dataclasses import dataclass

from harness.policy.document import Document


@dataclass(frozen=True, slots=True)
class PolicySet:
    """The documents that apply to one request.

    None means "no such policy is attached", an empty tuple of `scps` that the account is in no organisation. `scps`
    holds one tuple of documents for each level from the root to the account; each level must allow. `sessions` is
    None for a session without session policies.
    """

    identity: tuple[Document, ...] = ()
    resource: Document | None = None
    boundary: Document | None = None
    sessions: tuple[Document, ...] | None = None
    scps: tuple[tuple[Document, ...], ...] = ()
    endpoint: Document | None = None
