"""Where things are when a landscape runs as containers: ports, folders, names on the networks."""

STATE_IN_CONTAINER = "/var/lib/harness"
LANDSCAPE_IN_CONTAINER = "/landscape"
KEYS_IN_CONTAINER = f"{STATE_IN_CONTAINER}/keys"
TOKENS_IN_EDGE = f"{STATE_IN_CONTAINER}/tokens"
DEVELOPER_FOLDER = "/developer"
TOKEN_FOLDER = "/var/run/secrets/harness"
TOKEN_FILE = f"{TOKEN_FOLDER}/token"
EDGE_PORT = 4566
PUBLIC_PORT = 4567
DOMAIN_PORT = 8080
ROUTER_HEALTH_PORT = 4568
NATS_URL = "nats://nats:4222"
EDGE_UID = 10001
SERVICES = ("keys", "nats", "edge", "router")
WALLS = ("workbench", "bus")
"""The harness's own networks; every account has one more, called as the account."""


def endpoint_alias(account: str) -> str:
    """The name of an account's VPC endpoint on that account's network; the edge binds its listener to it."""
    return f"vpce.{account}.internal"


WORKBENCH_ALIAS = "vpce.workbench.internal"


def api_alias(api: str, region: str) -> str:
    return f"{api}.execute-api.{region}.amazonaws.com"
