"""The published Signature Version 4 test suite, header form and presigned form.

A case that does not apply to execute-api has its reason in the case file, and must then be refused.
"""

import json
from datetime import datetime
from pathlib import Path

import pytest

from harness.sigv4 import Fault, FaultKind, Presented, canonical_request, read_authorization
from harness.sigv4.signature import string_to_sign
from tests.sigv4.values import cases, check, from_text

CASES = cases("suite")


def parameters(*, refused: bool) -> list[object]:
    return [
        pytest.param(case["name"], form, id=f"{case['name']} ({form})")
        for case in CASES
        for form in ("header", "query")
        if (form in case.get("refused", {})) is refused
    ]


@pytest.fixture(scope="module")
def suite(conformance: Path) -> Path:
    return conformance / "sigv4" / "v4"


def verdict(folder: Path, form: str) -> Presented | Fault:
    context = json.loads((folder / "context.json").read_text())
    return check(
        from_text((folder / f"{form}-signed-request.txt").read_bytes()),
        now=datetime.fromisoformat(context["timestamp"]),
        region=context["region"],
        service=context["service"],
        secret=context["credentials"]["secret_access_key"],
    )


@pytest.mark.parametrize(("name", "form"), parameters(refused=False))
def test_a_published_case_is_signed_step_by_step(suite: Path, name: str, form: str) -> None:
    request = from_text((suite / name / f"{form}-signed-request.txt").read_bytes())
    presented = read_authorization(request)
    assert isinstance(presented, Presented)
    canonical = canonical_request(request, presented.signed_headers, presigned=presented.presigned)
    assert canonical == (suite / name / f"{form}-canonical-request.txt").read_bytes()
    scope = f"{presented.date}/{presented.region}/{presented.service}/{presented.terminator}"
    expected = (suite / name / f"{form}-string-to-sign.txt").read_text()
    assert string_to_sign(canonical, presented.amz_date, scope) == expected
    assert presented.signature == (suite / name / f"{form}-signature.txt").read_text()
    assert verdict(suite / name, form) == presented


@pytest.mark.parametrize(("name", "form"), parameters(refused=True))
def test_a_published_case_of_another_service_is_refused(suite: Path, name: str, form: str) -> None:
    fault = verdict(suite / name, form)
    assert isinstance(fault, Fault)
    assert fault.kind is FaultKind.MISMATCH


def test_every_published_case_is_listed(suite: Path) -> None:
    assert sorted(folder.name for folder in suite.iterdir()) == [case["name"] for case in CASES]
