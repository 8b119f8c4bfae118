"""boto3's client of IAM, talking to the handler over HTTP on loopback."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from harness.access import Authority
from harness.clock import utc_now
from harness.iam.api import IamApi
from harness.identity import Role, start_session
from tests.access.landscape import WORKBENCH, a_sealer
from tests.iam.landscape import DIRECTORY, TESTER
from tests.sts.loopback import served

SEALER = a_sealer()


@pytest.fixture(scope="session")
def client_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """A client that signs as a role, for the region given."""
    nowhere: Path = tmp_path_factory.mktemp("no-settings")
    authority = Authority(DIRECTORY, SEALER)
    with pytest.MonkeyPatch.context() as patch, served(IamApi(authority), WORKBENCH) as url:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", str(nowhere / "config"))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nowhere / "credentials"))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("no_proxy", "127.0.0.1")  # which counts before NO_PROXY

        def client(role: Role, region: str = "us-east-1") -> Any:
            given = SEALER.issue(start_session(role, "laptop", now=utc_now(), seconds=3600))
            return boto3.client(
                "iam",
                endpoint_url=url,
                region_name=region,
                aws_access_key_id=given.access_key_id,
                aws_secret_access_key=given.secret_access_key,
                aws_session_token=given.session_token,
            )

        yield client


@pytest.fixture(scope="session")
def iam(client_of: Callable[..., Any]) -> Any:
    """The client of a role that may simulate."""
    return client_of(TESTER)
