"""Signature Version 4: read what a request presents, check its scope and its signature, sign requests of our own.

Pure: no I/O, and "now" is an argument. A refusal is a `Fault` that carries the text AWS sends.
"""

from harness.sigv4.authorization import read_authorization
from harness.sigv4.canonical_request import canonical_path, canonical_query, canonical_request
from harness.sigv4.model import Fault, FaultKind, Presented
from harness.sigv4.recurring import Recurring, alike_of
from harness.sigv4.scope import check_scope
from harness.sigv4.sign import sign
from harness.sigv4.signature import SigningKeys, verify

__all__ = [
    "Fault",
    "FaultKind",
    "Presented",
    "Recurring",
    "SigningKeys",
    "alike_of",
    "canonical_path",
    "canonical_query",
    "canonical_request",
    "check_scope",
    "read_authorization",
    "sign",
    "verify",
]
