"""pytest collects contracts: `pytest contracts` checks every version of every provider against a running landscape.

- `contracts/<provider>/<version>/openapi.yaml`: an item for each operation, fuzzed through the gateway;
- `contracts/<provider>/consumers/<consumer>.pact.json`: an item for each interaction, signed as the consumer's role;
- `contracts/<provider>/events/<Event>.v<N>.json`: an item that validates what was published in this run; runs last.

A landscape of its own is started for the run, on free ports and in a temporary folder, unless `--harness-running` names
the state folder of one that runs. Fixtures: `harness`, `client`, `events`.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from harness.contracts import EventContract, Interaction, Operation, Pact, operations, read_pact
from harness.errors import HarnessError
from harness.local.folders import find_manifest
from harness.local.handle import ApiClient, Harness
from harness.local.lifecycle import Temporary

if TYPE_CHECKING:
    from harness.verify.provider_states import Step

LANDSCAPE = pytest.StashKey["Landscape"]()
CASES = "harness_cases"
PROVOKED_SECONDS = 15.0


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
    config.stash[LANDSCAPE] = Landscape(config)


def pytest_unconfigure(config: pytest.Config) -> None:
    if LANDSCAPE in config.stash:
        config.stash[LANDSCAPE].stop()


class Landscape:
    """The landscape of a test run: started by the first item that needs it, stopped at the end of the run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._owned: Temporary | None = None
        self._harness: Harness | None = None

    def get(self) -> Harness:
        """Raises `HarnessError` when it cannot be had."""
        if self._harness is None:
            option = self._config.getoption
            named = option("--harness-file")
            manifest = find_manifest(Path(named) if named else None, start=self._config.rootpath)
            running = option("--harness-running")
            if running:
                self._harness = Harness.attach(manifest, Path(running))
            else:
                self._owned = Temporary.start(manifest)
                self._harness = self._owned.harness
        return self._harness

    def stop(self) -> None:
        if self._owned is not None:
            self._owned.stop()
            self._owned = None


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    parts = file_path.parts
    if "contracts" not in parts[:-2]:
        return None
    if file_path.name == "openapi.yaml":
        return OpenApiFile.from_parent(parent, path=file_path)
    if file_path.name.endswith(".pact.json") and parts[-2] == "consumers":
        return PactFile.from_parent(parent, path=file_path)
    if file_path.suffix == ".json" and parts[-2] == "events":
        return EventFile.from_parent(parent, path=file_path)
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Events are judged when everything else has run: what the other items provoked is what there is to validate."""
    items.sort(key=lambda item: isinstance(item, EventItem))


class ContractItem(pytest.Item):
    """An item whose failure is a finding, told in its own words without a traceback."""

    def harness(self) -> Harness:
        return self.config.stash[LANDSCAPE].get()

    def states(self) -> "dict[str, tuple[Step, ...]]":
        """Those of `contracts/<provider>/states.yaml`; none without that file."""
        from harness.verify.provider_states import read_states

        file = self.path.parent.parent / "states.yaml"
        return read_states(file.read_text(encoding="utf-8"), file=str(file)) if file.is_file() else {}

    def enter(self, state: str) -> dict[str, Any]:
        """Brings the provider into a state, as the role that tests; answers what its calls captured."""
        from harness.verify.provider_states import reach

        harness = self.harness()
        role = self.config.getoption("--harness-role")
        return reach(
            state, self.states(), session_for=lambda api: harness.session(api, role), base_url=harness.workbench
        )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, Findings | HarnessError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name


class Findings(Exception):
    """What a contract check found."""


class OpenApiFile(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        document = yaml.safe_load(self.path.read_text(encoding="utf-8"))
        provider, version = self.path.parts[-3:-1]
        for operation in operations(document):
            yield FuzzItem.from_parent(
                self, name=operation.label, document=document, operation=operation, api=provider, version=version
            )


class FuzzItem(ContractItem):
    def __init__(
        self, *, document: Mapping[str, Any], operation: Operation, api: str, version: str, **rest: Any
    ) -> None:
        super().__init__(**rest)
        self._document = document
        self._operation = operation
        self._api = api
        self._version = version

    def runtest(self) -> None:
        from harness.verify.fuzz import FuzzSettings, fuzz

        option = self.config.getoption
        harness = self.harness()
        report = fuzz(
            self._document,
            self._operation,
            base_url=f"{harness.workbench}/{self._version}",
            auth=harness.auth(self._api, option("--harness-role")),
            settings=FuzzSettings(seed=option("--harness-seed"), max_examples=option("--harness-max-examples")),
        )
        self.user_properties.append((CASES, {"phases": report.cases, "statuses": report.statuses}))
        if report.errors:
            raise Findings("\n".join(f"could not be checked: {error}" for error in report.errors))
        if report.failures:
            raise Findings("\n\n".join(str(failure) for failure in report.failures))
        if not report.sent:
            raise Findings("no case was sent: the contract leaves nothing to generate")


class PactFile(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        pact = read_pact(self.path.read_text(encoding="utf-8"), file=str(self.path))
        for interaction in pact.interactions:
            yield ExpectationItem.from_parent(self, name=interaction.description, pact=pact, interaction=interaction)


class ExpectationItem(ContractItem):
    def __init__(self, *, pact: Pact, interaction: Interaction, **rest: Any) -> None:
        super().__init__(**rest)
        self._pact = pact
        self._interaction = interaction

    def runtest(self) -> None:
        from harness.verify.consumers import verify_interaction
        from harness.verify.signing_proxy import SigningProxy

        harness = self.harness()
        session = harness.session(self._pact.provider, self._pact.consumer)
        with SigningProxy(session, harness.workbench, state=self.enter) as proxy:
            result = verify_interaction(self._pact, self.path, self._interaction, proxy=proxy)
        if result.problems:
            lines = "\n".join(f"  {problem}" for problem in result.problems)
            raise Findings(f"{self._pact.provider} does not give {self._pact.consumer} what it relies on:\n{lines}")


class EventFile(pytest.File):
    def collect(self) -> Iterator[pytest.Item]:
        contract = EventContract(
            self.path.parts[-3], self.path.stem, self.path.read_text(encoding="utf-8"), file=str(self.path)
        )
        yield EventItem.from_parent(self, name=contract.detail_type, contract=contract)


class EventItem(ContractItem):
    """Every event of this type that the buses took during the run, validated against its schema.

    A state `<detail-type> is published` in the provider's states.yaml provokes one first.
    """

    def __init__(self, *, contract: EventContract, **rest: Any) -> None:
        super().__init__(**rest)
        self._contract = contract

    def runtest(self) -> None:
        published = self._published()
        provoking = f"{self._contract.detail_type} is published"
        if provoking in self.states():
            before = len(published)
            self.enter(provoking)
            published = self._published(more_than=before)
        self.user_properties.append(("harness_events", len(published)))
        if not published:
            pytest.skip(f"no {self._contract.detail_type} was published in this run; nothing to validate")
        findings = []
        for event in published:
            for violation in self._contract.violations(event["detail"]):
                findings.append(f"event {event['id']} from {event['source']}: {violation}")
        if findings:
            shown = "\n".join(findings[:20])
            raise Findings(f"{len(findings)} violations in {len(published)} events:\n{shown}")

    def _published(self, *, more_than: int = -1) -> list[dict[str, Any]]:
        """Events of this type so far; waits until there are `more_than` so many. Raises `Findings` when none comes."""
        deadline = time.monotonic() + PROVOKED_SECONDS
        while True:
            found = [
                event for event in self.harness().events_so_far() if event["detail-type"] == self._contract.detail_type
            ]
            if len(found) > more_than:
                return found
            if time.monotonic() > deadline:
                raise Findings(f"no {self._contract.detail_type} came within {PROVOKED_SECONDS:g} s of being provoked")
            time.sleep(0.05)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How much was tried: a green run that sent nothing must not look like one that did."""
    phases: dict[str, int] = {}
    statuses: dict[int, int] = {}
    validated = 0
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", None) != "call":
                continue
            for name, value in report.user_properties:
                if name == CASES:
                    _add(phases, value["phases"])
                    _add(statuses, value["statuses"])
                elif name == "harness_events":
                    validated += value
    if phases:
        by_phase = ", ".join(f"{phase} {count}" for phase, count in phases.items() if count)
        by_status = ", ".join(f"{status}: {statuses[status]}" for status in sorted(statuses))
        terminalreporter.section("contracts")
        terminalreporter.line(f"{sum(phases.values())} signed requests ({by_phase}); answers {by_status}")
        terminalreporter.line(f"{validated} published events validated")


def _add(totals: dict[Any, int], more: Mapping[Any, int]) -> None:
    for key, count in more.items():
        totals[key] = totals.get(key, 0) + count


@pytest.fixture(scope="session")
def harness(request: pytest.FixtureRequest) -> Harness:
    """A running landscape."""
    return request.config.stash[LANDSCAPE].get()


@pytest.fixture(scope="session")
def client(harness: Harness) -> Callable[[str, str], ApiClient]:
    """`client(api, role)`: a session whose relative URLs reach the API through the workbench, signed as the role."""
    return harness.client


@pytest.fixture
def events(harness: Harness) -> Callable[[], list[dict[str, Any]]]:
    """`events()`: what the buses have taken since this test began."""
    before = {event["id"] for event in harness.events_so_far()}
    return lambda: [event for event in harness.events_so_far() if event["id"] not in before]
