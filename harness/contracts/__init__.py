"""Contracts as values: files in, findings out; no I/O."""

from harness.contracts.events import EventContract, Violation
from harness.contracts.openapi import METHODS, Operation, operations
from harness.contracts.pact import Interaction, Pact, read_pact

__all__ = [
    "METHODS",
    "EventContract",
    "Interaction",
    "Operation",
    "Pact",
    "Violation",
    "operations",
    "read_pact",
]
