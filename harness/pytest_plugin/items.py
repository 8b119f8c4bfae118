"""What is checked, one item each: an operation, an expectation, an event's schema."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.contracts import EventContract, Interaction, Operation, Pact
from harness.errors import HarnessError
from harness.pytest_plugin.counts import EVENTS, INTERACTIONS, REQUESTS
from harness.pytest_plugin.landscape import LANDSCAPE

if TYPE_CHECKING:
    from harness.local.handle import Harness
    from harness.verify.provider_states import Step

SHOWN_FINDINGS = 20
PROVOKED_SECONDS = 15.0


class Findings(Exception):
    """What a contract check found."""


class ContractItem(pytest.Item):
    """An item whose failure is a finding, told in its own words without a traceback."""

    runs_last = False

    def harness(self) -> "Harness":
        return self.config.stash[LANDSCAPE].get()

    def states(self) -> "dict[str, tuple[Step, ...]]":
        """Those of `contracts/<provider>/states.yaml`; none without that file."""
        from harness.verify.provider_states import read_states

        file = self.path.parent.parent / "states.yaml"
        shown = os.path.relpath(file, self.config.rootpath)
        return read_states(file.read_text(encoding="utf-8"), file=shown) if file.is_file() else {}

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
        from harness.verify.signing_proxy import SigningProxy

        harness = self.harness()
        session = harness.session(self._pact.provider, harness.consumer(self._pact.consumer))
        with SigningProxy(session, harness.workbench, state=self.enter) as proxy:
            result = verify_interaction(self._pact, self.path, self._interaction, proxy=proxy)
        self.user_properties.append((INTERACTIONS, 1))
        if result.problems:
            lines = "\n".join(f"  {problem}" for problem in result.problems)
            raise Findings(f"{self._pact.provider} does not give {self._pact.consumer} what it relies on:\n{lines}")


class EventItem(ContractItem):
    """Every event of this type that the buses took during the run, validated against its schema.

    A state `<detail-type> is published` in the provider's states.yaml provokes one first.
    """

    runs_last = True

    def __init__(self, *, contract: EventContract, **rest: Any) -> None:
        super().__init__(**rest)
        self._contract = contract
        self.has_run = False

    def runtest(self) -> None:
        self.has_run = True
        harness = self.harness()
        provoking = f"{self._contract.detail_type} is published"
        if provoking in self.states():
            before = len(self._published(harness))
            self.enter(provoking)
            self._wait_for_more(harness, before)
        count, findings = self.judge(harness)
        self.user_properties.append((EVENTS, count))
        if not count:
            pytest.skip(f"no {self._contract.detail_type} was published in this run; nothing to validate")
        if findings:
            raise Findings(findings)

    def judge(self, harness: "Harness") -> tuple[int, str]:
        """How many were published, and what is wrong with them: lines, or nothing."""
        published = self._published(harness)
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

    def _published(self, harness: "Harness") -> list[dict[str, Any]]:
        return [event for event in harness.events_so_far() if event["detail-type"] == self._contract.detail_type]

    def _wait_for_more(self, harness: "Harness", before: int) -> None:
        deadline = time.monotonic() + PROVOKED_SECONDS
        while len(self._published(harness)) <= before:
            if time.monotonic() > deadline:
                raise Findings(f"no {self._contract.detail_type} came within {PROVOKED_SECONDS:g} s of being provoked")
            time.sleep(0.05)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
