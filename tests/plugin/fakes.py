"""A landscape without processes, and checks without a network: what the plugin does around them is under test.

A plugin of the runs that the tests start; with `-p tests.plugin.fakes` workers of pytest-xdist load it too.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from harness.contracts import Interaction, Operation, Pact
from harness.errors import StartError
from harness.pytest_plugin.landscape import LANDSCAPE, Landscape
from harness.verify import consumers, fuzz, provider_states, signing_proxy
from harness.verify.consumers import ExpectationResult
from harness.verify.fuzz import FuzzFailure, FuzzReport, FuzzSettings


class FakeHarness:
    """An operation's id says how it does: `bad…` fails, `publish…` and `misspell…` publish an event."""

    workbench = "http://localhost:4566"

    def __init__(self) -> None:
        self.published: list[dict[str, Any]] = []

    def auth(self, api: str, role: str) -> str:
        return f"{api} as {role}"

    def consumer(self, name: str) -> str:
        return name

    def session(self, api: str, role: str) -> str:
        return self.auth(api, role)

    def client(self, api: str, role: str) -> str:
        return self.auth(api, role)

    def publish(self, detail: Mapping[str, Any], detail_type: str = "OrderPlaced.v1") -> None:
        number = len(self.published)
        event = {"id": f"e-{number}", "source": "acme.orders", "detail-type": detail_type, "detail": dict(detail)}
        self.published.append(event)

    def events_so_far(self) -> list[dict[str, Any]]:
        return list(self.published)


class FakeLandscape:
    def __init__(self, config: pytest.Config) -> None:
        self.harness = FakeHarness()
        self.started: FakeHarness | None = None
        self._fails = config.getoption("--fake-start-fails")

    def get(self) -> FakeHarness:
        if self._fails:
            raise StartError("port 4566 is in use by another program: end it")
        self.started = self.harness
        return self.harness

    def stop(self) -> None:
        if self.started is not None:
            print("the landscape is stopped")
        self.started = None


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fake-start-fails", action="store_true")


def pytest_configure(config: pytest.Config) -> None:
    landscape = FakeLandscape(config)
    config.stash[LANDSCAPE] = cast(Landscape, landscape)
    patches = pytest.MonkeyPatch()
    config.add_cleanup(patches.undo)
    patches.setattr(fuzz, "fuzz", _fuzz(landscape.harness))
    patches.setattr(consumers, "verify_interaction", _verify_interaction)
    patches.setattr(signing_proxy, "SigningProxy", FakeProxy)
    patches.setattr(provider_states, "reach", _reach(landscape.harness))


def _fuzz(harness: FakeHarness) -> Callable[..., FuzzReport]:
    def fuzz(
        document: Mapping[str, Any], operation: Operation, *, base_url: str, auth: str, settings: FuzzSettings
    ) -> FuzzReport:
        print(f"fuzzed {operation.label} at {base_url}, {auth}, {settings.seed}, {settings.max_examples}")
        report = FuzzReport(operation, {"coverage": 2, "fuzzing": 3}, {200: 4, 404: 1})
        if operation.operation_id.startswith("bad"):
            report.failures.append(FuzzFailure("Undocumented status", "418 is not documented", "GET /x", "418"))
        if operation.operation_id.startswith("publish"):
            harness.publish({"orderId": "1"})
        if operation.operation_id.startswith("misspell"):
            harness.publish({"orderId": 1})
        if operation.operation_id.startswith("nothing"):
            report.cases.clear()
            report.statuses.clear()
        if operation.operation_id.startswith("breaks"):
            report.errors.append("the reference #/x leads nowhere")
        return report

    return fuzz


def _reach(harness: FakeHarness) -> Callable[..., dict[str, Any]]:
    def reach(state: str, states: Mapping[str, Any], **rest: Any) -> dict[str, Any]:
        harness.publish({"orderId": "1"}, state.partition(" ")[0])
        return {}

    return reach


class FakeProxy:
    def __init__(self, session: str, url: str, *, state: Callable[[str], dict[str, Any]]) -> None:
        print(f"signed for {session}")

    def __enter__(self) -> "FakeProxy":
        return self

    def __exit__(self, *error: object) -> None:
        pass


def _verify_interaction(pact: Pact, file: Path, interaction: Interaction, *, proxy: FakeProxy) -> ExpectationResult:
    problems = ("$.total: expected a number",) if "total" in interaction.description else ()
    return ExpectationResult(interaction, problems)
