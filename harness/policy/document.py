"""A policy document, checked and compiled once so that a decision only looks things up."""

from dataclasses import dataclass

from harness.policy.model import PolicyKind


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A compiled policy. `text` is the JSON as given, so that it can be handed on unchanged."""

    name: str
    kind: PolicyKind
    text: str
    file: str = ""


def compile_document(
    text: str, *, kind: PolicyKind, name: str, file: str = "", api_arn: str = ""
) -> Document:
    raise NotImplementedError
