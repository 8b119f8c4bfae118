"""Every kind of mistake: the exact lines that are told, and nothing else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.errors import InputError
from harness.manifest import load
from tests.manifest import landscape

FILES = ("mistakes.yaml", "mistakes_of_the_organisation.yaml", "mistakes_of_limits.yaml")
MISTAKES = [case for file in FILES for case in yaml.load((landscape.CASES / file).read_text(), yaml.CSafeLoader)]


@pytest.mark.parametrize("case", MISTAKES, ids=[case["name"] for case in MISTAKES])
def test_mistake(case: Mapping[str, Any], tmp_path: Path) -> None:
    harness_yaml = landscape.copy(tmp_path)
    landscape.edit(tmp_path, case.get("edit", {}))
    landscape.edit(tmp_path, case.get("also", {}))
    for file, text in case.get("write", {}).items():
        (tmp_path / file).write_text(text)
    with pytest.raises(InputError) as raised:
        load(harness_yaml)
    assert str(raised.value).splitlines() == case["problems"]
