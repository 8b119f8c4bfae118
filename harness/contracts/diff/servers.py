"""Addresses of the API: those of the document, and those that a path or an operation names for itself."""

from collections.abc import Iterator, Mapping

from harness.contracts.contract import Part
from harness.contracts.diff.pairing import Pairing
from harness.contracts.finding import Finding
from harness.contracts.schemas import Location


def document_server_findings(pairing: Pairing) -> Iterator[Finding]:
    yield from _compared(pairing, pairing.old.servers, pairing.new.servers)


def server_findings(pairing: Pairing, old: Part, new: Part) -> Iterator[Finding]:
    yield from _compared(pairing, pairing.old.servers_of(old), pairing.new.servers_of(new))


def _compared(pairing: Pairing, before: Mapping[str, Location], after: Mapping[str, Location]) -> Iterator[Finding]:
    for address, at in before.items():
        if address not in after:
            yield pairing.finding("server-removed", at, None, name=address)
    for address, at in after.items():
        if address not in before:
            yield pairing.finding("server-added", None, at, name=address)
