"""The reference of the manifests has every key, as the reader has it, and examples that are the sample's own files."""

import re
from pathlib import Path
from typing import Any

import pytest

from harness.manifest import domain_file, harness_file, roles
from harness.manifest.fields import rules
from harness.manifest.settings import VARIABLES

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "manifests.md").read_text()

SHAPES: dict[str, type[Any]] = {
    "harness.yaml": harness_file.HarnessFile,
    "ports": harness_file.PortsEntry,
    "identity-provider": harness_file.IdentityProviderEntry,
    "accounts.NAME": harness_file.AccountEntry,
    "workbench": harness_file.WorkbenchEntry,
    "buses.NAME": harness_file.BusEntry,
    "roles.NAME": roles.RoleEntry,
    "domain.yaml": domain_file.DomainFile,
    "run": domain_file.RunEntry,
    "api": domain_file.ApiEntry,
    "api.versions.VERSION": domain_file.VersionEntry,
    "subscribes[]": domain_file.SubscriptionEntry,
    "subscribes[].retry": domain_file.RetryEntry,
}


def _section(title: str) -> str:
    found = re.search(rf"^#+ `{re.escape(title)}`\n(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"no section `{title}`"
    return found[1]


@pytest.mark.parametrize("title", SHAPES)
def test_every_key_is_explained(title: str) -> None:
    rows = [
        f"| `{key}` | {'yes' if rule.required else ''} | {rule.about} |" for key, rule in rules(SHAPES[title]).items()
    ]
    told = [line for line in _section(title).splitlines() if line.startswith("| `")]
    assert told == rows


def test_every_setting_is_explained() -> None:
    rows = [f"| `{name}` | {variable.about} |" for name, variable in VARIABLES.items()]
    assert [line for line in _section("environment").splitlines() if line.startswith("| `")] == rows


@pytest.mark.parametrize("file", ["harness.yaml", "domains/orders/domain.yaml", "domains/orders/policies/api.json"])
def test_examples_are_the_samples_own(file: str) -> None:
    language = file.rpartition(".")[2]
    assert f"```{language}\n{(ROOT / file).read_text()}```" in PAGE
