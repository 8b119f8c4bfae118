"""From the text of a policy to compiled statements, or to every mistake in it with its line.

Source: IAM User Guide, "Grammar of the IAM JSON policy language"; what a kind of policy must and must not have from
the pages on identity-based, resource-based, trust and endpoint policies.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from harness.errors import InputError, Problem
from harness.policy import vocabulary
from harness.policy.conditions import Condition, OperatorUse, compile_condition, read_operator
from harness.policy.elements import Report, members_of, text_of, texts_of
from harness.policy.globs import Test, always, arn_test, glob_test, never
from harness.policy.json_source import Array, Member, Node, Object, Text, read_json
from harness.policy.model import PolicyKind
from harness.policy.principals import EVERYONE, TYPES, Principals, compile_principals, principal_fault
from harness.policy.resources import read_resource
from harness.policy.statement import Statement
from harness.policy.variables import Template, TemplateError, Wild, fill, is_filled, parse_template

_SID = re.compile(r"[A-Za-z0-9]*")
_PRINCIPAL = ("Principal", "NotPrincipal")
_ACTION = ("Action", "NotAction")
_RESOURCE = ("Resource", "NotResource")

_Members = Mapping[str, Member]


def read_statements(
    text: str, *, kind: PolicyKind, file: str, api_arn: str = ""
) -> tuple[tuple[Statement, ...], list[Problem]]:
    """Compiled statements; they are of use only when there is no problem."""
    report = Report(file)
    _check_size(text, kind, bool(api_arn), report)
    try:
        root = read_json(text, file)
    except InputError as error:
        return (), [*report.problems, *error.problems]
    reader = _Reader(kind, api_arn, report)
    return reader.document(root), report.problems


def _check_size(text: str, kind: PolicyKind, of_api: bool, report: Report) -> None:
    limit = vocabulary.API_POLICY_LIMIT if of_api else vocabulary.SIZE_LIMITS[kind]
    counted = text
    if kind in vocabulary.COUNTED_WITHOUT_WHITE_SPACE:
        counted = "".join(text.split())
    if len(counted) > limit:
        report.add(0, f"{len(counted):,} characters; AWS takes {limit:,} in {kind.with_article}: shorten or split it")


@dataclass(slots=True)
class _Reader:
    kind: PolicyKind
    api_arn: str
    report: Report
    variables: bool = False
    sids: dict[str, int] = field(default_factory=dict)

    def document(self, root: Node) -> tuple[Statement, ...]:
        members = members_of(root, vocabulary.DOCUMENT_ELEMENTS, "a policy", self.report)
        if not isinstance(root, Object):
            return ()
        self._version(members)
        if "Id" in members:
            text_of(members["Id"], self.report)
        if "Statement" not in members:
            self.report.add(root.line, 'a policy needs "Statement"')
            return ()
        value = members["Statement"].value
        nodes = value.items if isinstance(value, Array) else (value,)
        if not nodes:
            self.report.add(value.line, '"Statement" is empty; a policy needs at least one statement')
        return tuple(self._statement(node, index) for index, node in enumerate(nodes))

    def _version(self, members: _Members) -> None:
        # Without a version a policy is of 2008, in which ${…} is literal text.
        version = text_of(members["Version"], self.report) if "Version" in members else vocabulary.VERSIONS[1]
        self.variables = version == vocabulary.VERSIONS[0]
        if version is not None and version not in vocabulary.VERSIONS:
            self.report.add(
                members["Version"].line,
                f'unknown policy version "{version}"; write "{vocabulary.VERSIONS[0]}" (it is no date of yours)',
            )

    def _statement(self, node: Node, index: int) -> Statement:
        members = members_of(node, vocabulary.STATEMENT_ELEMENTS, "a statement", self.report)
        line = node.line
        if not isinstance(node, Object):
            return Statement("", index, line, False, never)
        for pair in (_ACTION, *(() if self.kind is PolicyKind.TRUST else (_RESOURCE,))):
            self._one_of(members, pair, line)
        self._only_where_allowed(members, line)
        resource, open_resources = self._resources(members)
        return Statement(
            sid=self._sid(members),
            index=index,
            line=line,
            allows=self._effect(members, line) == "Allow",
            action=glob_test(self._actions(members), ignore_case=True),
            not_action="NotAction" in members,
            principals=self._principals(members),
            resource=resource,
            open_resources=open_resources,
            not_resource="NotResource" in members,
            conditions=self._conditions(members),
            span=(node.start, node.end),
        )

    def _one_of(self, members: _Members, pair: tuple[str, str], line: int) -> None:
        given = [name for name in pair if name in members]
        if not given:
            self.report.add(line, f'the statement needs "{pair[0]}" or "{pair[1]}"')
        elif len(given) == 2:
            self.report.add(members[given[1]].line, f'"{pair[0]}" and "{pair[1]}" exclude each other; keep one')

    def _only_where_allowed(self, members: _Members, line: int) -> None:
        kind = self.kind
        if kind in vocabulary.ATTACHED_TO_RESOURCE:
            self._one_of(members, _PRINCIPAL, line)
        forbidden: list[tuple[str, str]] = []
        if kind is PolicyKind.TRUST:
            forbidden += [(name, "the role itself is the resource; remove it") for name in _RESOURCE]
            forbidden += [("NotPrincipal", 'name who may assume the role in "Principal"')]
        elif kind not in vocabulary.ATTACHED_TO_RESOURCE:
            forbidden += [(name, "whoever it is attached to is the principal; remove it") for name in _PRINCIPAL]
        for name, mend in forbidden:
            if name in members:
                self.report.add(members[name].line, f'{kind.with_article} has no "{name}": {mend}')

    def _sid(self, members: _Members) -> str:
        if "Sid" not in members:
            return ""
        line, sid = members["Sid"].line, text_of(members["Sid"], self.report) or ""
        if self.kind not in (PolicyKind.RESOURCE, PolicyKind.ENDPOINT) and not _SID.fullmatch(sid):
            self.report.add(line, f'"Sid" takes letters and digits only, not "{sid}"')
        if sid and sid in self.sids:
            self.report.add(line, f'Sid "{sid}" is already used in line {self.sids[sid]}; rename one')
        self.sids.setdefault(sid, line)
        return sid

    def _effect(self, members: _Members, line: int) -> str | None:
        if "Effect" not in members:
            self.report.add(line, 'the statement needs "Effect": "Allow" or "Deny"')
            return None
        effect = text_of(members["Effect"], self.report)
        if effect is not None and effect not in vocabulary.EFFECTS:
            mend = vocabulary.meant(effect, vocabulary.EFFECTS) or '; write "Allow" or "Deny"'
            self.report.add(members["Effect"].line, f'unknown effect "{effect}"{mend}')
        return effect

    def _actions(self, members: _Members) -> list[tuple[str | Wild, ...]]:
        patterns = []
        for name in _ACTION:
            for line, text in texts_of(members[name], self.report) if name in members else ():
                fault = vocabulary.action_fault(text)
                if fault is None and self.kind is PolicyKind.TRUST and not text.lower().startswith("sts:"):
                    fault = f'a role trust policy is about sts actions only, not "{text}"'
                if fault is not None:
                    self.report.add(line, fault)
                    continue
                pattern = fill(parse_template(text, variables=False, wildcards=True), {})
                patterns += [pattern] if pattern is not None else []
        return patterns

    def _principals(self, members: _Members) -> Principals | None:
        if self.kind not in vocabulary.ATTACHED_TO_RESOURCE:
            return None
        for name in _PRINCIPAL:
            if name in members:
                named = self._named_principals(members[name])
                return compile_principals(named, inverted=name == "NotPrincipal")
        return Principals()

    def _named_principals(self, member: Member) -> list[tuple[str, str]]:
        if isinstance(member.value, Text):
            if member.value.text == EVERYONE:
                return [(EVERYONE, EVERYONE)]
            mend = f'{{"AWS": "{member.value.text}"}}'
            self.report.add(member.line, f'"{member.name}" is "*" or an object such as {mend}')
            return []
        named = []
        for kind, values in members_of(member.value, TYPES, f'"{member.name}"', self.report).items():
            for line, value in texts_of(values, self.report):
                fault = principal_fault(kind, value)
                if fault is None:
                    named.append((kind, value))
                else:
                    self.report.add(line, fault)
        return named

    def _resources(self, members: _Members) -> tuple[Test, tuple[Template, ...]]:
        """The test of the fixed patterns, and the patterns with variables."""
        if self.kind is PolicyKind.TRUST:
            return always, ()
        fixed, waiting = [], []
        for name in _RESOURCE:
            for line, text in texts_of(members[name], self.report) if name in members else ():
                template = read_resource(text, self.kind, self.api_arn, variables=self.variables)
                if isinstance(template, str):
                    self.report.add(line, template)
                elif is_filled(template):
                    fixed.append(template)
                else:
                    waiting.append(template)
        if (Wild.ANY,) in fixed:
            return always, tuple(waiting)
        return arn_test([filled for one in fixed if (filled := fill(one, {}))]), tuple(waiting)

    def _conditions(self, members: _Members) -> tuple[Condition, ...]:
        if "Condition" not in members:
            return ()
        block = members["Condition"].value
        if not isinstance(block, Object):
            self.report.add(block.line, '"Condition" must be a JSON object: operator, then key, then value')
            return ()
        return tuple(condition for member in block.members for condition in self._conditions_of_operator(member))

    def _conditions_of_operator(self, member: Member) -> Iterator[Condition]:
        use = read_operator(member.name)
        if isinstance(use, str):
            self.report.add(member.line, use)
            return
        if not isinstance(member.value, Object):
            self.report.add(member.line, f'"{member.name}" must be a JSON object of condition keys')
            return
        keys: dict[str, str] = {}
        for key in member.value.members:
            fault = vocabulary.condition_key_fault(key.name)
            if key.name.lower() in keys:
                fault = f'"{key.name}" and "{keys[key.name.lower()]}" are one key; merge their values'
            if fault is not None:
                self.report.add(key.line, fault)
            keys[key.name.lower()] = key.name
            written = texts_of(key, self.report, literals=True)
            values = [template for line, text in written if (template := self._value(use, line, text)) is not None]
            yield compile_condition(use, key.name, [text for _, text in written], values)

    def _value(self, use: OperatorUse, line: int, text: str) -> Template | None:
        operator = use.operator
        try:
            value = parse_template(text, variables=self.variables and operator.variables, wildcards=operator.wildcards)
        except TemplateError as error:
            self.report.add(line, str(error))
            return None
        fault = operator.fault(value) if is_filled(value) else None
        if fault is not None:
            self.report.add(line, f'{operator.name} "{text}": {fault}' if operator.wildcards else fault)
            return None
        return value
