"""Roles to simulate, one that may, and policies as text."""

from typing import Any

from tests.access.landscape import ORDERS, STOCK, STOREFRONT, a_directory, a_role, allow, text_of

INVOKE = "execute-api:Invoke"
API = f"arn:aws:execute-api:eu-west-1:{ORDERS}:orders"
ORDER = f"{API}/v1/GET/orders/17"

TESTER = a_role(STOREFRONT, "tester", allow("iam:*"))
SILENT = a_role(STOREFRONT, "silent")
SERVICE = a_role(
    STOCK,
    "service",
    allow(INVOKE, f"{API}/v1/*", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}}),
    boundary=[allow("execute-api:*")],
    path="/team/",
    tags={"team": "stock"},
)
DIRECTORY = a_directory(TESTER, SILENT, SERVICE)

ALL = text_of(allow("*"))
NOTHING = text_of(allow("s3:GetObject"))


def custom(client: Any, *policies: str, **more: Any) -> Any:
    """The one result of a simulation of execute-api:Invoke."""
    asked = {"ActionNames": [INVOKE], "ResourceArns": [ORDER], **more}
    (result,) = client.simulate_custom_policy(PolicyInputList=list(policies), **asked)["EvaluationResults"]
    return result


def entry(key: str, kind: str, *values: str) -> dict[str, Any]:
    return {"ContextKeyName": key, "ContextKeyType": kind, "ContextKeyValues": list(values)}
