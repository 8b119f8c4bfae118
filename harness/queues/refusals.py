"""What SQS refuses, by name, and how each refusal reads in both protocols.

Source: botocore's model of sqs 2012-11-05 and the codes of the query protocol, which `x-amzn-query-error` repeats.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from harness.sigv4 import FaultKind


class Row(NamedTuple):
    """`json`: of `__type`; `query`: the code of the query protocol."""

    json: str
    query: str
    status: int = 400


@dataclass(frozen=True, slots=True)
class Refusal:
    """`name` is a row of `ROWS`."""

    name: str
    message: str

    @property
    def row(self) -> Row:
        return ROWS[self.name]


def _sqs(name: str, query: str = "", status: int = 400) -> Row:
    return Row(f"com.amazonaws.sqs#{name}", query or f"AWS.SimpleQueueService.{name}", status)


def _common(name: str, query: str, status: int = 400) -> Row:
    return Row(f"com.amazon.coral.service#{name}", query, status)


ROWS: Mapping[str, Row] = {
    "QueueDoesNotExist": _sqs("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
    "QueueNameExists": _sqs("QueueNameExists", "QueueAlreadyExists"),
    "QueueDeletedRecently": _sqs("QueueDeletedRecently"),
    "PurgeQueueInProgress": _sqs("PurgeQueueInProgress"),
    "EmptyBatchRequest": _sqs("EmptyBatchRequest"),
    "TooManyEntriesInBatchRequest": _sqs("TooManyEntriesInBatchRequest"),
    "BatchEntryIdsNotDistinct": _sqs("BatchEntryIdsNotDistinct"),
    "InvalidBatchEntryId": _sqs("InvalidBatchEntryId"),
    "BatchRequestTooLong": _sqs("BatchRequestTooLong"),
    "MessageNotInflight": _sqs("MessageNotInflight"),
    "ReceiptHandleIsInvalid": _sqs("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid"),
    "OverLimit": _sqs("OverLimit", "OverLimit", 403),
    "UnsupportedOperation": _sqs("UnsupportedOperation"),
    "InvalidAttributeName": _sqs("InvalidAttributeName", "InvalidAttributeName"),
    "InvalidAttributeValue": _sqs("InvalidAttributeValue", "InvalidAttributeValue"),
    "InvalidMessageContents": _sqs("InvalidMessageContents", "InvalidMessageContents"),
    "InvalidAddress": _sqs("InvalidAddress", "InvalidAddress", 404),
    "RequestThrottled": _sqs("RequestThrottled", "RequestThrottled", 403),
    "ResourceNotFoundException": _sqs("ResourceNotFoundException", "ResourceNotFoundException", 404),
    "InvalidParameterValue": _common("InvalidParameterValueException", "InvalidParameterValue"),
    "MissingParameter": _common("MissingRequiredParameterException", "MissingParameter"),
    "AccessDenied": _common("AccessDeniedException", "AccessDenied", 403),
    "MissingAction": _common("UnknownOperationException", "MissingAction"),
    "InvalidAction": _common("UnknownOperationException", "InvalidAction"),
    "SerializationException": _common("SerializationException", "MalformedInput"),
    "MalformedQueryString": _common("SerializationException", "MalformedQueryString"),
    "RequestEntityTooLarge": _common("RequestEntityTooLargeException", "RequestEntityTooLarge", 413),
    "ServiceUnavailable": _common("ServiceUnavailableException", "ServiceUnavailable", 503),
    "MissingAuthenticationToken": _common("MissingAuthenticationTokenException", "MissingAuthenticationToken", 403),
    "IncompleteSignature": _common("IncompleteSignatureException", "IncompleteSignature"),
    "UnrecognizedClient": _common("UnrecognizedClientException", "InvalidClientTokenId", 403),
    "ExpiredToken": _common("ExpiredTokenException", "ExpiredToken", 403),
    "SignatureDoesNotMatch": _common("InvalidSignatureException", "SignatureDoesNotMatch", 403),
}

_MISMATCH = "SignatureDoesNotMatch"
FAULTS: Mapping[FaultKind, str] = {
    FaultKind.MISSING: "MissingAuthenticationToken",
    FaultKind.INCOMPLETE: "IncompleteSignature",
    FaultKind.UNKNOWN_KEY: "UnrecognizedClient",
    FaultKind.EXPIRED_TOKEN: "ExpiredToken",
    FaultKind.MISMATCH: _MISMATCH,
    FaultKind.EXPIRED: _MISMATCH,
    FaultKind.NOT_YET: _MISMATCH,
    FaultKind.SCOPE_DATE: _MISMATCH,
    FaultKind.SCOPE_REGION: _MISMATCH,
    FaultKind.SCOPE_SERVICE: _MISMATCH,
    FaultKind.SCOPE_TERMINATOR: _MISMATCH,
}

NO_SUCH_QUEUE = Refusal("QueueDoesNotExist", "The specified queue does not exist.")
SHARE_USED = Refusal(
    "OverLimit", "The account has used its share of what the landscape remembers: delete something first."
)
THROTTLED = Refusal("RequestThrottled", "The queue is full and keeps what it has: receive and delete, or purge it.")
UNAVAILABLE = Refusal("ServiceUnavailable", "The store of the queues does not answer.")


def invalid(name: str, value: object, reason: str) -> Refusal:
    return Refusal("InvalidParameterValue", f"Value {value} for parameter {name} is invalid. Reason: {reason}")


def missing(name: str) -> Refusal:
    return Refusal("MissingParameter", f"The request must contain the parameter {name}.")
