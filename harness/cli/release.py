"""Commands about shipping a contract: can-release, release."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import options
from harness.clock import utc_now
from harness.errors import InputError, Problem

_QUIET_SECONDS = 2.0


def add_to(app: typer.Typer) -> None:
    app.command("can-release")(can_release)
    app.command()(release)


def can_release(
    context: typer.Context,
    domain: Annotated[str, typer.Argument(metavar="DOMAIN", help="whose contracts, rules and expectations")],
    against: Annotated[
        str, typer.Option("--against", metavar="REVISION|FOLDER", help="what ships now: a git revision or a folder")
    ] = "origin/main",
    forget_after: Annotated[
        int, typer.Option("--forget-after", metavar="DAYS", min=0, help="recorded usage that is older does not count")
    ] = 90,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="a summary for a pull request")] = False,
) -> None:
    """May the domain's contracts ship, and if not, whom do they break? Exit code 1 when they may not."""
    from harness.contracts.release import as_json as json_of
    from harness.contracts.release import as_markdown, as_text
    from harness.local.release import can_release as decide

    if as_json and markdown:
        raise InputError([Problem("--markdown", 0, "give it or --json, not both")])
    with _stages() as stages:
        verdict = decide(
            options(context).manifest(),
            domain,
            against=against,
            today=utc_now().date(),
            forget_after_days=forget_after,
            progress=stages.enter,
        )
    if as_json:
        print(json.dumps(json_of(verdict), indent=2, ensure_ascii=False))
    elif markdown:
        print(as_markdown(verdict), end="")
    else:
        print(as_text(verdict))
    if not verdict.may_ship:
        raise typer.Exit(1)


def release(
    context: typer.Context,
    contracts: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DOMAIN[@VERSION]]…", help="orders, orders@v2, orders@OrderPlaced.v1 (default: all)"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
) -> None:
    """Write down in released.lock that contracts have shipped as they are. Exit code 1 when one may not."""
    from harness.contracts.release import judged_text
    from harness.local.recording import record_release

    manifest: Path = options(context).manifest()
    with _stages() as stages:
        recording = record_release(manifest, contracts or (), today=utc_now().date(), progress=stages.enter)
    if as_json:
        added = {file: [release.file for release in new] for file, new in recording.added.items()}
        refused = [{"rule": each.finding.rule, "text": each.finding.text} for each in recording.refused]
        print(json.dumps({"added": added, "refused": refused}, indent=2, ensure_ascii=False))
    else:
        for file, new in recording.added.items():
            print(f"{file}: {len(new)} {'release' if len(new) == 1 else 'releases'} added")
            for each in new:
                print(f"  {each.file}")
        if recording.refused:
            print("nothing was recorded: what was released before may only change compatibly")
        for judged in recording.refused:
            print(f"\n{judged_text(judged)}")
    if recording.refused:
        raise typer.Exit(1)


class _Stages:
    """What is being done, told on stderr once it takes long."""

    def __init__(self) -> None:
        self._stage = ""
        self._is_late = False
        self._lock = threading.Lock()
        self._timer = threading.Timer(_QUIET_SECONDS, self._late)
        self._timer.daemon = True
        self._timer.start()

    def enter(self, stage: str) -> None:
        with self._lock:
            self._stage = stage
            if self._is_late:
                self._tell()

    def _late(self) -> None:
        with self._lock:
            self._is_late = True
            if self._stage:
                self._tell()

    def _tell(self) -> None:
        print(f"{self._stage} …", file=sys.stderr, flush=True)

    def close(self) -> None:
        self._timer.cancel()


@contextmanager
def _stages() -> Iterator[_Stages]:
    stages = _Stages()
    try:
        yield stages
    finally:
        stages.close()
