"""pytest collects contracts: `pytest contracts` checks every version of every provider against a running landscape.

- `contracts/<provider>/<version>/openapi.yaml`: an item for each operation, fuzzed through the gateway;
- `contracts/<provider>/consumers/<consumer>.pact.json`: an item for each interaction, signed as the consumer's role;
- `contracts/<provider>/events/<Event>.v<N>.json`: an item that validates what was published in this run; runs last.

A landscape of its own is started for the run (with pytest-xdist, for each worker), on free ports and in a temporary
folder, unless `--harness-running` names the state folder of one that runs. Fixtures: `harness`, `client`, `events`.

pytest loads this module in every run, whatever it tests: it imports no other part of the package before one is needed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.pytest_plugin.landscape import LANDSCAPE, Landscape
from harness.pytest_plugin.summary import write_summary
from harness.pytest_plugin.workers import LEFT, Left, exit_status

if TYPE_CHECKING:
    from harness.local.handle import ApiClient, Harness


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("harness", "contract checks of domain-harness")
    group.addoption("--harness-file", metavar="FILE", help="harness.yaml (default: found from the root folder upwards)")
    group.addoption(
        "--harness-running", metavar="STATE", help="use the landscape running in this state folder; start none"
    )
    group.addoption("--harness-role", default="tester", metavar="ROLE", help="the role that fuzzes (%(default)s)")
    group.addoption("--harness-seed", type=int, default=1, metavar="N", help="seed of the fuzzing (%(default)s)")
    group.addoption(
        "--harness-max-examples", type=int, default=40, metavar="N", help="fuzzing cases an operation (%(default)s)"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash.setdefault(LANDSCAPE, Landscape(config))
    config.stash[LEFT] = []


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    # contracts/<provider>/<version, "consumers" or "events">/<file>
    if len(file_path.parts) < 5 or file_path.parts[-4] != "contracts" or _of_another_landscape(file_path, parent):
        return None
    from harness.pytest_plugin.files import contract_file

    return contract_file(file_path, parent)


def _of_another_landscape(path: Path, parent: pytest.Collector) -> bool:
    """Whether a harness.yaml of the file's own stands between it and that of this run, as with test data."""
    config = parent.config
    root = config.rootpath
    if config.getoption("--harness-file") or not any(_has_manifest(folder) for folder in (root, *root.parents)):
        return False
    return any(_has_manifest(folder) for folder in path.parents if folder != root and folder.is_relative_to(root))


def _has_manifest(folder: Path) -> bool:
    return (folder / "harness.yaml").is_file()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Events are judged when everything else has run: what the other items provoked is what there is to validate."""
    items.sort(key=lambda item: getattr(item, "runs_last", False))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    landscape = config.stash[LANDSCAPE]
    if hasattr(config, "workeroutput"):
        config.workeroutput["harness"] = Left.of_worker(session, landscape).to_wire()
    landscape.stop()
    session.exitstatus = exit_status(session.exitstatus, config.stash[LEFT])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker of pytest-xdist has ended and said what its landscape showed that none of its items told."""
    said = getattr(node, "workeroutput", {}).get("harness")
    if said is not None:
        node.config.stash[LEFT].append(Left.from_wire(said))


def pytest_unconfigure(config: pytest.Config) -> None:
    if LANDSCAPE in config.stash:
        config.stash[LANDSCAPE].stop()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    write_summary(terminalreporter, config.stash[LEFT])


@pytest.fixture(scope="session")
def harness(request: pytest.FixtureRequest) -> "Harness":
    """A running landscape."""
    from harness.errors import HarnessError

    try:
        return request.config.stash[LANDSCAPE].get()
    except HarnessError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def client(harness: "Harness") -> "Callable[[str, str], ApiClient]":
    """`client(api, role)`: a session whose relative URLs reach the API through the workbench, signed as the role."""
    return harness.client


@pytest.fixture
def events(harness: "Harness") -> Callable[[], list[dict[str, Any]]]:
    """`events()`: what the buses have taken since this test began."""
    before = {event["id"] for event in harness.events_so_far()}
    return lambda: [event for event in harness.events_so_far() if event["id"] not in before]
