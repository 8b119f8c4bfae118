"""What is checked, one item each: an operation, an expectation, an event's schema."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.contracts import EventContract, Interaction, Operation, Pact
from harness.errors import HarnessError
from harness.pytest_plugin.landscape import LANDSCAPE
from harness.pytest_plugin.summary import EVENTS, INTERACTIONS, REQUESTS

if TYPE_CHECKING:
    from harness.local.handle import Harness

SHOWN_FINDINGS = 20


class Findings(Exception):
    """What a contract check found."""


class ContractItem(pytest.Item):
    """An item whose failure is a finding, told in its own words without a traceback."""

    runs_last = False

    def harness(self) -> "Harness":
        return self.config.stash[LANDSCAPE].get()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        if isinstance(excinfo.value, Findings | HarnessError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, self.name


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
        self.user_properties.append((REQUESTS, {"phases": report.cases, "statuses": report.statuses}))
        found = [f"could not be checked: {error}" for error in report.errors]
        found += [str(failure) for failure in report.failures]
        if found:
            raise Findings("\n\n".join(found))
        if not report.sent:
            raise Findings("no case was sent: the contract leaves nothing to generate")


class ExpectationItem(ContractItem):
    def __init__(self, *, pact: Pact, interaction: Interaction, **rest: Any) -> None:
        super().__init__(**rest)
        self._pact = pact
        self._interaction = interaction

    def runtest(self) -> None:
        from harness.verify.consumers import verify_interaction
        from harness.verify.provider_states import reach, read_states
        from harness.verify.signing_proxy import SigningProxy

        harness = self.harness()
        option = self.config.getoption
        file = self.path.parent.parent / "states.yaml"
        states = read_states(file.read_text(encoding="utf-8"), file=str(file)) if file.is_file() else {}

        def enter(state: str) -> dict[str, Any]:
            return reach(
                state,
                states,
                session_for=lambda api: harness.session(api, option("--harness-role")),
                base_url=harness.workbench,
            )

        session = harness.session(self._pact.provider, self._pact.consumer)
        with SigningProxy(session, harness.workbench, state=enter) as proxy:
            result = verify_interaction(self._pact, self.path, self._interaction, proxy=proxy)
        self.user_properties.append((INTERACTIONS, 1))
        if result.problems:
            lines = "\n".join(f"  {problem}" for problem in result.problems)
            raise Findings(f"{self._pact.provider} does not give {self._pact.consumer} what it relies on:\n{lines}")


class EventItem(ContractItem):
    """Every event of this type that the buses took during the run, validated against its schema."""

    runs_last = True

    def __init__(self, *, contract: EventContract, **rest: Any) -> None:
        super().__init__(**rest)
        self._contract = contract
        self.has_run = False

    def runtest(self) -> None:
        self.has_run = True
        count, findings = self.judge(self.harness())
        self.user_properties.append((EVENTS, count))
        if not count:
            pytest.skip(f"no {self._contract.detail_type} was published in this run; nothing to validate")
        if findings:
            raise Findings(findings)

    def judge(self, harness: "Harness") -> tuple[int, str]:
        """How many were published, and what is wrong with them: lines, or nothing."""
        published = [event for event in harness.events_so_far() if event["detail-type"] == self._contract.detail_type]
        found = [
            f"event {event['id']} from {event['source']}: {violation}"
            for event in published
            for violation in self._contract.violations(event["detail"])
        ]
        if not found:
            return len(published), ""
        title = f"{_count(len(found), 'violation')} in {_count(len(published), 'event')}"
        more = f"\n… and {len(found) - SHOWN_FINDINGS} more" if len(found) > SHOWN_FINDINGS else ""
        return len(published), f"{title}:\n" + "\n".join(found[:SHOWN_FINDINGS]) + more


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
