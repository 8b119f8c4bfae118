"""Schemas of contracts: read with lines, brought to one dialect, and compared by what they accept."""

from harness.contracts.schemas.containment import Comparison, Containment, Verdict, compare, contained
from harness.contracts.schemas.difference import Difference, Kind, Witness
from harness.contracts.schemas.documents import Document, Library, Location, read_document
from harness.contracts.schemas.load import Subject, load_schema
from harness.contracts.schemas.samples import Sampler
from harness.contracts.schemas.schema import Role, Schemas

__all__ = [
    "Comparison",
    "Containment",
    "Difference",
    "Document",
    "Kind",
    "Library",
    "Location",
    "Role",
    "Sampler",
    "Schemas",
    "Subject",
    "Verdict",
    "Witness",
    "compare",
    "contained",
    "load_schema",
    "read_document",
]
