"""The reference of the manifests has every key, as the reader has it, and examples that are the sample's own files."""

import re
from pathlib import Path
from typing import Any

import pytest

from harness.manifest import (
    domain_file,
    endpoint_file,
    harness_file,
    organisation_file,
    queue_file,
    quota_file,
    roles,
    throttle_file,
    topic_file,
)
from harness.manifest.fields import rules
from harness.manifest.settings import VARIABLES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "manifests.md").read_text()

SHAPES: dict[str, type[Any]] = {
    "harness.yaml": harness_file.HarnessFile,
    "organisation": organisation_file.OrganisationEntry,
    "organisation.root": organisation_file.RootEntry,
    "organisation.root.units.NAME": organisation_file.UnitEntry,
    "ports": harness_file.PortsEntry,
    "identity-provider": harness_file.IdentityProviderEntry,
    "accounts.NAME": harness_file.AccountEntry,
    "workbench": harness_file.WorkbenchEntry,
    "buses.NAME": harness_file.BusEntry,
    "buses.NAME.validation": harness_file.ValidationEntry,
    "quotas": quota_file.QuotasEntry,
    "roles.NAME": roles.RoleEntry,
    "domain.yaml": domain_file.DomainFile,
    "run": domain_file.RunEntry,
    "api": domain_file.ApiEntry,
    "api.versions.VERSION": domain_file.VersionEntry,
    "throttle": throttle_file.ThrottleEntry,
    "throttle.callers.NAME": throttle_file.PlanEntry,
    "throttle.callers.NAME.quota": throttle_file.QuotaEntry,
    "throttle.methods.OPERATION": throttle_file.LimitEntry,
    "queues.NAME": queue_file.QueueEntry,
    "queues.NAME.redrive": queue_file.RedriveEntry,
    "topics.NAME": topic_file.TopicEntry,
    "topics.NAME.subscriptions[]": topic_file.TopicSubscriptionEntry,
    "subscribes[]": domain_file.SubscriptionEntry,
    "subscribes[].retry": domain_file.RetryEntry,
}


def _section(title: str) -> str:
    found = re.search(rf"^#+ `{re.escape(title)}`\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"no section `{title}`"
    return found[1]


@pytest.mark.parametrize("title", SHAPES)
def test_every_key_is_explained(title: str) -> None:
    assert _told(title) == _rows(SHAPES[title])


def test_both_ways_to_write_an_endpoint_are_explained() -> None:
    both = [*_rows(endpoint_file.EndpointEntry), *_rows(endpoint_file.SharedEndpointEntry)]
    assert _told("accounts.NAME.endpoint") == both


def _rows(shape: type[Any]) -> list[str]:
    return [f"| `{key}` | {'yes' if rule.required else ''} | {rule.about} |" for key, rule in rules(shape).items()]


def _told(title: str) -> list[str]:
    return [line for line in _section(title).splitlines() if line.startswith("| `")]


def test_every_setting_is_explained() -> None:
    rows = [f"| `{name}` | {variable.about} |" for name, variable in VARIABLES.items()]
    assert [line for line in _section("environment").splitlines() if line.startswith("| `")] == rows


@pytest.mark.parametrize("file", ["harness.yaml", "domains/orders/domain.yaml", "domains/orders/policies/api.json"])
def test_examples_are_the_samples_own(file: str) -> None:
    language = file.rpartition(".")[2]
    assert f"```{language}\n{(ROOT / file).read_text()}```" in PAGE
