"""What every test may lean on, and the rule of continuous integration: nothing that should be tested is skipped."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.storage.nats_server import NatsServer

ROOT = Path(__file__).resolve().parent.parent

pytest_plugins = ["pytester"]

# What a terminal, a company's network or a git hook left in the environment decides no test.
for name in (
    *("COLUMNS", "LINES", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY"),
    *(each for kind in ("HTTP", "HTTPS", "ALL") for each in (f"{kind}_PROXY", f"{kind}_PROXY".lower())),
):
    os.environ.pop(name, None)

# The same examples in every run, however busy the machine is. `--hypothesis-profile=explore` looks for new ones.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("steady", settings.get_profile("explore"), derandomize=True)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def conformance() -> Path:
    """The folder of published conformance suites; `HARNESS_CONFORMANCE` names another one."""
    folder = Path(os.environ.get("HARNESS_CONFORMANCE", ROOT.parent / "shared" / "conformance"))
    if not folder.is_dir():
        pytest.skip(f"no conformance suites at {folder} (set HARNESS_CONFORMANCE)")
    return folder


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """One a run for the tests that share it; those that kill it start their own."""
    server = NatsServer(tmp_path_factory.mktemp("nats")).start()
    yield server
    server.kill()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def]
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("HARNESS_NO_SKIPS"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which HARNESS_NO_SKIPS forbids: {report.longrepr}"
    return report
