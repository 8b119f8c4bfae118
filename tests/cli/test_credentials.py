"""`harness credentials`: for a shell, for a credential_process, for a profile."""

import json
import os
import shlex
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from botocore.session import Session

from harness.identity import Sealer
from harness.runtime.folder import StateFolder
from harness.runtime.keys import master_key
from tests.cli.conftest import KEY, NOON, ROOT, Run
from tests.local.edge import Edge


class TestForAShell:
    def test_can_be_evaluated(self, run: Run, running: Edge) -> None:
        done = run("credentials", "storefront")

        script = 'eval "$1" && env'
        shell = subprocess.run(
            ["bash", "-c", script, "bash", done.out], env={}, capture_output=True, text=True, check=True
        )
        found = dict(line.split("=", 1) for line in shell.stdout.splitlines() if line.startswith("AWS_"))
        session = Sealer(KEY).open(found["AWS_ACCESS_KEY_ID"], found["AWS_SESSION_TOKEN"])
        assert session is not None
        assert session.role_arn.endswith(":role/storefront")
        assert found["AWS_SECRET_ACCESS_KEY"] == Sealer(KEY).secret_for(found["AWS_ACCESS_KEY_ID"])
        assert found["AWS_REGION"] == found["AWS_DEFAULT_REGION"] == "eu-west-1"
        assert found["AWS_ENDPOINT_URL"] == running.url
        assert len(found) == 6

    def test_is_the_form_when_none_is_named(self, run: Run, running: Edge) -> None:
        assert run("credentials", "storefront").out.startswith("export AWS_ACCESS_KEY_ID=")

    def test_last_as_long_as_asked(self, run: Run, running: Edge) -> None:
        document = json.loads(run("credentials", "storefront", "--format", "json", "--duration", "900").out)

        assert document["Expiration"] == "2026-01-15T12:15:00Z"

    @pytest.mark.parametrize(
        "role", ["storefront", "storefront/storefront", "arn:aws:iam::444444444444:role/storefront"]
    )
    def test_of_a_role_by_any_of_its_names(self, role: str, run: Run, running: Edge) -> None:
        document = json.loads(run("credentials", role, "--format", "json").out)

        session = Sealer(KEY).open(document["AccessKeyId"], document["SessionToken"])
        assert session is not None
        assert session.role_arn == "arn:aws:iam::444444444444:role/storefront"


class TestForAProcess:
    def test_have_the_shape_that_aws_wants(self, run: Run, running: Edge) -> None:
        document = json.loads(run("credentials", "storefront", "--format", "json").out)

        assert list(document) == ["Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"]
        assert document["Version"] == 1
        assert document["Expiration"] == (NOON + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


class TestProfile:
    def profile(self, run: Run, state: StateFolder, role: str, *options: str) -> str:
        done = run("--state", str(state.root), "credentials", role, "--format", "profile", *options)
        assert done.code == 0, done.err
        return done.out

    def test_is_one_that_an_sdk_gets_credentials_from(
        self, run: Run, held: StateFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        config = tmp_path / "config"
        config.write_text(self.profile(run, held, "storefront"))
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
        monkeypatch.setenv("PATH", "/usr/bin:/bin")  # no harness on it
        monkeypatch.chdir("/")

        sdk = Session(profile="storefront")
        credentials = sdk.get_credentials()

        assert credentials is not None
        frozen = credentials.get_frozen_credentials()
        session = Sealer(master_key(held.keys)).open(frozen.access_key, frozen.token or "")
        assert session is not None
        assert session.role_arn == "arn:aws:iam::444444444444:role/storefront"
        assert session.expires > datetime.now(UTC) + timedelta(minutes=50)
        assert sdk.get_config_variable("region") == "eu-west-1"
        assert sdk.get_scoped_config()["endpoint_url"] == "http://localhost:4566"

    def test_names_the_command_by_absolute_paths(self, run: Run, held: StateFolder) -> None:
        (line,) = [line for line in self.profile(run, held, "storefront").splitlines() if "process" in line]

        command = shlex.split(line.partition(" = ")[2])
        assert command == [
            *(sys.executable, "-m", "harness.cli.main", "--file", str(ROOT / "harness.yaml")),
            *("--state", str(held.root), "credentials", "storefront", "--format", "json"),
        ]

    def test_asks_for_the_duration_that_was_asked_for(self, run: Run, held: StateFolder) -> None:
        assert self.profile(run, held, "storefront", "--duration", "900").endswith("--format json --duration 900\n")

    def test_is_called_as_the_role_however_that_was_named(self, run: Run, held: StateFolder) -> None:
        profile = self.profile(run, held, "arn:aws:iam::444444444444:role/storefront")

        assert profile.startswith("[profile storefront]\n")
        assert "credentials arn:aws:iam::444444444444:role/storefront" in profile

    def test_holds_no_secret(self, run: Run, held: StateFolder) -> None:
        profile = self.profile(run, held, "storefront")

        assert "ASIA" not in profile
        assert "ession" not in profile


def test_where_nothing_runs_are_refused_with_the_mend(run: Run, tmp_path: Path) -> None:
    done = run("--state", str(tmp_path), "credentials", "storefront")

    assert (done.code, done.out) == (1, "")
    assert done.err == "harness: nothing runs here; start it with: harness up\n"
