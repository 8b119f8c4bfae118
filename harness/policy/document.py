"""A policy document, checked and compiled once so that a decision only looks things up."""

from dataclasses import dataclass, field

from harness.errors import InputError
from harness.policy.grammar import read_statements
from harness.policy.model import PolicyKind
from harness.policy.statement import Statement

_REMEMBERED_ACTIONS = 64


@dataclass(frozen=True, slots=True)
class Selection:
    """The statements of a document that are about one action."""

    denies: tuple[Statement, ...]
    allows: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A compiled policy. `text` is the JSON as given, so that it can be handed on unchanged."""

    name: str
    kind: PolicyKind
    text: str = field(repr=False)
    file: str = ""
    statements: tuple[Statement, ...] = field(default=(), repr=False)
    has_deny: bool = field(init=False, repr=False)
    _selections: dict[str, Selection] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "has_deny", any(not statement.allows for statement in self.statements))

    def select(self, action: str) -> Selection:
        """Remembered by action: a service asks for a handful of them, over and over."""
        selection = self._selections.get(action)
        if selection is None:
            about = [statement for statement in self.statements if statement.matches_action(action)]
            selection = Selection(
                denies=tuple(statement for statement in about if not statement.allows),
                allows=tuple(statement for statement in about if statement.allows),
            )
            if len(self._selections) >= _REMEMBERED_ACTIONS:
                self._selections.clear()
            self._selections[action] = selection
        return selection


def compile_document(text: str, *, kind: PolicyKind, name: str, file: str = "", api_arn: str = "") -> Document:
    """Raises InputError with every problem at its line (of `file`, or of the policy's `name` without a file).

    `api_arn` (`arn:aws:execute-api:eu-west-1:111111111111:orders`) says whose policy this is: the short form
    `execute-api:/v1/GET/orders/*` is then that API's, as API Gateway expands it when a policy is saved.
    """
    statements, problems = read_statements(text, kind=kind, file=file or name, api_arn=api_arn)
    if problems:
        raise InputError(problems)
    return Document(name=name, kind=kind, text=text, file=file, statements=statements)
