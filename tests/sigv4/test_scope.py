from datetime import datetime
from typing import Any

import pytest

from harness.sigv4 import Fault, FaultKind, Presented, check_scope
from tests.sigv4.values import ACCESS_KEY_ID, REGION, SERVICE, cases

GOOD = Presented(
    access_key_id=ACCESS_KEY_ID,
    date="20260115",
    region=REGION,
    service=SERVICE,
    terminator="aws4_request",
    signed_headers=("host",),
    signature="",
    amz_date="20260115T120000Z",
    security_token=None,
)


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in cases("scope")])
def test_scope(case: dict[str, Any]) -> None:
    fault = check_scope(
        GOOD._replace(**case.get("presented", {})),
        region=REGION,
        service=SERVICE,
        now=datetime.fromisoformat(case.get("now", "2026-01-15T12:00:00+00:00")),
        skew_seconds=case.get("skew", 300),
    )
    assert fault == (Fault(FaultKind(case["kind"]), case["message"]) if "kind" in case else None)
