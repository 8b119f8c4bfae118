"""What the gateway's yes or no costs: verifying a signature, finding the caller, deciding by policies; each by itself.

`.venv/bin/python -m bench.access [--rounds 200]` prints a table and writes bench/results/access.json. One call of the
sample landscape: its storefront reads an order of the orders API, with harness.yaml's own roles and policies. CPU time
of this process, the least of many rounds: what a neighbour on the machine takes away is not in it.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from harness import manifest
from harness.access import Authority, Caller, network_context
from harness.gateway.admission import ACTION, SERVICE
from harness.identity import Sealer, start_session
from harness.identity.model import Credentials as SessionCredentials
from harness.policy import AccessRequest, PolicyKind, PolicySet, compile_document, evaluate
from harness.sigv4 import Fault, SigningKeys, check_scope, read_authorization, sign, verify
from harness.wire import HttpRequest, method_arn

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "results" / "access.json"
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
PATH, QUERY = "/v2/orders/17", "fields=id,status"
TARGET_US = 15.0
STATEMENTS = (1, 10, 100)
_CALLS = 100
_STATEMENTS_IN_A_DOCUMENT = 25


def main() -> int:
    options = argparse.ArgumentParser(description="Benchmark of authentication and authorisation.")
    options.add_argument("--rounds", type=int, default=200, help=f"of {_CALLS} calls; the least counts (default 200)")
    chosen = options.parse_args()
    load = os.getloadavg()[0]
    rows = least(steps(), chosen.rounds)
    together = rows[AUTHENTICATE] + rows[AUTHORIZE]
    result = {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()},
        "load": round(load, 2),
        "microseconds": {name: round(value, 2) for name, value in rows.items()},
        "together": round(together, 2),
        "target": TARGET_US,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")
    for name, value in rows.items():
        print(f"{name:56}{value:>9.2f} us")
    print(f"\n{'authenticate and authorize together':56}{together:>9.2f} us (target {TARGET_US:g})")
    print(f"load {load:.1f}, written to {RESULTS}")
    return 0


AUTHENTICATE = "authenticate: who calls, all of it"
AUTHORIZE = "authorize: the landscape's policies, storefront's GET"


def steps() -> dict[str, Callable[[], object]]:
    """Each thing to measure, made ready, and seen to say yes."""
    landscape = manifest.load(ROOT / "harness.yaml")
    directory, api = landscape.directory(), landscape.apis()["orders"]
    place = next(place for place in landscape.places() if place.name == "storefront")
    sealer = Sealer(bytes(range(32)))
    session = start_session(landscape.role("storefront"), "bench", now=NOW, seconds=3600)
    credentials = sealer.issue(session)
    authority = Authority(directory, sealer, clock=lambda: NOW)
    request = signed(credentials, landscape.region)
    presented = read_authorization(request)
    caller = authority.authenticate(request, service=SERVICE)
    assert not isinstance(presented, Fault)
    assert isinstance(caller, Caller)
    keys = SigningKeys()
    resource = method_arn(landscape.region, api.account, api.id, "v2", "GET", PATH.removeprefix("/v2"))
    context = partial(network_context, request, place, now=NOW, region=landscape.region)
    authorize = partial(
        authority.authorize,
        caller,
        action=ACTION,
        resource=resource,
        resource_account=api.account,
        resource_policy=api.resource_policy,
        context=context(),
    )
    check = partial(verify, request, presented, credentials.secret_access_key, keys)
    assert check() is None
    assert authorize().allowed
    found: dict[str, Callable[[], object]] = {
        "parse the Authorization header": partial(read_authorization, request),
        "check its scope and date": partial(check_scope, presented, region=landscape.region, service=SERVICE, now=NOW),
        "verify: canonical request, hash, HMAC, comparison": check,
        AUTHENTICATE: partial(authority.authenticate, request, service=SERVICE),
        "context keys of the network": context,
        AUTHORIZE: authorize,
    }
    for count in STATEMENTS:
        plural = "s" if count > 1 else ""
        found[f"decide: {count} statement{plural}, the last allows"] = decision(caller, place.vpce_id, resource, count)
    for count in STATEMENTS[1:]:
        name = f"decide: {count} with conditions, half of them denials"
        found[name] = decision(caller, place.vpce_id, resource, count, conditions=True)
    return {**found, "beside: botocore signs the same call": partial(sign_by_botocore, credentials, landscape.region)}


def signed(credentials: SessionCredentials, region: str) -> HttpRequest:
    """As an SDK's HTTP client sends it."""
    headers = [
        (b"host", b"orders.execute-api.localhost:4566"),
        (b"accept-encoding", b"gzip, deflate"),
        (b"accept", b"application/json"),
        (b"connection", b"keep-alive"),
        (b"user-agent", b"storefront/1.0"),
    ]
    bare = HttpRequest("GET", PATH.encode(), QUERY.encode(), headers, b"", client_ip="127.0.0.1")
    added = sign(
        bare,
        access_key_id=credentials.access_key_id,
        secret=credentials.secret_access_key,
        session_token=credentials.session_token,
        region=region,
        service=SERVICE,
        now=NOW,
    )
    return HttpRequest("GET", PATH.encode(), QUERY.encode(), [*headers, *added], b"", client_ip="127.0.0.1")


def decision(
    caller: Caller, endpoint: str, resource: str, count: int, *, conditions: bool = False
) -> Callable[[], object]:
    """Identity policies of `count` statements on as many resources. All are looked at, and the last one allows."""
    under = resource.rpartition("/")[0]
    statements: list[dict[str, Any]] = [
        {"Effect": "Allow", "Action": ACTION, "Resource": f"{under}/{n}/*" if n else f"{under}/*"}
        for n in reversed(range(count))
    ]
    if conditions:
        for at, statement in enumerate(statements):
            statement["Condition"] = {"StringEquals": {"aws:SourceVpce": endpoint}}
            if at % 2 and at < count - 1:
                elsewhere = {"StringNotEquals": {"aws:SourceVpce": endpoint}}
                statement.update(Effect="Deny", Resource="*", Condition=elsewhere)
    # Several documents: AWS takes 10,240 characters in one.
    documents = [
        json.dumps({"Version": "2012-10-17", "Statement": statements[at : at + _STATEMENTS_IN_A_DOCUMENT]})
        for at in range(0, count, _STATEMENTS_IN_A_DOCUMENT)
    ]
    policies = PolicySet(
        identity=tuple(compile_document(text, kind=PolicyKind.IDENTITY, name="bench") for text in documents)
    )
    context = {**caller.context, "aws:sourcevpce": endpoint}
    request = AccessRequest(caller.principal, ACTION, resource, caller.account, context)
    assert evaluate(request, policies).allowed
    return partial(evaluate, request, policies)


def sign_by_botocore(credentials: SessionCredentials, region: str) -> None:
    request = AWSRequest("GET", f"http://orders.execute-api.localhost:4566{PATH}?{QUERY}", data=b"")
    keys = Credentials(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
    SigV4Auth(keys, SERVICE, region).add_auth(request)


def least(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Microseconds of CPU time for a call, in the round that was disturbed least. The rounds alternate."""
    repeat = range(_CALLS)
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(rounds):
        for name, call in calls.items():
            begun = time.process_time_ns()
            for _ in repeat:
                call()
            best[name] = min(best[name], (time.process_time_ns() - begun) / _CALLS / 1000)
    return best


if __name__ == "__main__":
    raise SystemExit(main())
