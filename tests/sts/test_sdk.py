"""An unmodified SDK against the handlers over HTTP: its signatures, its parser, its chain of credential providers."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError

from harness.access import Authority
from harness.clock import utc_now
from harness.identity import Directory, Role, Session, start_session
from harness.sts.api import StsApi
from harness.sts.container_credentials import ContainerCredentials, Grant
from harness.sts.web_identity import WorkloadTokens
from tests.access.landscape import CREDENTIALS, OIDC, ORDERS, STOCK, WORKBENCH, a_directory, a_role, allow
from tests.sts.client import KEY, SEALER, tokens
from tests.sts.loopback import served

CALLER = a_role(ORDERS, "orders", allow("sts:*"))
READER = a_role(STOCK, "reader")
CLOSED = a_role(STOCK, "closed", trust=[{"Effect": "Allow", "Principal": {"AWS": STOCK}, "Action": "sts:AssumeRole"}])
RUNNER = a_role(
    ORDERS,
    "runner",
    trust=[
        {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"},
        {
            "Effect": "Allow",
            "Principal": {"Federated": OIDC.arn(ORDERS)},
            "Action": "sts:AssumeRoleWithWebIdentity",
        },
    ],
)
DIRECTORY: Directory = a_directory(CALLER, READER, CLOSED, RUNNER)


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)  # it keeps the credentials that another test had
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("no_proxy", "127.0.0.1")  # which counts before NO_PROXY
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


@pytest.fixture
def endpoint() -> Iterator[str]:
    authority = Authority(DIRECTORY, SEALER)
    with served(StsApi(authority, SEALER, DIRECTORY, web_identity_key=tokens().public_keys), WORKBENCH) as url:
        yield url


def session_of(role: Role, **more: Any) -> Session:
    return start_session(role, "laptop", **{"now": utc_now(), "seconds": 3600, **more})


def client(endpoint: str, session: Session) -> Any:
    credentials = SEALER.issue(session)
    return boto3.client(
        "sts",
        endpoint_url=endpoint,
        region_name="eu-west-1",
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        aws_session_token=credentials.session_token,
    )


def refusal(error: ClientError) -> tuple[int, str]:
    return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]


def test_boto3_is_told_who_calls(endpoint: str) -> None:
    answer = client(endpoint, session_of(CALLER)).get_caller_identity()

    assert answer["Arn"] == "arn:aws:sts::111111111111:assumed-role/orders/laptop"
    assert answer["ResponseMetadata"]["RequestId"]


def test_boto3_assumes_a_role_and_calls_as_that_role(endpoint: str) -> None:
    given = client(endpoint, session_of(CALLER)).assume_role(
        RoleArn=READER.arn, RoleSessionName="work", DurationSeconds=900
    )["Credentials"]

    answer = boto3.client(
        "sts",
        endpoint_url=endpoint,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    ).get_caller_identity()

    assert answer["Arn"] == "arn:aws:sts::222222222222:assumed-role/reader/work"


def test_boto3_is_refused_a_role_that_does_not_trust_it(endpoint: str) -> None:
    with pytest.raises(ClientError, match="is not authorized to perform: sts:AssumeRole") as refused:
        client(endpoint, session_of(CALLER)).assume_role(RoleArn=CLOSED.arn, RoleSessionName="work")

    assert refusal(refused.value) == (403, "AccessDenied")


def test_boto3_is_told_whose_a_key_is(endpoint: str) -> None:
    caller = client(endpoint, session_of(CALLER))
    key = caller.assume_role(RoleArn=READER.arn, RoleSessionName="work")["Credentials"]["AccessKeyId"]

    assert caller.get_access_key_info(AccessKeyId=key)["Account"] == STOCK


def test_boto3_is_refused_a_session_token_for_a_session(endpoint: str) -> None:
    with pytest.raises(ClientError, match="Cannot call GetSessionToken with session credentials") as refused:
        client(endpoint, session_of(CALLER)).get_session_token(DurationSeconds=900)

    assert refusal(refused.value) == (403, "AccessDenied")


def test_boto3_is_told_that_its_session_has_expired(endpoint: str) -> None:
    over = session_of(CALLER, now=utc_now() - timedelta(hours=2))

    with pytest.raises(ClientError) as refused:
        client(endpoint, over).get_caller_identity()

    assert refusal(refused.value) == (403, "ExpiredToken")


def test_a_presigned_url_of_get_caller_identity_works(endpoint: str) -> None:
    url = client(endpoint, session_of(CALLER)).generate_presigned_url("get_caller_identity", HttpMethod="GET")

    with urlopen(url) as response:
        assert b"assumed-role/orders/laptop" in response.read()


def test_the_default_chain_takes_a_containers_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    authority = Authority(DIRECTORY, SEALER)
    door = ContainerCredentials(authority, SEALER, {"runner": Grant(RUNNER.arn, "a-token")})
    (tmp_path / "token").write_text("a-token")
    with served(door, CREDENTIALS) as url:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/v2/credentials/runner")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))

        credentials = botocore.session.get_session().get_credentials()

    assert credentials is not None
    assert credentials.method == "container-role"
    session = SEALER.open(credentials.access_key, credentials.token)
    assert session is not None
    assert session.role_arn == RUNNER.arn


def test_the_default_chain_takes_a_web_identity(endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(WorkloadTokens(KEY, issuer=OIDC.url).mint("runner", "orders"))
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", RUNNER.arn)
    monkeypatch.setenv("AWS_ROLE_SESSION_NAME", "runner")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)

    answer = boto3.client("sts").get_caller_identity()

    assert answer["Arn"] == "arn:aws:sts::111111111111:assumed-role/runner/runner"
