"""Whether a credential scope and its instant fit this service, here and now. Says nothing about the signature."""

from datetime import datetime, timedelta

from harness.clock import basic_iso
from harness.sigv4.model import Fault, FaultKind, Presented
from harness.sigv4.timestamp import instant_of

TERMINATOR = "aws4_request"


def check_scope(
    presented: Presented, *, region: str, service: str, now: datetime, skew_seconds: int = 300
) -> Fault | None:
    """The instant against `now` in whole seconds, both ends of the window included; then each part of the scope.

    In the presigned form `X-Amz-Expires`, where given, is the window into the past. When several parts of the scope are
    wrong, the fault has the kind of the first and, as on AWS, the sentences of all.
    """
    instant = instant_of(presented.amz_date)
    if instant is None:
        return malformed_date(presented.amz_date)
    since = now - instant
    age = since.days * 86_400 + since.seconds
    window = skew_seconds if presented.expires is None else presented.expires
    if not -skew_seconds <= age <= window:
        return _outside(presented, now, age, window, skew_seconds)
    day = presented.amz_date[:8]
    if (
        presented.region == region
        and presented.service == service
        and presented.terminator == TERMINATOR
        and presented.date == day
    ):
        return None
    return _wrong_parts(presented, day, region, service)


def _outside(presented: Presented, now: datetime, age: int, window: int, skew_seconds: int) -> Fault:
    if age > window:
        return Fault(
            FaultKind.EXPIRED,
            f"Signature expired: {presented.amz_date} is now earlier than "
            f"{basic_iso(now - timedelta(seconds=window))} ({basic_iso(now)} - {window / 60:g} min.)",
        )
    return Fault(
        FaultKind.NOT_YET,
        f"Signature not yet current: {presented.amz_date} is still later than "
        f"{basic_iso(now + timedelta(seconds=skew_seconds))} ({basic_iso(now)} + {skew_seconds / 60:g} min.)",
    )


def _wrong_parts(presented: Presented, day: str, region: str, service: str) -> Fault:
    faults = []
    if presented.region != region:
        faults.append(Fault(FaultKind.SCOPE_REGION, "Credential should be scoped to a valid region. "))
    if presented.service != service:
        faults.append(Fault(FaultKind.SCOPE_SERVICE, f"Credential should be scoped to correct service: '{service}'. "))
    if presented.terminator != TERMINATOR:
        faults.append(
            Fault(
                FaultKind.SCOPE_TERMINATOR,
                f"Credential should be scoped with a valid terminator: '{TERMINATOR}'. ",
            )
        )
    if presented.date != day:
        faults.append(
            Fault(
                FaultKind.SCOPE_DATE,
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                f"'{presented.date}' != '{day}', from '{presented.amz_date}'.",
            )
        )
    return Fault(faults[0].kind, "".join(fault.message for fault in faults))


def malformed_date(got: str) -> Fault:
    return Fault(
        FaultKind.INCOMPLETE,
        f"Date must be in ISO-8601 'basic format'. Got '{got}'. See http://en.wikipedia.org/wiki/ISO_8601",
    )
