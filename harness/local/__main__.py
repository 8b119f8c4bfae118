"""`python -m harness.local edge|router|stub --settings FILE`: a process of a landscape, as the supervisor starts it.

`python -m harness.local container keys|edge|router`: the same in a container, settings worked out from the manifests.
"""

import argparse
import logging
import sys
from pathlib import Path

from harness.errors import HarnessError, InputError


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m harness.local", description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(dest="part", required=True)
    for name in ("edge", "router", "stub"):
        part = parts.add_parser(name)
        part.add_argument("--settings", type=Path, required=True)
    container = parts.add_parser("container")
    container.add_argument("role", choices=("keys", "edge", "router"))
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    try:
        _run(arguments)
    except InputError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from None
    except HarnessError as error:
        print(error, file=sys.stderr)
        raise SystemExit(1) from None


def _run(arguments: argparse.Namespace) -> None:
    """Imports only the part that is asked for: the router has no use for the gateway's libraries."""
    if arguments.part == "container":
        from harness.local.container import run_in_container

        run_in_container(arguments.role)
        return
    import uvloop

    if arguments.part == "edge":
        from harness.local.edge_process import run_edge
        from harness.manifest.plan_file import EdgeSettings

        uvloop.run(run_edge(EdgeSettings.read(arguments.settings)))
    elif arguments.part == "stub":
        from harness.local.stub_process import run_stub
        from harness.manifest.plan_file import StubSettings

        uvloop.run(run_stub(StubSettings.read(arguments.settings)))
    else:
        from harness.local.router_process import run_router
        from harness.manifest.plan_file import RouterSettings

        uvloop.run(run_router(RouterSettings.read(arguments.settings)))


if __name__ == "__main__":
    main()
