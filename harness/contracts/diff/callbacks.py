"""Callbacks and webhooks, which the provider sends: it may give what was promised, and takes the answers it took."""

from collections.abc import Iterator, Mapping

from harness.contracts.contract import Operation
from harness.contracts.diff.bodies import accepted, given
from harness.contracts.diff.pairing import Pairing
from harness.contracts.diff.schemas import SchemaDiffs
from harness.contracts.finding import Finding

Key = tuple[str, ...]


def callback_findings(pairing: Pairing, diffs: SchemaDiffs, was: Operation, now: Operation) -> Iterator[Finding]:
    before: dict[Key, Operation] = {(name, *operation.key): operation for name, operation in was.callbacks}
    after: dict[Key, Operation] = {(name, *operation.key): operation for name, operation in now.callbacks}
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
    # An operation without a body has no content either.
    yield from given(pairing, diffs, was.body or was.part, now.body or now.part)
    before, after = was.responses, now.responses
    for status, part in before.items():
        inner = pairing.at(status=status)
        taken = next((one for one in (status, f"{status[:1]}XX", "default") if one in after), None)
        if taken is None:
            yield inner.finding("callback-status-removed", part.named, now.part.at, name=status)
        elif pairing.old.entries(part, "content") and pairing.new.entries(after[taken], "content"):
            yield from accepted(inner, diffs, part, after[taken])
