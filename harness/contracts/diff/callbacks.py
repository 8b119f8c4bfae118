"""Callbacks and webhooks, which the provider sends: it may give what was promised, and takes the answers it took."""

from collections.abc import Iterator, Mapping

from harness.contracts.diff.bodies import covers, media_types
from harness.contracts.diff.model import Contract, Operation, Part, callbacks
from harness.contracts.diff.pairing import Pairing
from harness.contracts.diff.schemas import SchemaDiffs, schema_findings
from harness.contracts.finding import Finding
from harness.contracts.schemas import Role

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
    old, new = _body(pairing.old, was), _body(pairing.new, now)
    for name, media in new.items():
        if (promised := covers(old, name)) is not None:
            subjects = (
                pairing.old.subject(old[promised], Role.RESPONSE),
                pairing.new.subject(media, Role.RESPONSE),
            )
            yield from schema_findings(pairing.at(media_type=name), diffs, *subjects, Role.RESPONSE)
    before, after = (
        contract.entries(operation.part, "responses")
        for contract, operation in ((pairing.old, was), (pairing.new, now))
    )
    for status, part in before.items():
        if status in after:
            yield from _answers(pairing.at(status=status), diffs, part, after[status])


def _body(contract: Contract, operation: Operation) -> dict[str, Part]:
    if "requestBody" not in operation.part.raw:
        return {}
    return media_types(contract.entries(contract.part(operation.part.below("requestBody")), "content"))


def _answers(pairing: Pairing, diffs: SchemaDiffs, old: Part, new: Part) -> Iterator[Finding]:
    before, after = media_types(pairing.old.entries(old, "content")), media_types(pairing.new.entries(new, "content"))
    for name, media in before.items():
        if (accepted := covers(after, name)) is not None:
            subjects = pairing.old.subject(media, Role.REQUEST), pairing.new.subject(after[accepted], Role.REQUEST)
            yield from schema_findings(pairing.at(media_type=name), diffs, *subjects, Role.REQUEST)
