"""The `events` client: boto3, unmodified, on the credentials of the default chain."""

from typing import Any

import boto3
from botocore.config import Config

from kit.credentials import DefaultChain


def events_client(credentials: DefaultChain, *, region: str, endpoint_url: str | None) -> Any:
    """`endpoint_url` None is AWS itself. Raises `CredentialsMissing` now and not at every call to come."""
    credentials.current()
    session = boto3.Session(botocore_session=credentials.session, region_name=region)
    # The relay retries by itself, with what it knows of each entry.
    config = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 1}, tcp_keepalive=True)
    return session.client("events", endpoint_url=endpoint_url, config=config)
