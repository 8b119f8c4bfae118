"""Contracts as values: files in, findings out; no I/O."""

from harness.contracts.events import EventContract, Violation
from harness.contracts.finding import Example, Finding, Level, Place, Source
from harness.contracts.openapi import METHODS, Operation, operations
from harness.contracts.pact import Interaction, Pact, read_pact

__all__ = [
    "METHODS",
    "EventContract",
    "Example",
    "Finding",
    "Interaction",
    "Level",
    "Operation",
    "Pact",
    "Place",
    "Source",
    "Violation",
    "operations",
    "read_pact",
]
