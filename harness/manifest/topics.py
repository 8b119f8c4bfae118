"""The topics of a domain, and the queues of any domain that get their messages."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.bus.patterns.pattern import PatternError, compile_pattern
from harness.manifest.fields import At, Where
from harness.manifest.model import Account
from harness.manifest.policies import PolicyFiles
from harness.manifest.references import Claim, known, once
from harness.manifest.topic_file import TopicEntry, TopicSubscriptionEntry
from harness.manifest.written import Source, Written
from harness.policy.document import Document
from harness.policy.model import PolicyKind
from harness.topics.declared import Declared, DeclaredSubscription
from harness.topics.filtering import Matches, filter_fault
from harness.topics.model import DEDUPLICATION, FIFO, FILTER, FILTER_SCOPE, POLICY, RAW, REDRIVE, SIGNATURE
from harness.wire import queue_arn
from harness.yaml_source import line_of

FIFO_SUFFIX = ".fifo"


@dataclass(frozen=True, slots=True)
class Topics:
    """`policies`: the documents of those that have a file of their own."""

    declared: tuple[Declared, ...] = ()
    policies: tuple[Document, ...] = ()


def link_topics(
    source: Source, written: Written, policies: PolicyFiles, accounts: Mapping[str, Account], *, account: str
) -> Topics:
    linker = _Linker(source, written, accounts)
    declared: list[Declared] = []
    documents: list[Document] = []
    for name, at in source.entry.topics.items():
        given = linker.attributes(name, at.value)
        if at.value.policy is not None:
            document = policies.read(at.value.policy, PolicyKind.RESOURCE, source.folder, source.where)
            if document is not None:
                documents.append(document)
                given[POLICY] = document.text
        subscriptions = linker.subscriptions(name, at.value)
        declared.append(Declared(account, name, given, subscriptions, source.where.file))
    return Topics(tuple(declared), tuple(documents))


@dataclass(frozen=True, slots=True)
class _Linker:
    source: Source
    written: Written
    accounts: Mapping[str, Account]

    @property
    def where(self) -> Where:
        return self.source.where

    def attributes(self, name: str, entry: TopicEntry) -> dict[str, str]:
        given = {} if entry.signature_version is None else {SIGNATURE: str(entry.signature_version)}
        deduplication = entry.content_based_deduplication
        if name.endswith(FIFO_SUFFIX):
            given[FIFO] = "true"
            if deduplication is not None:
                given[DEDUPLICATION] = str(deduplication.value).lower()
        elif deduplication is not None:
            text = f'topics.{name}.content-based-deduplication: only a FIFO topic has it: name it "{name}{FIFO_SUFFIX}"'
            self.where.problem(deduplication.line, text)
        return given

    def subscriptions(self, topic: str, entry: TopicEntry) -> tuple[DeclaredSubscription, ...]:
        claims = [
            Claim(f"{self._owner(item)}/{item.queue.value}", topic, self.where, item.queue.line)
            for item in entry.subscriptions
            if item.queue.value
        ]
        once(f'the topic "{topic}" has a subscription of this queue already', claims)
        found = [self._subscription(topic, f"topics.{topic}.subscriptions[{index}]", item)
                 for index, item in enumerate(entry.subscriptions)]  # fmt: skip
        return tuple(each for each in found if each is not None)

    def _owner(self, entry: TopicSubscriptionEntry) -> str:
        return entry.domain.value if entry.domain else self.source.entry.name.value

    def _subscription(self, topic: str, key: str, entry: TopicSubscriptionEntry) -> DeclaredSubscription | None:
        given = {**self._filter(key, entry), **({RAW: "true"} if entry.raw else {})}
        if entry.dead_letter is not None:
            given |= self._redrive(topic, key, entry.dead_letter)
        queue = self._queue(topic, key, entry)
        return DeclaredSubscription(queue, given) if queue else None

    def _queue(self, topic: str, key: str, entry: TopicSubscriptionEntry) -> str:
        """Its ARN; empty after a mistake."""
        owner = self.source
        if entry.domain is not None:
            domains = {other.entry.name.value: other for other in self.written.domains}
            found = known("domain", entry.domain, domains, self.where)
            if found is None:
                return ""
            owner = found
        queue = known("queue", entry.queue, owner.entry.queues, self.where)
        account = self.accounts.get(owner.entry.account.value)
        if queue is None or account is None:
            return ""
        name = entry.queue.value
        if name.endswith(FIFO_SUFFIX) and not topic.endswith(FIFO_SUFFIX):
            self.where.problem(entry.queue.line, f'{key}: "{name}" is a FIFO queue, and the topic is none')
        if owner is not self.source and queue.value.policy is None:
            text = (
                f'{key}: the queue "{name}" lets no topic in: "{owner.entry.name.value}" has to say so in its `policy` '
                f"({owner.where.file}:{queue.line})"
            )
            self.where.problem(entry.queue.line, text)
        return queue_arn(self.written.entry.region, account.id, name)

    def _redrive(self, topic: str, key: str, named: At[str]) -> Mapping[str, str]:
        account = self.accounts.get(self.source.entry.account.value)
        if known("queue", named, self.source.entry.queues, self.where) is None or account is None:
            return {}
        if named.value.endswith(FIFO_SUFFIX) != topic.endswith(FIFO_SUFFIX):
            text = f'{key}.dead-letter: "{named.value}" must be a FIFO queue if and only if the topic is one'
            self.where.problem(named.line, text)
        arn = queue_arn(self.written.entry.region, account.id, named.value)
        return {REDRIVE: json.dumps({"deadLetterTargetArn": arn})}

    def _filter(self, key: str, entry: TopicSubscriptionEntry) -> Mapping[str, str]:
        scope = {FILTER_SCOPE: entry.filter_scope} if entry.filter_scope else {}
        if entry.filter is None:
            return scope
        policy, node = entry.filter
        line = node.line

        def compile(content: Mapping[str, Any]) -> Matches | str:
            nonlocal line
            try:
                return compile_pattern(content, characters=None).matches
            except PatternError as error:
                line = line_of(node, error.path)
                return error.text

        text = json.dumps(policy, ensure_ascii=False)
        fault = filter_fault(text, of_body=entry.filter_scope == "MessageBody", compile=compile)
        if fault is not None:
            self.where.problem(line, f"{key}.filter: {fault.removeprefix('FilterPolicy: ')}")
        return {FILTER: text, **scope}
