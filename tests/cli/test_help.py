"""Every command explains itself, and quickly."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Run

COMMANDS = [
    "up",
    "down",
    "status",
    "logs",
    "call",
    "credentials",
    "events",
    "events put",
    "events tail",
    "compose",
    "stub",
    "diff",
    "can-release",
    "release",
]
REFERENCE = Path("docs/reference/commands.md")


@pytest.mark.parametrize("command", ["", *COMMANDS])
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_has_help(command: str, option: str, run: Run) -> None:
    done = run(*command.split(), option)

    assert done.code == 0
    assert done.err == ""
    assert " ".join(["Usage: harness", command]).strip() in done.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_and_argument_says_what_it_is_for(command: str, run: Run) -> None:
    lines = run(*command.split(), "--help").out.splitlines()

    for number, line in enumerate(lines):
        if line.startswith("  -") or (line.startswith("  ") and line.lstrip().split(" ")[0].isupper()):
            about = line.strip().partition("  ")[2] or lines[number + 1].strip()
            assert about, line


def test_help_lists_every_command(run: Run) -> None:
    out = run("--help").out

    for command in COMMANDS:
        assert f"  {command.split()[0]} " in out


def test_the_reference_names_every_command_and_option(run: Run) -> None:
    reference = (ROOT / REFERENCE).read_text()

    for command in COMMANDS:
        assert f"`{command}" in reference, command
        for line in run(*command.split(), "--help").out.splitlines():
            options = [word.strip(",") for word in line.split() if word.startswith("--")] if "  -" in line else []
            for option in options:
                assert option == "--help" or option in reference, f"{command} {option}"


HEAVY = ("requests", "schemathesis", "yaml", "uvicorn", "rich.table", "harness.manifest", "harness.local.handle")


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["status"], ["status", "--json"], ["logs"], ["down"]],
    ids=lambda arguments: " ".join(arguments),
)
def test_what_is_to_answer_at_once_imports_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    script = f"""
import sys
from harness.cli.main import main
sys.argv = {["harness", "--state", str(tmp_path / "state"), *arguments]!r}
try:
    main()
except SystemExit:
    loaded = [name for name in {HEAVY!r} if name in sys.modules]
    assert not loaded, loaded
    print("checked")
"""
    environment = {"PATH": "/nowhere"}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True)

    assert done.stdout.endswith("checked\n"), done.stderr
