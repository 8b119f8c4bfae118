"""Operations in pairs: by method and path, and those that moved by their id or by being the same."""

from collections.abc import Iterator, Mapping

from harness.contracts.contract import Contract, Operation, base_path
from harness.contracts.diff.bodies import request_body_findings
from harness.contracts.diff.callbacks import callback_findings
from harness.contracts.diff.lifecycle import lifecycle_findings, removal
from harness.contracts.diff.pairing import Pairing
from harness.contracts.diff.parameters import parameter_findings
from harness.contracts.diff.responses import response_findings
from harness.contracts.diff.schemas import SchemaDiffs
from harness.contracts.diff.security import security_findings
from harness.contracts.diff.servers import server_findings
from harness.contracts.finding import Finding
from harness.contracts.schemas import Role
from harness.contracts.schemas.flat import matches

Key = tuple[str, str]


def operation_findings(pairing: Pairing, diffs: SchemaDiffs) -> Iterator[Finding]:
    before, after = _by_key(pairing.old), _by_key(pairing.new)
    prefix = _moved_prefix(pairing, before, after)
    if prefix is not None:
        after = {key: after[prefix[key]] for key in before if key in prefix} | {
            key: operation for key, operation in after.items() if key not in prefix.values()
        }
    gone = {key: operation for key, operation in before.items() if key not in after}
    fresh = {key: operation for key, operation in after.items() if key not in before}
    for key, operation in before.items():
        inner = _at(pairing, operation)
        if key in after:
            yield from _pair(inner, diffs, operation, after[key])
        elif (moved := _moved(operation, fresh)) is not None:
            target = fresh.pop(moved)
            yield inner.finding("operation-moved", operation.part.at, target.part.at, name=target.label)
            yield from _pair(inner, diffs, operation, target)
        else:
            yield removal(inner, gone[key])
    for operation in fresh.values():
        yield _at(pairing, operation).finding("operation-added", None, operation.part.at)
        yield from _shadowed(pairing, operation, before, after)


def _by_key(contract: Contract) -> dict[Key, Operation]:
    return {operation.key: operation for operation in contract.operations}


def _at(pairing: Pairing, operation: Operation) -> Pairing:
    return pairing.at(part="operation", method=operation.method, path=operation.path)


def _moved_prefix(
    pairing: Pairing, before: Mapping[Key, Operation], after: Mapping[Key, Operation]
) -> dict[Key, Key] | None:
    """`/v2` that went from the paths to the server's address, or back: each old operation with its new key."""
    for old in map(base_path, pairing.old.servers):
        for new in map(base_path, pairing.new.servers):
            if old == new:
                return None
            found = {key: (key[0], _below(old + key[1], new)) for key in before}
            if any(key in after for key in found.values()) and not any(key in after for key in before):
                return {key: moved for key, moved in found.items() if moved in after}
    return None


def _below(path: str, base: str) -> str:
    return path.removeprefix(base) if path.startswith(base) else path


def _moved(was: Operation, fresh: Mapping[Key, Operation]) -> Key | None:
    name = was.part.get("operationId")
    if name:
        return next((key for key, operation in fresh.items() if operation.part.get("operationId") == name), None)
    same = [key for key, operation in fresh.items() if key[0] == was.method and operation.part.raw == was.part.raw]
    return same[0] if len(same) == 1 and was.part.get("responses") else None


def _pair(pairing: Pairing, diffs: SchemaDiffs, was: Operation, now: Operation) -> Iterator[Finding]:
    yield from security_findings(pairing, was, now)
    if was.path == now.path and pairing.same(was.part, now.part) and pairing.same(was.item, now.item):
        return
    names = was.part.get("operationId"), now.part.get("operationId")
    if names[0] and names[0] != names[1]:
        places = was.part.below("operationId"), now.part.below("operationId")
        yield pairing.finding("operation-id-changed", *places, was=names[0], now=names[1] or "missing")
    for owner, other in ((was.item, now.item), (was.part, now.part)):
        yield from server_findings(pairing.at(part="server"), owner, other)
    yield from lifecycle_findings(pairing, was, now)
    yield from parameter_findings(pairing, diffs, was, now)
    yield from request_body_findings(pairing, diffs, was, now)
    yield from response_findings(pairing, diffs, was, now)
    yield from callback_findings(pairing, diffs, was, now)


def _shadowed(
    pairing: Pairing, fresh: Operation, before: Mapping[Key, Operation], after: Mapping[Key, Operation]
) -> Iterator[Finding]:
    """`/orders/export` takes what `/orders/{id}` was sent with the id "export", if that is a valid id."""
    for was in before.values():
        if was.method != fresh.method or was.key not in after or not _takes(pairing.old, was, fresh.path):
            continue
        inner = _at(pairing, fresh)
        yield inner.finding("path-shadowed", was.part.at, fresh.part.at, name=fresh.path, was=was.path)


def _takes(contract: Contract, operation: Operation, path: str) -> bool:
    ours, theirs = operation.path.split("/"), path.split("/")
    if len(ours) != len(theirs) or not operation.names:
        return False
    parameters = operation.parameters
    for template, segment in zip(ours, theirs, strict=True):
        if template == segment or ("{" in template and "{" in segment):
            continue
        if not (template.startswith("{") and template.endswith("}")):
            return False
        part = parameters.get(("path", template[1:-1]))
        subject = contract.subject(part, Role.REQUEST) if part else None
        # A segment is text, and may stand for a number.
        number = [int(segment)] if matches(r"^-?[0-9]{1,15}$", segment) else []
        if subject and not any(subject.compiled.accepts(value) for value in (segment, *number)):
            return False
    return any("{" in a and "{" not in b for a, b in zip(ours, theirs, strict=True))
