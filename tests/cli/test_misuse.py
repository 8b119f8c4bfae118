"""What was typed wrong is told in a line with the mend, and exit code 2; nothing is sent."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.local.edge import Edge

CALL = ["call", "orders", "GET", "/v2/orders", "--as", "storefront"]
PUT = ["events", "put", "--as", "stock-service", "--source", "acme", "--detail-type", "A", "--detail"]

MISUSE = {
    "an unknown command": (["cal"], "No such command 'cal'. Did you mean 'call'?"),
    "an unknown option": (["status", "--jsn"], "No such option: --jsn"),
    "a missing argument": (["call", "orders"], "Missing argument 'METHOD'"),
    "a missing option": (["call", "orders", "GET", "/v2/orders"], "Missing option '--as'"),
    "an unknown format": (["credentials", "storefront", "--format", "yaml"], "'env', 'json', 'profile'"),
    "a duration below AWS's": (["credentials", "storefront", "--duration", "60"], "greater than or equal to 900"),
    "a duration above AWS's": (["credentials", "storefront", "--duration", "50000"], "less than or equal to 43200"),
    "an unknown engine": (["up", "--engine", "podman"], "'processes', 'docker'"),
    "free ports with containers": (["up", "--engine", "docker", "--free-ports"], "--free-ports: containers take"),
    "recording with containers": (["up", "--engine", "docker", "--record"], "--record: containers have the contracts"),
    "stubs with containers": (["up", "--engine", "docker", "--stub", "stock"], "--stub: stubs run as processes"),
    "a stub of nothing": (["stub"], "Missing argument 'API"),
    "a stub of an unknown API": (["stub", "stok"], 'API: unknown API "stok" (did you mean "stock"?)'),
    "a port above all ports": (["stub", "stock", "--port", "65536"], "65535"),
    "an unknown domain": (["up", "ordrs"], 'DOMAIN: unknown domain "ordrs" (did you mean "orders"?)'),
    "an unknown domain, detached": (["up", "--detach", "ordrs"], 'unknown domain "ordrs" (did you mean "orders"?)'),
    "a manifest that is not there": (["--file", "nowhere.yaml", "status"], "nowhere.yaml: no such file: name a"),
    "a state folder that is a file": (["--state", "README.md", "status"], "README.md: is not a folder: name one"),
    "a method that is none": (["call", "orders", "G T", "/v2", "--as", "x"], 'METHOD: "G T" is not a method'),
    "a path without a slash": (["call", "orders", "GET", "v2", "--as", "x"], 'PATH: "v2" must start with /'),
    "an unknown API": (["call", "ordrs", "GET", "/v2", "--as", "storefront"], '(did you mean "orders"?)'),
    "an unknown role": (["call", "orders", "GET", "/v2", "--as", "storfront"], '(did you mean "storefront"?)'),
    "credentials of an unknown role": (["credentials", "storfront"], 'harness.yaml: unknown role "storfront"'),
    "a profile of an unknown role": (["credentials", "storfront", "--format", "profile"], "unknown role"),
    "a header without a colon": ([*CALL, "-H", "x-a"], '--header: "x-a" is not of the form "Name: value"'),
    "a header without a name": ([*CALL, "-H", ": b"], '--header: ": b" is not of the form'),
    "a header with a space in its name": ([*CALL, "-H", "x a: b"], '--header: "x a: b" is not of the form'),
    "a header with a line break": ([*CALL, "-H", "x-a: b\r\nx-c: d"], "the value of x-a has a character"),
    "a header outside of Latin 1": ([*CALL, "-H", "x-a: €"], "the value of x-a has a character"),
    "a body's file that is not there": ([*CALL, "-d", "@nowhere.json"], "--data: nowhere.json cannot be read"),
    "a body's file that is a folder": ([*CALL, "-d", "@docs"], "--data: docs cannot be read (Is a directory)"),
    "a detail that is not JSON": ([*PUT, "{'a': 1}"], "--detail: not JSON: Expecting property name"),
    "an event on an unknown bus": ([*PUT, "{}", "--bus", "enterprize"], '--bus: unknown bus "enterprize"'),
    "a count of none": (["events", "tail", "--count", "0"], "greater than or equal to 1"),
    "a log of nothing": (["--state", "nowhere", "logs", "ordrs"], 'no log of "ordrs"'),
}


@pytest.mark.parametrize(("arguments", "words"), MISUSE.values(), ids=MISUSE.keys())
def test_is_told_with_the_mend(arguments: list[str], words: str, run: Run, running: Edge) -> None:
    done = run(*arguments)

    assert done.code == 2
    assert done.out == ""
    (line,) = [line for line in done.err.splitlines() if words in line]
    assert line.startswith("Error: ") or len(done.err.splitlines()) == 1
    assert running.requests == []


def test_every_mistake_of_a_call_is_told_at_once(run: Run, running: Edge) -> None:
    done = run(*CALL, "-H", "one", "-H", "two")

    assert [line.partition(":")[0] for line in done.err.splitlines()] == ["--header", "--header"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("HARNESS_STATE", "README.md", "HARNESS_STATE: "),
        ("HARNESS_STAT", "x", 'HARNESS_STAT: unknown setting (did you mean "HARNESS_STATE"?)'),
    ],
)
def test_so_is_a_wrong_setting(name: str, value: str, words: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)

    done = run("status")

    assert done.code == 2
    assert words in done.err


def test_a_mistake_in_a_manifest_starts_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "harness.yaml").write_text("organisation: o-a1b2c3d4e5\nregon: eu-west-1\n")

    done = run("--file", str(tmp_path), "up", "--detach")

    assert done.code == 2
    assert 'harness.yaml:2: unknown key "regon"' in done.err
    assert [path.name for path in tmp_path.iterdir()] == ["harness.yaml"]


def test_no_manifest_anywhere_is_told_with_the_mend(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    done = run("status")

    assert done.code == 2
    assert done.err.strip() == f"{tmp_path}: no harness.yaml here or in a folder above; name one with --file"
