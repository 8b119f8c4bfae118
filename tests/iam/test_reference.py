"""The example of the reference, run against the sample landscape's roles."""

import os
import re
from pathlib import Path

import boto3
import pytest

from harness import manifest
from harness.access import Authority
from harness.clock import utc_now
from harness.iam.api import IamApi
from harness.identity import start_session
from tests.access.landscape import WORKBENCH, a_sealer
from tests.sts.loopback import served

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "iam.md"


def test_the_example_answers_what_it_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE.read_text(), re.DOTALL)
    directory = manifest.load(ROOT / "harness.yaml").directory()
    (tester,) = (role for role in directory.roles.values() if role.name == "tester")
    sealer = a_sealer()
    given = sealer.issue(start_session(tester, "laptop", now=utc_now(), seconds=3600))
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", given.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", given.secret_access_key)
    monkeypatch.setenv("AWS_SESSION_TOKEN", given.session_token)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")  # which counts before NO_PROXY
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.chdir(ROOT)
    with served(IamApi(Authority(directory, sealer)), WORKBENCH) as url:
        exec(compile(code.replace("http://localhost:4566", url), str(PAGE), "exec"), {})

    assert capsys.readouterr().out == shown
