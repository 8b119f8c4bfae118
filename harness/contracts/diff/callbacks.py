"""Callbacks and webhooks, which the provider sends: it may give what was promised, and takes the answers it took."""

from collections.abc import Iterator, Mapping

from harness.contracts.diff.bodies import accepted, given
from harness.contracts.diff.model import Contract, Operation, Part, callbacks
from harness.contracts.diff.pairing import Pairing
from harness.contracts.diff.schemas import SchemaDiffs
from harness.contracts.finding import Finding

Key = tuple[str, ...]


def callback_findings(pairing: Pairing, diffs: SchemaDiffs, was: Operation, now: Operation) -> Iterator[Finding]:
    before: dict[Key, Operation] = {
        (name, *operation.key): operation for name, operation in callbacks(pairing.old, was)
    }
    after: dict[Key, Operation] = {(name, *operation.key): operation for name, operation in callbacks(pairing.new, now)}
    yield from _sent(pairing.at(part="callback"), diffs, before, after)


def webhook_findings(pairing: Pairing, diffs: SchemaDiffs) -> Iterator[Finding]:
    before: dict[Key, Operation] = {(operation.path, operation.method): operation for operation in pairing.old.webhooks}
    after: dict[Key, Operation] = {(operation.path, operation.method): operation for operation in pairing.new.webhooks}
    yield from _sent(pairing.at(part="callback"), diffs, before, after)


def _sent(
    pairing: Pairing, diffs: SchemaDiffs, before: Mapping[Key, Operation], after: Mapping[Key, Operation]
) -> Iterator[Finding]:
    for key, was in before.items():
        inner = _at(pairing, was)
        if key in after:
            yield from _messages(inner, diffs, was, after[key])
        else:
            yield inner.finding("callback-removed", was.part.at, None, name=_name(key, was))
    for key, now in after.items():
        if key not in before:
            yield _at(pairing, now).finding("callback-added", None, now.part.at, name=_name(key, now))


def _at(pairing: Pairing, operation: Operation) -> Pairing:
    """A callback belongs to the operation that asks for it, a webhook to none."""
    if pairing.place.path:
        return pairing
    return pairing.at(method=operation.method, path=operation.path)


def _name(key: Key, operation: Operation) -> str:
    return key[0] if key[0] == operation.path else f"{key[0]} ({operation.label})"


def _messages(pairing: Pairing, diffs: SchemaDiffs, was: Operation, now: Operation) -> Iterator[Finding]:
    yield from given(pairing, diffs, _body(pairing.old, was), _body(pairing.new, now))
    before, after = (
        contract.entries(operation.part, "responses")
        for contract, operation in ((pairing.old, was), (pairing.new, now))
    )
    for status, part in before.items():
        inner = pairing.at(status=status)
        taken = next((one for one in (status, f"{status[:1]}XX", "default") if one in after), None)
        if taken is None:
            yield inner.finding("callback-status-removed", part.named, now.part.at, name=status)
        elif pairing.old.entries(part, "content") and pairing.new.entries(after[taken], "content"):
            yield from accepted(inner, diffs, part, after[taken])


def _body(contract: Contract, operation: Operation) -> Part:
    """The body that is sent; the operation itself, which has no content, where there is none."""
    body = operation.part.below("requestBody")
    return contract.part(body) if "requestBody" in operation.part.raw else operation.part
