"""A running landscape as tests and commands hold it, against an HTTP server that stands for the edge."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from harness import manifest
from harness.errors import InputError, NotRunning
from harness.identity import Sealer
from harness.local.handle import Harness, no_answer, session_name
from harness.local.operator import operator_token
from tests.local.conftest import ROOT
from tests.local.edge import Edge
from tests.local.edge import edge as edge

NOON = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
KEY = bytes(range(32))


@pytest.fixture
def harness(landscape: manifest.Landscape, edge: Edge) -> Harness:
    return Harness(landscape, edge.url, KEY, clock=lambda: NOON)


class TestCredentials:
    def test_open_as_a_session_of_the_role_with_the_users_name(
        self, harness: Harness, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("USER", "ada")

        issued = harness.credentials("storefront", seconds=900)

        session = Sealer(KEY).open(issued.access_key_id, issued.session_token)
        assert session is not None
        assert session.session_name == "ada"
        assert session.role_arn == "arn:aws:iam::444444444444:role/storefront"
        assert issued.expiration == NOON + timedelta(seconds=900)

    def test_of_an_unknown_role_are_refused_with_the_mend(self, harness: Harness) -> None:
        with pytest.raises(InputError, match='did you mean "storefront"'):
            harness.credentials("storfront")

    def test_are_used_again_until_shortly_before_their_end(self, landscape: manifest.Landscape, edge: Edge) -> None:
        now = [NOON]
        harness = Harness(landscape, edge.url, KEY, clock=lambda: now[0])

        def key_id() -> str:
            harness.session("orders", "storefront").get(edge.url + "/v2/orders")
            return edge.requests[-1][1]["authorization"].partition("Credential=")[2].partition("/")[0]

        first = key_id()
        now[0] += timedelta(minutes=54)
        assert key_id() == first
        now[0] += timedelta(minutes=2)
        assert key_id() != first

    def test_and_the_master_key_are_not_shown_by_a_debugger(self, harness: Harness) -> None:
        harness.session("orders", "storefront").get(harness.workbench)

        assert repr(KEY) not in repr(harness)
        assert "SecretAccessKey" not in repr(harness)
        assert "_issued" not in repr(harness)


@pytest.mark.parametrize(
    ("user", "name"),
    [
        pytest.param("ada", "ada", id="a plain name"),
        pytest.param("ada.l+x=y,z@acme-corp_1", "ada.l+x=y,z@acme-corp_1", id="every character that is allowed"),
        pytest.param("ACME\\ada lovelace", "ACME-ada-lovelace", id="a domain and a space"),
        pytest.param("zoë", "zo-", id="a letter outside of ASCII"),
        pytest.param("x", "developer", id="too short for a session"),
        pytest.param(" ", "developer", id="nobody"),
        pytest.param("a" * 70, "a" * 64, id="too long for a session"),
    ],
)
def test_a_users_name_becomes_a_session_name_that_aws_would_take(user: str, name: str) -> None:
    assert session_name(user) == name


class TestCalls:
    def test_are_signed_for_the_api(self, harness: Harness, edge: Edge) -> None:
        harness.client("orders", "storefront").get("/v2/orders")

        ((path, headers, _),) = edge.requests
        assert path == "/v2/orders"
        assert headers["x-apigw-api-id"] == "orders"
        assert "/eu-west-1/execute-api/aws4_request" in headers["authorization"]

    @pytest.mark.parametrize(
        ("api", "role", "words"),
        [
            ("ordrs", "storefront", r'API: unknown API "ordrs" \(did you mean "orders"\?\)'),
            ("x", "storefront", "known are orders, stock"),
            ("orders", "nobody", 'unknown role "nobody"'),
        ],
    )
    def test_of_unknown_names_are_refused_before_anything_is_sent(
        self, harness: Harness, edge: Edge, api: str, role: str, words: str
    ) -> None:
        for make in (harness.session, harness.client, harness.auth):
            with pytest.raises(InputError, match=words):
                make(api, role)
        assert edge.requests == []


class TestEvents:
    def put(self, harness: Harness, **changes: Any) -> dict[str, Any]:
        arguments = {"role": "stock-service", "bus": None, "source": "acme", "detail_type": "A", "detail": "{}"}
        return harness.put_event(**{**arguments, **changes})

    def test_are_put_as_an_sdk_does(self, harness: Harness, edge: Edge) -> None:
        edge.body = json.dumps({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}).encode()

        assert self.put(harness) == {"EventId": "1"}

        ((path, headers, body),) = edge.requests
        assert path == "/"
        assert headers["x-amz-target"] == "AWSEvents.PutEvents"
        assert "/eu-west-1/events/aws4_request" in headers["authorization"]
        bus = "arn:aws:events:eu-west-1:333333333333:event-bus/enterprise"
        entry = {"Source": "acme", "DetailType": "A", "Detail": "{}", "EventBusName": bus}
        assert json.loads(body) == {"Entries": [entry]}

    def test_that_are_refused_answer_the_refusal(self, harness: Harness, edge: Edge) -> None:
        edge.status, edge.body = 400, b'{"__type": "AccessDeniedException", "message": "no"}'

        assert self.put(harness) == {"__type": "AccessDeniedException", "message": "no"}

    def test_on_an_unknown_bus_are_refused_with_the_mend(self, harness: Harness) -> None:
        with pytest.raises(InputError, match=r'--bus: unknown bus "enterprize" \(did you mean "enterprise"\?\)'):
            self.put(harness, bus="enterprize")

    def test_so_far_are_read_with_the_owners_token(self, harness: Harness, edge: Edge) -> None:
        edge.body = b'{"id": "1"}\n{"id": "2"}\n'

        assert [event["id"] for event in harness.events_so_far()] == ["1", "2"]

        ((path, headers, _),) = edge.requests
        assert path.startswith("/_harness/events?bus=arn%3Aaws%3Aevents")
        assert "from=start&follow=0" in path
        assert headers["authorization"] == f"Bearer {operator_token(KEY)}"

    def test_are_tailed_until_as_many_were_shown_as_asked_for(self, harness: Harness, edge: Edge) -> None:
        edge.body = b'{"id": "1"}\n{"id": "2"}\n{"id": "3"}\n'
        seen: list[str] = []

        harness.tail(
            bus=None, pattern='{"id": ["x"]}', from_start=True, count=2, show=lambda event: seen.append(event["id"])
        )

        assert seen == ["1", "2"]
        assert "pattern=%7B%22id%22" in edge.requests[0][0]

    def test_of_a_bad_pattern_are_refused_with_its_mistake(self, harness: Harness, edge: Edge) -> None:
        edge.status, edge.body = 400, b'{"message": "the pattern is not JSON"}'

        with pytest.raises(InputError, match="--pattern: the pattern is not JSON"):
            harness.tail(bus=None, pattern="{", from_start=False, count=None, show=print)

    def test_of_an_empty_pattern_are_not_all_events(self, harness: Harness, edge: Edge) -> None:
        edge.status, edge.body = 400, b'{"message": "the pattern is not JSON"}'

        with pytest.raises(InputError):
            harness.tail(bus=None, pattern="", from_start=False, count=None, show=print)

        assert edge.requests[0][0].endswith("pattern=")


class TestLandscapeThatIsGone:
    def test_is_told_in_one_line(self, landscape: manifest.Landscape) -> None:
        harness = Harness(landscape, "http://127.0.0.1:1", KEY)

        with pytest.raises(NotRunning, match=r"^nothing answers at http://127\.0\.0\.1:1: .*harness status$"):
            harness.events_so_far()
        with pytest.raises(NotRunning, match="nothing answers"):
            harness.put_event(role="stock-service", bus=None, source="a", detail_type="A", detail="{}")

    def test_while_it_is_tailed_is_told_in_one_line(self, harness: Harness, edge: Edge) -> None:
        edge.body, edge.broken = b'{"id": "1"}\n', True

        with pytest.raises(NotRunning, match="ended in the middle of its answer"):
            harness.tail(bus=None, pattern=None, from_start=True, count=None, show=lambda event: None)

    def test_is_another_one_than_the_keys_are_of(self, harness: Harness, edge: Edge) -> None:
        edge.status = 403

        with pytest.raises(NotRunning, match=r"403 Client Error.*is it the landscape of this folder"):
            harness.events_so_far()

    def test_that_is_slow_is_told_with_where_to_look(self) -> None:
        assert "did not answer in time: see what it does with: harness logs" in no_answer(
            "http://x", requests.ReadTimeout()
        )


def test_proxies_of_the_user_see_nothing(
    harness: Harness, edge: Edge, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login user password word\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    edge.body = b'{"Entries": [{"EventId": "1"}]}\n'

    harness.put_event(role="stock-service", bus=None, source="a", detail_type="A", detail="{}")
    harness.events_so_far()
    harness.client("orders", "storefront").get("/v2/orders")
    harness.session("orders", "storefront").get(edge.url + "/v2/orders")

    assert len(edge.requests) == 4
    assert not [path for path, headers, _ in edge.requests if headers["authorization"].startswith("Basic")]


def test_where_nothing_runs_that_is_said_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(NotRunning, match="nothing runs here; start it with: harness up"):
        Harness.attach(ROOT / "harness.yaml", tmp_path)
