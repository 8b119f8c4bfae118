"""The walkthrough against a landscape of processes, and what `up`, `status` and `down` promise."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.runtime.commands import gone
from tests.system.landscapes import children_of, harness, landscape, process_ids, status
from tests.system.walkthrough import HARNESS, ROOT, Running, eventually
from tests.system.walkthrough import TestBus as TestBus
from tests.system.walkthrough import TestOrders as TestOrders
from tests.system.walkthrough import TestPolicies as TestPolicies
from tests.system.walkthrough import TestSignatures as TestSignatures
from tests.system.walkthrough import TestSts as TestSts
from tests.system.walkthrough import storefront as storefront

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("landscape") / "state"


@pytest.fixture(scope="module")
def running(state: Path) -> Iterator[Running]:
    with landscape(state) as up:
        yield up


class TestStatus:
    def test_every_process_is_listed_and_healthy(self, running: Running, state: Path) -> None:
        document = status(state)

        assert set(process_ids(document)) == {"postgres", "nats", "edge", "router", "orders", "stock"}
        assert all(process["healthy"] for process in document["processes"])

    def test_a_second_up_is_refused_and_says_what_to_do(self, running: Running, state: Path) -> None:
        done = harness(state, "up")

        assert done.returncode == 1
        assert "a landscape already runs" in done.stderr
        assert "harness down" in done.stderr

    def test_a_database_is_closed_to_the_other_domain(self, running: Running, state: Path) -> None:
        (port,) = [p["ports"]["postgres"] for p in status(state)["processes"] if p["name"] == "postgres"]
        password = (state / "keys" / "postgres-orders.password").read_text()
        own = f"postgresql://orders:{password}@127.0.0.1:{port}/orders"
        with psycopg.connect(own) as connection:
            assert connection.execute("select 1").fetchone() == (1,)

        with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
            psycopg.connect(own.removesuffix("orders") + "stock")

    def test_the_state_folder_is_closed_to_others(self, running: Running, state: Path) -> None:
        assert state.stat().st_mode & 0o777 == 0o700
        assert (state / "keys" / "master.key").stat().st_mode & 0o777 == 0o600

    def test_logs_name_the_process_that_wrote_them(self, running: Running, state: Path) -> None:
        running.call("orders", "GET", "/v2/orders", "backoffice")

        lines = eventually(
            lambda: harness(state, "logs", "edge").stdout, lambda text: "assumed-role/backoffice" in text
        )

        assert lines.splitlines()[-1].startswith("edge")

    def test_no_log_holds_a_secret(self, running: Running, state: Path) -> None:
        issued = running.credentials("storefront")
        running.call("orders", "GET", "/v2/orders", "storefront")
        secrets = [key.read_text().strip() for key in (state / "keys").glob("*.password")]

        written = harness(state, "logs", "--lines", "100000").stdout

        assert not [secret for secret in (*secrets, issued["SecretAccessKey"]) if secret in written]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(
            ["call", "ordrs", "GET", "/v2/orders", "--as", "storefront"], 2, 'did you mean "orders"', id="api"
        ),
        pytest.param(["call", "orders", "GET", "/v2/orders", "--as", "storfront"], 2, "storefront", id="role"),
        pytest.param(["call", "orders", "GET", "v2/orders", "--as", "storefront"], 2, "must start with /", id="path"),
        pytest.param(["credentials", "nobody"], 2, "unknown role", id="credentials of a role"),
        pytest.param(["events", "tail", "--bus", "enterprize"], 2, 'did you mean "enterprise"', id="bus"),
    ],
)
def test_an_unknown_name_is_told_with_the_mend(arguments: list[str], code: int, words: str, running: Running) -> None:
    done = running.run(*arguments, check=False)

    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr


class TestEnd:
    """Each has a landscape that it ends."""

    def test_ctrl_c_leaves_no_process_behind(self, tmp_path: Path) -> None:
        command = [str(HARNESS), "--state", str(tmp_path / "state"), "up", "--free-ports"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if line.startswith("stop: Ctrl-C"):
                break
        assert re.search(r"^try: \S*harness --state \S+ call ", said, re.MULTILINE)
        children = children_of(process.pid)
        assert len(children) >= 6

        process.send_signal(signal.SIGINT)
        process.communicate(timeout=300)

        assert process.returncode == 0
        assert gone(children)

    def test_a_killed_supervisor_leaves_no_process_behind_and_loses_nothing(self, tmp_path: Path) -> None:
        state = tmp_path / "state"
        with landscape(state) as running:
            order = running.call(
                "orders", "POST", "/v2/orders", "storefront", {"lines": [{"sku": "chair-oak", "quantity": 1}]}
            )["body"]
            supervisor = status(state)["pid"]
            children = children_of(supervisor)
            os.kill(supervisor, signal.SIGKILL)
            assert eventually(lambda: gone(children), bool)

        with landscape(state) as running:
            again = eventually(
                lambda: running.call("orders", "GET", f"/v2/orders/{order['id']}", "storefront")["body"],
                lambda body: body.get("status") == "confirmed",
            )
            assert again["status"] == "confirmed"

    def test_down_without_a_landscape_says_so(self, tmp_path: Path) -> None:
        done = harness(tmp_path / "state", "down")

        assert done.returncode == 1
        assert "no landscape runs" in done.stderr

    def test_status_without_a_landscape_is_json_too(self, tmp_path: Path) -> None:
        done = harness(tmp_path / "state", "status", "--json")

        assert done.returncode == 1
        assert json.loads(done.stdout) == {"phase": "stopped", "healthy": False, "processes": []}
