"""What a newcomer is promised, as tests that any running landscape must pass, whichever engine runs it.

A module that has a fixture `running` (a `Running`) imports the classes here.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

HARNESS = Path(sys.executable).parent / "harness"
ROOT = Path(__file__).resolve().parents[2]
REGION = "eu-west-1"


@dataclass(frozen=True)
class Running:
    """A landscape under test. `arguments` are harness's own, such as `--state DIR`."""

    workbench: str
    public: str
    arguments: tuple[str, ...] = ()

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(HARNESS), *self.arguments, *arguments],
            cwd=ROOT,
            text=True,
            capture_output=True,
            check=check,
            timeout=300,
        )

    def credentials(self, role: str) -> dict[str, str]:
        """As `credential_process` would read them."""
        document: dict[str, str] = json.loads(self.run("credentials", role, "--format", "json").stdout)
        return document

    def call(self, api: str, method: str, path: str, role: str, data: object = None) -> dict[str, Any]:
        body = ("--data", json.dumps(data)) if data is not None else ()
        done = self.run("call", api, method, path, "--as", role, "--json", *body, check=False)
        assert done.stdout, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


def eventually(read: Callable[[], Any], until: Callable[[Any], bool], *, seconds: float = 120.0) -> Any:
    """The first value that satisfies `until`; the last one read when none does in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = read()
        if until(value) or time.monotonic() > deadline:
            return value
        time.sleep(0.02)


def settled(order: dict[str, Any]) -> bool:
    return bool(order["status"] != "pending")


class TestOrders:
    def place(self, running: Running, sku: str, quantity: int) -> dict[str, Any]:
        order = {"lines": [{"sku": sku, "quantity": quantity}]}
        answer = running.call("orders", "POST", "/v2/orders", "storefront", order)
        assert answer["status"] == 201, answer
        body: dict[str, Any] = answer["body"]
        return body

    def read(self, running: Running, order_id: str) -> dict[str, Any]:
        body: dict[str, Any] = running.call("orders", "GET", f"/v2/orders/{order_id}", "storefront")["body"]
        return body

    def test_an_order_with_enough_stock_is_confirmed(self, running: Running) -> None:
        placed = self.place(running, "chair-oak", 1)

        order = eventually(lambda: self.read(running, placed["id"]), settled)

        assert order["status"] == "confirmed"

    def test_an_order_beyond_the_stock_is_rejected(self, running: Running) -> None:
        placed = self.place(running, "lamp-brass", 99)

        order = eventually(lambda: self.read(running, placed["id"]), settled)

        assert order["status"] == "rejected"


@pytest.fixture(scope="module")
def storefront(running: Running) -> Credentials:
    issued = running.credentials("storefront")
    return Credentials(issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])


def signed(running: Running, credentials: Credentials, method: str, target: str, body: bytes = b"") -> AWSRequest:
    """Signed by botocore, with nothing of ours."""
    request = AWSRequest(method, running.workbench + target, data=body)
    request.headers["x-apigw-api-id"] = "orders"
    request.headers["Content-Type"] = "application/json"
    SigV4Auth(credentials, "execute-api", REGION).add_auth(request)
    return request


def send(request: AWSRequest, *, url: str = "", body: bytes | None = None, headers: Any = None) -> requests.Response:
    return requests.request(
        request.method,
        url or request.url,
        data=request.data if body is None else body,
        headers={**dict(request.headers), **(headers or {})},
        timeout=180,
    )


class TestSignatures:
    BODY = b'{"lines": [{"sku": "chair-oak", "quantity": 1}]}'

    def test_a_request_signed_by_botocore_is_accepted(self, running: Running, storefront: Credentials) -> None:
        answer = send(signed(running, storefront, "GET", "/v2/orders?limit=5"))

        assert answer.status_code == 200
        assert answer.headers["x-amzn-RequestId"]

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param({"body": BODY.replace(b"1", b"2")}, id="a byte of the body"),
            pytest.param({"path": "/v2/orderz"}, id="a byte of the path on an unknown route"),
            pytest.param({"query": "limit=6"}, id="a byte of the query"),
            pytest.param({"headers": {"Content-Type": "application/jsoN"}}, id="a byte of a signed header"),
        ],
    )
    def test_a_changed_byte_is_refused(self, change: dict[str, Any], running: Running, storefront: Credentials) -> None:
        request = signed(running, storefront, "POST", "/v2/orders?limit=5", self.BODY)
        url = request.url.replace("/v2/orders", change.get("path", "/v2/orders")).replace(
            "limit=5", change.get("query", "limit=5")
        )

        answer = send(request, url=url, body=change.get("body"), headers=change.get("headers"))

        assert answer.status_code == 403
        if "path" not in change:  # an unknown route has no method to authorise
            assert answer.headers["x-amzn-ErrorType"] == "InvalidSignatureException"
            assert answer.json()["message"].startswith("The request signature we calculated does not match")

    def test_a_changed_byte_of_a_path_parameter_is_refused(self, running: Running, storefront: Credentials) -> None:
        request = signed(running, storefront, "GET", "/v2/orders/11111111-1111-4111-8111-111111111111")

        answer = send(request, url=request.url[:-1] + "2")

        assert answer.status_code == 403
        assert answer.headers["x-amzn-ErrorType"] == "InvalidSignatureException"

    def test_an_unsigned_request_is_refused(self, running: Running) -> None:
        answer = requests.get(running.workbench + "/v2/orders", headers={"x-apigw-api-id": "orders"}, timeout=180)

        assert answer.status_code == 403
        assert answer.json() == {"message": "Missing Authentication Token"}
        assert answer.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"


class TestPolicies:
    def test_a_role_that_the_resource_policy_does_not_name_is_refused_in_aws_words(self, running: Running) -> None:
        answer = running.call("orders", "GET", "/v2/orders", "backoffice")

        assert answer["status"] == 403
        message = answer["body"]["Message"]
        assert message.startswith("User: arn:aws:sts::")
        assert ":assumed-role/backoffice/" in message
        assert (
            "is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********"
            in message
        )
        assert answer["headers"]["x-amzn-errortype"] == "AccessDeniedException"

    def test_a_private_api_cannot_be_reached_from_the_public_internet(
        self, running: Running, storefront: Credentials
    ) -> None:
        request = AWSRequest("GET", running.public + "/v2/orders")
        request.headers["x-apigw-api-id"] = "orders"
        SigV4Auth(storefront, "execute-api", REGION).add_auth(request)

        answer = send(request)

        assert answer.status_code == 403
        assert answer.json() == {"message": "Forbidden"}


class TestSts:
    def client(self, running: Running, role: str) -> Any:
        issued = running.credentials(role)
        return boto3.client(
            "sts",
            endpoint_url=running.workbench,
            region_name=REGION,
            aws_access_key_id=issued["AccessKeyId"],
            aws_secret_access_key=issued["SecretAccessKey"],
            aws_session_token=issued["SessionToken"],
        )

    def test_the_caller_identity_is_the_assumed_role(self, running: Running) -> None:
        identity = self.client(running, "storefront").get_caller_identity()

        assert ":assumed-role/storefront/" in identity["Arn"]
        assert identity["Account"] == identity["Arn"].split(":")[4]

    def test_a_role_of_another_account_is_assumed_where_its_trust_policy_says_so(self, running: Running) -> None:
        assumed = self.client(running, "storefront").assume_role(
            RoleArn=self.support_reader(running), RoleSessionName="walkthrough"
        )

        assert assumed["AssumedRoleUser"]["Arn"].endswith(":assumed-role/support-reader/walkthrough")

    def test_and_refused_where_it_does_not(self, running: Running) -> None:
        with pytest.raises(ClientError) as refused:
            self.client(running, "backoffice").assume_role(
                RoleArn=self.support_reader(running), RoleSessionName="walkthrough"
            )

        assert refused.value.response["Error"]["Code"] == "AccessDenied"

    def support_reader(self, running: Running) -> str:
        arn: str = self.client(running, "support-reader").get_caller_identity()["Arn"]
        account = arn.split(":")[4]
        return f"arn:aws:iam::{account}:role/support-reader"


class TestBus:
    def test_an_event_put_from_the_terminal_is_seen_by_tail(self, running: Running) -> None:
        detail = json.dumps({"metadata": {"eventId": "walkthrough"}, "data": {}})
        put = running.run(
            *("events", "put", "--as", "stock-service", "--source", "acme.stock"),
            *("--detail-type", "StockCounted.v1", "--detail", detail),
        )
        event_id = json.loads(put.stdout)["EventId"]

        seen = running.run(
            *("events", "tail", "--from-start", "--json", "--count", "1"),
            *("--pattern", json.dumps({"id": [event_id]})),
        )

        event = json.loads(seen.stdout)
        assert event["detail-type"] == "StockCounted.v1"
        assert list(event) == [
            "version",
            "id",
            "detail-type",
            "source",
            "account",
            "time",
            "region",
            "resources",
            "detail",
        ]
