"""Slips of the pen in a policy: values that nearly name what was asked for, each with the value that does.

A near miss is mended where it stands. Anything else is granted by a statement of its own, so that a change never
allows more than the call.
"""

import re
from dataclasses import dataclass

from harness.policy import Principal

METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"})
_PARTS = 6


@dataclass(frozen=True, slots=True)
class Near:
    """`kind` names the slip, `better` the value to write, `text` says what is wrong with the one that is there."""

    kind: str
    better: str
    text: str


def glob(pattern: str, text: str) -> bool:
    expression = "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def near_resource(pattern: str, wanted: str) -> Near | None:
    """`pattern` is a whole ARN pattern that does not match the ARN `wanted`."""
    has, want = pattern.split(":", 5), wanted.split(":", 5)
    if len(has) != _PARTS or len(want) != _PARTS or has[2] != want[2]:
        return None
    for at, kind, what in ((4, "wrong-account", "account"), (3, "wrong-region", "region")):
        if not glob(has[at], want[at]) and all(glob(has[n], want[n]) for n in range(_PARTS) if n != at):
            better = ":".join([*has[:at], want[at], *has[at + 1 :]])
            return Near(
                kind, better, f"{pattern} names the {what} {has[at] or '(none)'}; the resource is in {want[at]}"
            )
    if has[2] != "execute-api" or not all(glob(has[at], want[at]) for at in (3, 4)):
        return None
    path = _near_path(has[5], want[5])
    return None if path is None else Near(path.kind, ":".join([*has[:5], path.better]), path.text)


def _near_path(has: str, want: str) -> Near | None:
    """`orders/v2/GET/orders/*` against `orders/v2/GET/orders`."""
    parts, wanted = has.split("/"), want.split("/")
    if not glob(parts[0], wanted[0]) or len(wanted) < 4:
        return None
    _, stage, method = wanted[:3]
    if len(parts) > 1 and parts[1] in METHODS:
        better = "/".join([parts[0], stage, *parts[1:]])
        return (
            Near("no-stage", better, f"{has} has no stage: it is API/STAGE/METHOD/PATH") if glob(better, want) else None
        )
    if len(parts) > 2 and parts[2].upper() == method != parts[2]:
        better = "/".join([*parts[:2], method, *parts[3:]])
        return Near("method-case", better, f"{has}: methods are upper case") if glob(better, want) else None
    if len(parts) > 2 and not glob(parts[2], method):
        better = "/".join([*parts[:2], method, *parts[3:]])
        return Near("method", better, f"{has} is about {parts[2]}, not {method}") if glob(better, want) else None
    if len(parts) > 1 and not glob(parts[1], stage):
        better = "/".join([parts[0], stage, *parts[2:]])
        return Near("stage", better, f"{has} is about stage {parts[1]}, not {stage}") if glob(better, want) else None
    if has.endswith("/*") and glob(has[:-2], want):
        return Near("path-itself", has[:-2], f"{has} matches what is below, not {has[:-2]} itself")
    if "{" in has and glob(better := re.sub(r"\{[^}/]*\}", "*", has), want):
        return Near("template", better, f"{has}: braces stand for themselves; * is the wildcard")
    if want.endswith("/") and glob(has, want[:-1]):
        return Near("trailing-slash", has + "/", f"{has} is without the slash that the request ends with")
    if glob(has.lower(), want.lower()):
        return Near("path-case", want, f"{has} differs in upper and lower case")
    if glob(has + "/*", want):
        return Near("path-below", has + "/*", f"{has} matches itself, not what is below it")
    return None


def near_principal(value: str, principal: Principal) -> Near | None:
    """`value` is one AWS principal of a statement that does not name the role behind `principal`."""
    role = principal.role_arn
    has, want = value.split(":", 5), role.split(":", 5)
    if not role or len(has) != _PARTS:
        return None
    name = role.rpartition("/")[2]
    if has[2] == "sts" and has[5].startswith("assumed-role/"):
        if has[4] == principal.account and has[5].split("/")[1] == name:
            return Near("session-principal", role, f"{value} names one session of the role, and not this one")
        return None
    if has[2] != "iam":
        return None
    kind, _, rest = has[5].partition("/")
    if kind == "role" and has[4] != principal.account and has[5] == want[5]:
        return Near("principal-account", role, f"{value} names the role of that name in another account")
    if kind == "role" and has[4] == principal.account and rest.rpartition("/")[2] == name:
        return Near("principal-path", role, f"{value} has another path than the role")
    if kind == "user" and has[4] == principal.account and rest.rpartition("/")[2] == name:
        return Near("principal-user", role, f"{value} names a user; the caller is a role")
    if kind == "role" and has[4] == principal.account and rest.lower() == want[5].partition("/")[2].lower():
        return Near("principal-case", role, f"{value} differs in upper and lower case")
    return None
