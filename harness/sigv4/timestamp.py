"""The instant of a signature: `yyyymmddThhmmssZ`, or an HTTP date that is turned into that form."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from harness.clock import basic_iso

_BASIC = re.compile(r"\d{8}T\d{6}Z", re.ASCII)


@lru_cache(maxsize=256)
def _parsed(amz_date: str) -> datetime | None:
    if not _BASIC.fullmatch(amz_date):
        return None
    try:
        return datetime.strptime(amz_date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:  # the 31st of February
        return None


def instant_of(amz_date: str) -> datetime | None:
    """The instant that ISO 8601 basic text names, in UTC; None when it is anything else."""
    # Signers share the second they sign in, so most calls find it parsed; longer text is never remembered.
    return _parsed(amz_date) if len(amz_date) == 16 else None


def from_http_date(text: str) -> str | None:
    """ISO 8601 basic of a `Date` header, in which RFC 9110 dates and ISO basic are both accepted; None for neither."""
    if instant_of(text) is not None:
        return text
    try:
        instant = parsedate_to_datetime(text)
        # "-0000" and a missing zone parse as naive; RFC 9110 5.6.7 knows UTC only.
        return basic_iso(instant if instant.tzinfo else instant.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None
