"""The queues of a domain: those that its manifest describes, and those that its rules name for dead letters."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from harness.manifest.domain_file import DomainFile
from harness.manifest.fields import At, Where
from harness.manifest.policies import PolicyFiles
from harness.manifest.queue_file import QueueEntry, RedriveEntry
from harness.manifest.references import known
from harness.manifest.written import Source
from harness.policy.document import Document
from harness.policy.model import PolicyKind
from harness.queues.attributes import FIFO, POLICY, REDRIVE
from harness.queues.declared import Declared, policy_for_services
from harness.wire import queue_arn

FIFO_SUFFIX = ".fifo"
_NUMBERS = {
    "VisibilityTimeout": "visibility_seconds",
    "MessageRetentionPeriod": "retention_seconds",
    "DelaySeconds": "delay_seconds",
    "ReceiveMessageWaitTimeSeconds": "wait_seconds",
    "MaximumMessageSize": "maximum_bytes",
}


@dataclass(frozen=True, slots=True)
class Queues:
    """`policies`: the documents of those that have a file of their own."""

    declared: tuple[Declared, ...] = ()
    policies: tuple[Document, ...] = ()


def link_queues(source: Source, policies: PolicyFiles, *, account: str, region: str) -> Queues:
    entry, where = source.entry, source.where
    declared: list[Declared] = []
    documents: list[Document] = []
    for name, at in entry.queues.items():
        given = {key: str(value) for key, field in _NUMBERS.items() if (value := getattr(at.value, field)) is not None}
        given |= _fifo(name, at, where)
        if at.value.redrive is not None:
            given |= _redrive(name, at.value.redrive, entry, where, account=account, region=region)
        if at.value.policy is not None:
            document = policies.read(at.value.policy, PolicyKind.RESOURCE, source.folder, where)
            if document is not None:
                documents.append(document)
                given[POLICY] = document.text
        declared.append(Declared(account, name, given, where.file))
    return Queues(tuple(declared), tuple(documents))


def with_senders(
    queues: Sequence[Declared],
    rules: Mapping[str, Sequence[str]],
    topics: Mapping[str, Sequence[str]],
    *,
    account: str,
    region: str,
    file: str,
) -> list[Declared]:
    """`rules`: the ARNs of the rules that name each queue for their dead letters. `topics`: of those that send to it.

    A queue that a rule names and nobody declares is there all the same; without a policy of its own, a queue lets those
    rules and topics in.
    """
    found = {each.name: each for each in queues}
    for name in rules:
        found.setdefault(name, Declared(account, name, {}, file))
    for name in {**rules, **topics}:
        if POLICY not in found[name].given:
            policy = policy_for_services(queue_arn(region, account, name), rules.get(name, ()), topics.get(name, ()))
            found[name] = replace(found[name], given={**found[name].given, POLICY: policy})
    return list(found.values())


def _fifo(name: str, at: At[QueueEntry], where: Where) -> Mapping[str, str]:
    deduplication = at.value.content_based_deduplication
    if not name.endswith(FIFO_SUFFIX):
        if deduplication is not None:
            text = f'queues.{name}.content-based-deduplication: only a FIFO queue has it: name it "{name}{FIFO_SUFFIX}"'
            where.problem(deduplication.line, text)
        return {}
    given = {FIFO: "true"}
    if deduplication is not None:
        given["ContentBasedDeduplication"] = str(deduplication.value).lower()
    return given


def _redrive(
    name: str, entry: RedriveEntry, file: DomainFile, where: Where, *, account: str, region: str
) -> Mapping[str, str]:
    target = entry.queue
    if known("queue", target, file.queues, where) is None:
        return {}
    if target.value == name:
        where.problem(target.line, f"queues.{name}.redrive: must be another queue")
    elif target.value.endswith(FIFO_SUFFIX) != name.endswith(FIFO_SUFFIX):
        where.problem(
            target.line, f'queues.{name}.redrive: "{target.value}" must be a FIFO queue if and only if it is one'
        )
    arn = queue_arn(region, account, target.value)
    return {REDRIVE: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": entry.receives})}
