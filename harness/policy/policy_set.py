"""The documents that apply to one request, and which of their statements are about its caller and its action."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from harness.policy.document import Document
from harness.policy.model import PolicyKind, Principal
from harness.policy.statement import Statement

_REMEMBERED_ACTIONS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Applicable:
    """The statements about one caller and one action: what is left to ask of them is resource and conditions.

    `denies` are those of all documents, in the order in which a refusal names them; the others are Allow statements.
    `resource` has with each statement how it names the caller (bits of `Reach`). None: no such policy is attached.
    """

    principal: Principal
    denies: tuple[tuple[Statement, PolicyKind], ...]
    scps: tuple[tuple[Statement, ...], ...]
    endpoint: tuple[Statement, ...] | None
    resource: tuple[tuple[Statement, int], ...]
    identity: tuple[Statement, ...]
    boundary: tuple[Statement, ...] | None
    sessions: tuple[Statement, ...] | None


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
    _applicable: dict[str, Applicable] = field(default_factory=dict, init=False, repr=False, compare=False)

    def attached(self) -> Iterator[tuple[PolicyKind, tuple[Document, ...]]]:
        """Every document with the place it is attached to, in the order in which a refusal names them."""
        for level in self.scps:
            yield PolicyKind.SCP, level
        if self.endpoint is not None:
            yield PolicyKind.ENDPOINT, (self.endpoint,)
        if self.resource is not None:
            yield PolicyKind.RESOURCE, (self.resource,)
        yield PolicyKind.IDENTITY, self.identity
        if self.boundary is not None:
            yield PolicyKind.BOUNDARY, (self.boundary,)
        if self.sessions is not None:
            yield PolicyKind.SESSION, self.sessions

    def applicable(self, principal: Principal, action: str) -> Applicable:
        """Remembered by action, for the latest caller: a set with identity policies has only one."""
        found = self._applicable.get(action)
        if found is None or found.principal is not principal:
            if len(self._applicable) >= _REMEMBERED_ACTIONS:
                self._applicable.clear()
            found = self._applicable[action] = self._choose(principal, action)
        return found

    def _choose(self, principal: Principal, action: str) -> Applicable:
        def allows(documents: Iterable[Document]) -> tuple[Statement, ...]:
            return tuple(
                statement
                for document in documents
                for statement in document.select(action).allows
                if statement.names(principal)
            )

        return Applicable(
            principal,
            denies=tuple(
                (statement, kind)
                for kind, documents in self.attached()
                for document in documents
                for statement in document.select(action).denies
                if statement.names(principal)
            ),
            scps=tuple(allows(level) for level in self.scps),
            endpoint=None if self.endpoint is None else allows((self.endpoint,)),
            resource=()
            if self.resource is None
            else tuple((statement, statement.names(principal)) for statement in allows((self.resource,))),
            identity=allows(self.identity),
            boundary=None if self.boundary is None else allows((self.boundary,)),
            sessions=None if self.sessions is None else allows(self.sessions),
        )
