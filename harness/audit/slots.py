"""The documents that decide about one request, each with its place, so that one can be exchanged for another."""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

from harness.policy import (
    AccessRequest,
    Decision,
    Document,
    PolicyKind,
    PolicySet,
    compile_document,
    evaluate,
    evaluate_trust,
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A document where it is attached. `level` counts the levels of service control policies, `at` within one."""

    kind: PolicyKind
    document: Document
    level: int = 0
    at: int = 0


@dataclass(frozen=True, slots=True)
class Documents:
    """`trust` is set when the question is whether a role may be taken up."""

    policies: PolicySet
    trust: Document | None = None
    api_arn: str = ""

    def slots(self) -> Iterator[Slot]:
        policies = self.policies
        if self.trust is not None:
            yield Slot(PolicyKind.TRUST, self.trust)
        for level, documents in enumerate(policies.scps):
            for at, document in enumerate(documents):
                yield Slot(PolicyKind.SCP, document, level, at)
        if policies.endpoint is not None:
            yield Slot(PolicyKind.ENDPOINT, policies.endpoint)
        if policies.resource is not None:
            yield Slot(PolicyKind.RESOURCE, policies.resource)
        for at, document in enumerate(policies.identity):
            yield Slot(PolicyKind.IDENTITY, document, at=at)
        if policies.boundary is not None:
            yield Slot(PolicyKind.BOUNDARY, policies.boundary)
        for at, document in enumerate(policies.sessions or ()):
            yield Slot(PolicyKind.SESSION, document, at=at)

    def decide(self, request: AccessRequest) -> Decision:
        if self.trust is not None:
            return evaluate_trust(request, self.trust, self.policies)
        return evaluate(request, self.policies)

    def with_statements(self, slot: Slot, statements: list[dict[str, Any]]) -> "Documents":
        """With the document of `slot` made of these statements. `InputError` when they are none."""
        document = compile_document(
            json.dumps({"Version": "2012-10-17", "Statement": statements}),
            kind=slot.kind,
            name=slot.document.name,
            file=slot.document.file,
            api_arn=self.api_arn,
        )
        return self._with(slot, document)

    def with_policy(self, kind: PolicyKind, statement: dict[str, Any]) -> "Documents":
        """With one more policy, where there is none of its kind."""
        text = json.dumps({"Version": "2012-10-17", "Statement": statement})
        document = compile_document(text, kind=kind, name="new policy", api_arn=self.api_arn)
        policies = self.policies
        match kind:
            case PolicyKind.IDENTITY:
                return self._set(replace(policies, identity=(*policies.identity, document)))
            case PolicyKind.SESSION:
                return self._set(replace(policies, sessions=(*(policies.sessions or ()), document)))
            case PolicyKind.SCP:
                levels = (level or (document,) for level in policies.scps)
                return self._set(replace(policies, scps=tuple(levels)))
            case _:
                return self._with(Slot(kind, document), document)

    def _with(self, slot: Slot, document: Document) -> "Documents":
        policies = self.policies
        match slot.kind:
            case PolicyKind.TRUST:
                return replace(self, trust=document)
            case PolicyKind.SCP:
                levels = [list(level) for level in policies.scps]
                levels[slot.level][slot.at] = document
                return self._set(replace(policies, scps=tuple(tuple(level) for level in levels)))
            case PolicyKind.ENDPOINT:
                return self._set(replace(policies, endpoint=document))
            case PolicyKind.RESOURCE:
                return self._set(replace(policies, resource=document))
            case PolicyKind.IDENTITY:
                return self._set(replace(policies, identity=_exchanged(policies.identity, slot.at, document)))
            case PolicyKind.BOUNDARY:
                return self._set(replace(policies, boundary=document))
            case PolicyKind.SESSION:
                return self._set(replace(policies, sessions=_exchanged(policies.sessions or (), slot.at, document)))

    def _set(self, policies: PolicySet) -> "Documents":
        return replace(self, policies=policies)


def _exchanged(documents: tuple[Document, ...], at: int, document: Document) -> tuple[Document, ...]:
    return (*documents[:at], document, *documents[at + 1 :])


def statements_of(document: Document) -> list[dict[str, Any]]:
    """A copy of the statements as written, in their order."""
    written = json.loads(document.text)["Statement"]
    found: list[dict[str, Any]] = deepcopy(written if isinstance(written, list) else [written])
    return found


def texts(value: object) -> list[str]:
    """What may be written as one string or as a list."""
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def one_or_list(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values
