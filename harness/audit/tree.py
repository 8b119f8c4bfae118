"""An explanation as text: a tree for a terminal, readable without colour."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]


def tree(told: Json) -> str:
    """`told` is what `Explainer.explain` gives."""
    verdict = f"allowed, answered {told['status']}" if told["allowed"] else f"refused: {told['status']} {told['code']}"
    policies: list[Json] = told["policies"]
    lines = [told["call"]]
    lines += [f"├─ who      {told['who']}", f"├─ from     {told['from']}"]
    lines.append(f"├─ when     {told['time']}, request {told['requestID']}")
    lines.append(f"{'├' if policies else '└'}─ verdict  {verdict}{'' if told['allowed'] else ': ' + told['why']}")
    for number, policy in enumerate(policies, start=1):
        last = number == len(policies)
        lines += _policy(policy, "└─ " if last else "├─ ", "   " if last else "│  ")
    if not told["allowed"]:
        lines += ["", *_changes(told)]
    return "\n".join(_printable(line) for line in lines)


def _printable(line: str) -> str:
    """A caller chooses path, session name and user agent: nothing of it may steer the terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in line)


def _policy(policy: Json, branch: str, below: str) -> Iterator[str]:
    where = f" {policy['file']}" if policy["file"] else f" {policy['name']}"
    yield f"{branch}{policy['kind']}{where}"
    about = [each for each in policy["statements"] if each["action"] is not False]
    others = len(policy["statements"]) - len(about)
    rows = [_statement(each) for each in about]
    if others:
        rows.append([f"· {others} about other actions"])
    if not rows:
        rows.append(["· nothing in it"])
    for number, row in enumerate(rows, start=1):
        last = number == len(rows)
        yield f"{below}{'└─ ' if last else '├─ '}{row[0]}"
        for line in row[1:]:
            yield f"{below}{'   ' if last else '│  '}{line}"


def _statement(statement: Json) -> list[str]:
    name = statement["sid"] or f"statement {statement['index'] + 1}"
    mark = "·" if not statement["applies"] else "✓" if statement["effect"] == "Allow" else "✗"
    head = f"{mark} {statement['effect']} {name} (line {statement['line']})"
    if statement["applies"]:
        holding = [f"    {_condition(each)}" for each in statement["conditions"]]
        return [f"{head}: applies", *holding] if statement["effect"] == "Deny" else [f"{head}: applies"]
    for part, text in (("principal", "names another principal"), ("resource", "is about another resource")):
        if statement[part] is False:
            return [f"{head}: {text}"]
    failing = [each for each in statement["conditions"] if not each["holds"]]
    return [f"{head}: a condition does not hold", *(f"    {_condition(each)}" for each in failing)]


def _condition(condition: Json) -> str:
    found = condition["found"]
    shown = "it is absent" if found is None else f"found {', '.join(found) if isinstance(found, list) else found}"
    return f"{condition['operator']} {condition['key']}: wanted {', '.join(condition['wanted'])}; {shown}"


def _changes(told: Json) -> Iterator[str]:
    changes: list[Json] = told["changes"]
    if not changes:
        yield "no change is needed now" if told["suffices"] else "no change of the policies was found that allows it"
        return
    yield "the smallest change that would allow it" if len(changes) == 1 else "the smallest changes that would allow it"
    for change in changes:
        place = f"{change['file']}:{change['line']}: " if change["file"] else ""
        yield f"  {place}{change['text']}"
        if change["statement"] is not None:
            yield from (f"    {line}" for line in json.dumps(change["statement"], indent=2).splitlines())
    if told["policies"] and not told["suffices"]:
        yield "  (tried: it is still refused then)"
