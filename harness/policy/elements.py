"""Reading members of JSON objects with a report of what is wrong, so that one mistake does not hide the next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.errors import Problem
from harness.policy.json_source import Array, Literal, Member, Node, Object, Text
from harness.policy.vocabulary import meant


@dataclass(slots=True)
class Report:
    """Collects the problems of one file."""

    file: str
    problems: list[Problem] = field(default_factory=list)

    def add(self, line: int, text: str) -> None:
        self.problems.append(Problem(self.file, line, text))


def members_of(node: Node, known: Sequence[str], what: str, report: Report) -> Mapping[str, Member]:
    """The object's members by name; unknown names are reported. Empty when `node` is no object."""
    if not isinstance(node, Object):
        report.add(node.line, f"{what} must be a JSON object")
        return {}
    for member in node.members:
        if member.name not in known:
            mend = meant(member.name, known) or f"; it may have {', '.join(known)}"
            report.add(member.line, f'unknown element "{member.name}" in {what}{mend}')
    return {member.name: member for member in node.members if member.name in known}


def texts_of(member: Member, report: Report, *, literals: bool = False) -> list[tuple[int, str]]:
    """The strings of a member that may hold one or a list, each with its line. `literals`: numbers and booleans too."""
    value = member.value
    nodes = value.items if isinstance(value, Array) else (value,)
    if not nodes:
        report.add(value.line, f'"{member.name}" is an empty list; name at least one value')
    texts = []
    for node in nodes:
        if isinstance(node, Text) or (literals and isinstance(node, Literal) and node.text != "null"):
            texts.append((node.line, node.text))
        else:
            report.add(node.line, f'"{member.name}" must be a string or a list of strings')
    return texts


def text_of(member: Member, report: Report) -> str | None:
    if isinstance(member.value, Text):
        return member.value.text
    report.add(member.line, f'"{member.name}" must be a string')
    return None
