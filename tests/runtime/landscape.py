"""A landscape in a process of its own: `python -m tests.runtime.landscape FOLDER PLAN`, PLAN in JSON.

PLAN: `processes`, each a name, port and words for tiny.py, with `ready_seconds` (counted from its first answer) and
`stop_seconds` where they matter;
`databases`, names of databases of a real PostgreSQL; `nats`, whether a real nats-server runs; `listen`, a port.
Exit codes and messages are those that the command line has: 1 and the error on stderr.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from harness.errors import StartError
from harness.runtime.console import PrefixedConsole
from harness.runtime.folder import StateFolder
from harness.runtime.nats import Nats
from harness.runtime.postgres import Postgres
from harness.runtime.process import Kind, Plan, ProcessSpec, base_environment
from harness.runtime.sockets import Listen, ReservedPort, listen
from harness.runtime.state import hold
from harness.runtime.supervisor import serve
from tests.runtime.conftest import answered, tiny


def main(root: str, text: str) -> int:
    wanted: dict[str, Any] = json.loads(text)
    folder = StateFolder(Path(root))
    console = PrefixedConsole(sys.stdout, [])
    try:
        with hold(folder, say=lambda line: console("supervisor", line)) as held:
            if "listen" in wanted:
                listen([Listen("workbench", "127.0.0.1", wanted["listen"], "`ports: workbench:` in harness.yaml")])
            return serve(_plan(folder, wanted), held, console=console)
    except StartError as error:
        print(error, file=sys.stderr)
        return 1


def _plan(folder: StateFolder, wanted: dict[str, Any]) -> Plan:
    specs: list[ProcessSpec] = []
    held: list[ReservedPort] = []
    for each in wanted.get("processes", []):
        changes = {key: each[key] for key in ("ready_seconds", "stop_seconds") if key in each}
        port = each.get("port", 0)
        if port == "free":
            held.append(ReservedPort())
            port = held[-1].port
        if "ready_seconds" in changes:
            changes["ready"] = answered(port)
        specs.append(tiny(each["name"], port, *each.get("words", []), kind=Kind(each.get("kind", "domain")), **changes))
    environment = base_environment(os.environ)
    if "databases" in wanted:
        held.append(ReservedPort())
        specs.append(Postgres(folder, held[-1].port, tuple(wanted["databases"])).spec(env=environment))
    if wanted.get("nats"):
        held.append(ReservedPort())
        specs.append(Nats(folder, held[-1].port).spec(env=environment))
    return Plan(tuple(specs), url="http://localhost:4566")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
