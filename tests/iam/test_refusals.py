"""Who may simulate, and what is refused with which code and text."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError

from harness.access import Authority
from harness.iam.api import IamApi
from harness.wire import HttpRequest, HttpResponse
from tests.access.landscape import NOON, WORKBENCH, a_sealer, a_session, signed
from tests.iam.cases import CUSTOM, PRINCIPAL
from tests.iam.landscape import ALL, DIRECTORY, INVOKE, NOTHING, ORDER, SERVICE, SILENT, TESTER


def refusal(error: ClientError) -> tuple[int, str, str]:
    answer = error.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


@pytest.mark.parametrize(("asked", "code", "text"), [row[1:] for row in CUSTOM], ids=[row[0] for row in CUSTOM])
def test_a_simulation_of_policies_is_refused(iam: Any, asked: dict[str, Any], code: str, text: str) -> None:
    good = {"PolicyInputList": [ALL], "ActionNames": [INVOKE], "ResourceArns": [ORDER]}

    with pytest.raises(ClientError) as refused:
        iam.simulate_custom_policy(**(good | asked))

    assert refusal(refused.value) == (400, code, text)


@pytest.mark.parametrize(
    ("asked", "status", "code", "text"), [row[1:] for row in PRINCIPAL], ids=[row[0] for row in PRINCIPAL]
)
def test_a_simulation_of_a_role_is_refused(iam: Any, asked: dict[str, Any], status: int, code: str, text: str) -> None:
    good = {"PolicySourceArn": SERVICE.arn, "ActionNames": [INVOKE]}

    with pytest.raises(ClientError) as refused:
        iam.simulate_principal_policy(**(good | asked))

    assert refusal(refused.value) == (status, code, text)


def test_a_marker_of_other_parameters_is_refused(iam: Any) -> None:
    asked = {"PolicyInputList": [ALL], "ActionNames": ["s3:GetObject", "s3:PutObject"], "MaxItems": 1}
    marker = iam.simulate_custom_policy(**asked)["Marker"]

    with pytest.raises(ClientError, match="Invalid Marker"):
        iam.simulate_custom_policy(**(asked | {"PolicyInputList": [NOTHING]}), Marker=marker)


@pytest.mark.parametrize(
    ("operation", "action", "asked", "resource"),
    [
        ("simulate_custom_policy", "SimulateCustomPolicy", {"PolicyInputList": [ALL], "ActionNames": [INVOKE]}, "*"),
        (
            "simulate_principal_policy",
            "SimulatePrincipalPolicy",
            {"PolicySourceArn": SERVICE.arn, "ActionNames": [INVOKE]},
            SERVICE.arn,
        ),
        ("get_context_keys_for_custom_policy", "GetContextKeysForCustomPolicy", {"PolicyInputList": [ALL]}, "*"),
        (
            "get_context_keys_for_principal_policy",
            "GetContextKeysForPrincipalPolicy",
            {"PolicySourceArn": SERVICE.arn},
            SERVICE.arn,
        ),
    ],
)
def test_who_is_not_permitted_is_refused(
    client_of: Callable[..., Any], operation: str, action: str, asked: dict[str, Any], resource: str
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(client_of(SILENT), operation)(**asked)

    assert refusal(refused.value) == (
        403,
        "AccessDenied",
        f"User: arn:aws:sts::{SILENT.account}:assumed-role/silent/laptop is not authorized to perform: iam:{action} "
        f"on resource: {resource} because no identity-based policy allows the iam:{action} action",
    )


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_the_global_region_and_that_of_the_landscape_are_signed_for(client_of: Callable[..., Any], region: str) -> None:
    answer = client_of(TESTER, region).get_context_keys_for_custom_policy(PolicyInputList=[ALL])

    assert answer["ContextKeyNames"] == []


def test_an_operation_that_is_left_out_is_unknown(iam: Any) -> None:
    with pytest.raises(ClientError) as refused:
        iam.list_roles()

    assert refusal(refused.value) == (400, "InvalidAction", "Could not find operation ListRoles for version 2010-05-08")


FORM = {"Action": "GetContextKeysForCustomPolicy", "Version": "2010-05-08", "PolicyInputList.member.1": ALL}


def answer(request: HttpRequest) -> HttpResponse:
    async def ask() -> HttpResponse:
        return await IamApi(Authority(DIRECTORY, a_sealer(), clock=lambda: NOON), clock=lambda: NOON)(
            request, WORKBENCH
        )

    return asyncio.run(ask())


def a_call(**more: Any) -> HttpRequest:
    given = a_sealer().issue(a_session(TESTER))
    return signed(given, **{"service": "iam", "method": "POST", "path": b"/", "body": urlencode(FORM).encode(), **more})


def test_the_answer_is_of_iams_name_space() -> None:
    response = answer(a_call())

    assert response.status == 200
    assert b'<GetContextKeysForCustomPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">' in response.body
    assert b"<ContextKeyNames/>" in response.body


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        pytest.param(a_call(service="sts"), b"SignatureDoesNotMatch", id="a signature for sts"),
        pytest.param(a_call(region="eu-central-1"), b"SignatureDoesNotMatch", id="a signature for another region"),
        pytest.param(a_call(token="forged"), b"InvalidClientTokenId", id="a forged token"),
        pytest.param(
            HttpRequest("POST", b"/", b"", [(b"host", b"localhost")], urlencode(FORM).encode()),
            b"MissingAuthenticationToken",
            id="no signature",
        ),
    ],
)
def test_who_does_not_sign_for_iam_is_refused(request_: HttpRequest, code: bytes) -> None:
    response = answer(request_)

    assert response.status == 403
    assert b"<Code>" + code + b"</Code>" in response.body
