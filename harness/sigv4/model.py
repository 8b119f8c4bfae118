"""What a SigV4 check says: the credentials a request presents, or the fault that makes it unverifiable."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class FaultKind(StrEnum):
    """Each service's edge maps a kind to its own status and error code by one table (sigv4 sheets of AWS)."""

    MISSING = "missing"  # no authentication material at all
    INCOMPLETE = "incomplete"  # material present, parts missing or not parsable
    MISMATCH = "mismatch"  # the signature differs from the one calculated, or does not cover what it must
    EXPIRED = "expired"  # older than the skew window
    NOT_YET = "not-yet"  # further in the future than the skew window
    SCOPE_DATE = "scope-date"
    SCOPE_REGION = "scope-region"
    SCOPE_SERVICE = "scope-service"
    SCOPE_TERMINATOR = "scope-terminator"
    UNKNOWN_KEY = "unknown-key"  # access key unknown, or not the token's
    EXPIRED_TOKEN = "expired-token"


@dataclass(frozen=True, slots=True)
class Fault:
    """`message` is the exact text AWS sends for an `execute-api` request.

    It may repeat what the caller sent (a session token among the signed headers): answer with it, never log it.
    """

    kind: FaultKind
    message: str


class Presented(NamedTuple):
    """The authentication material of a request, parsed, nothing of it verified yet.

    A tuple, because one is made for every request and a frozen dataclass of this size takes four times as long.
    `date` is `yyyymmdd`, `amz_date` is `yyyymmddThhmmssZ`; `signed_headers` lower-case in the order sent.
    `security_token` is None when the request carries none. `expires` (seconds) only in the presigned form.
    """

    access_key_id: str
    date: str
    region: str
    service: str
    terminator: str
    signed_headers: tuple[str, ...]
    signature: str
    amz_date: str
    security_token: str | None
    presigned: bool = False
    expires: int | None = None

    def __repr__(self) -> str:
        """Without signature and token, so that it can be logged."""
        scope = f"{self.date}/{self.region}/{self.service}/{self.terminator}"
        return f"Presented({self.access_key_id}/{scope}, {';'.join(self.signed_headers)}, {self.amz_date})"
