"""The bus from a terminal: events put, events tail."""

import json
import sys
import time
from typing import Annotated

import typer

from harness.cli.options import options
from harness.errors import InputError, Problem

PROGRESS_SECONDS = 0.5

events = typer.Typer(help="Put events on a bus and watch them go by.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    app.add_typer(events, name="events")


@events.command()
def put(
    context: typer.Context,
    source: Annotated[str, typer.Option(help="such as acme.orders")],
    detail_type: Annotated[str, typer.Option(help="such as OrderPlaced.v1")],
    detail: Annotated[str, typer.Option(help="a JSON object; - reads standard input")],
    role: Annotated[str, typer.Option("--as", metavar="ROLE", help="who puts it: a role of the manifests")],
    bus: Annotated[str | None, typer.Option(help="the bus's name (default: the only shared one)")] = None,
) -> None:
    """Put one event, signed as a role; prints its id. Exit code 1 when the bus refuses it."""
    text = sys.stdin.read() if detail == "-" else detail
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InputError([Problem("--detail", 0, f"not JSON: {error.msg} ({place})")]) from error
    outcome = (
        options(context).harness().put_event(role=role, bus=bus, source=source, detail_type=detail_type, detail=text)
    )
    print(json.dumps(outcome, indent=2))
    if "EventId" not in outcome:
        raise typer.Exit(1)


@events.command()
def trace(
    context: typer.Context,
    event_id: Annotated[
        str, typer.Argument(metavar="EVENT_ID", help="the EventId that PutEvents answered, or the publisher's own id")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="the whole story as one JSON object")] = False,
) -> None:
    """What became of one event: rules that matched and why the others did not, each attempt, and what is related."""
    told = options(context).harness().trace(event_id)
    if as_json:
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        from harness.bus.trace.text import text

        print(text(told))


@events.command()
def replay(
    context: typer.Context,
    archive: Annotated[str, typer.Argument(metavar="ARCHIVE", help="an archive's name")],
    since: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="ISO 8601; by default all there is")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="ISO 8601; by default now")] = None,
    rule: Annotated[list[str] | None, typer.Option(help="only for this rule of the bus; may be said again")] = None,
    name: Annotated[str | None, typer.Option(help="the replay's name, in `replay-name` of its events")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="the replay as DescribeReplay shows it, as JSON")] = False,
) -> None:
    """Put the events of an archive on their bus again, as the landscape's owner; waits for the end."""
    harness = options(context).harness()
    started = harness.start_replay(archive, since=since, until=until, rules=",".join(rule or ()), name=name)
    if not as_json:
        print(f"replay {started['replay']} has begun", file=sys.stderr, flush=True)
    told = harness.replay(started["replay"], started["account"])
    while told["State"] in ("STARTING", "RUNNING", "CANCELLING"):
        time.sleep(PROGRESS_SECONDS)
        told = harness.replay(started["replay"], started["account"])
    if as_json:
        print(json.dumps(told, indent=2))
    else:
        print(f"replay {told['ReplayName']}: {told['State'].lower()} {told.get('StateReason', '')}".rstrip())
    if told["State"] != "COMPLETED":
        raise typer.Exit(1)


@events.command()
def redrive(
    context: typer.Context,
    queue: Annotated[str, typer.Argument(metavar="QUEUE", help="a dead-letter queue: its name or its ARN")],
    limit: Annotated[int, typer.Option(min=0, help="at most so many messages; 0: all that are there")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="what went where and what stays, as JSON")] = False,
) -> None:
    """Send dead letters back to the targets that did not take them, as the landscape's owner.

    Exit code 1 when some stay in the queue.
    """
    done = options(context).harness().redrive(queue, limit=limit)
    if as_json:
        print(json.dumps(done, indent=2, ensure_ascii=False))
    else:
        for route, count in done["sent"].items():
            print(f"{count} sent back: {route}")
        for reason, count in done["left"].items():
            print(f"{count} stay in {queue}: {reason}")
        if not done["sent"] and not done["left"]:
            print(f"{queue} has no message that could be sent back now")
    if done["left"]:
        raise typer.Exit(1)


@events.command()
def tail(
    context: typer.Context,
    bus: Annotated[str | None, typer.Option(help="the bus's name (default: the only shared one)")] = None,
    pattern: Annotated[str | None, typer.Option(help="an event pattern (JSON): only events that match")] = None,
    from_start: Annotated[bool, typer.Option("--from-start", help="first what the bus still keeps")] = False,
    count: Annotated[int | None, typer.Option("--count", "-n", min=1, help="stop after that many")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """Print events as the bus accepts them, until Ctrl-C."""
    harness = options(context).harness()

    def show(event: dict[str, object]) -> None:
        if as_json:
            print(json.dumps(event), flush=True)
        else:
            print(f"{event['time']} {event['source']} {event['detail-type']} {event['id']}", flush=True)
            print(f"  {json.dumps(event['detail'], ensure_ascii=False)}", flush=True)

    harness.tail(bus=bus, pattern=pattern, from_start=from_start, count=count, show=show)


@events.command()
def storage(
    context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="for programs")] = False
) -> None:
    """What the landscape keeps in its event store: messages, bytes, and how near each place is to its bound."""
    told = options(context).harness().storage()
    if as_json:
        print(json.dumps(told, indent=2))
        return
    for place in told["kept"]:
        sizes = f"{place['full']:>6.1%} {place['bytes']:>12,} B {place['messages']:>9,}"
        print(f"{sizes}  {place['kind']:<11} {place['name']}")
    for share in told.get("accounts", ()):
        sizes = f"{share['full']:>6.1%} {share['bytes']:>12,} B {share['documents']:>9,}"
        print(f"{sizes}  {'state':<11} of account {share['account']}, and of its share")
    print(f"       {told['bytes']:>12,} B together; at most {told['bound']:,} B")


@events.command()
def undelivered(context: typer.Context) -> None:
    """Dead letters that their queue did not take, oldest first: one JSON object a line, with the reason."""
    for letter in options(context).harness().undelivered():
        print(json.dumps(letter, ensure_ascii=False))


@events.command()
def logged(
    context: typer.Context, group: Annotated[str, typer.Argument(metavar="GROUP", help="the ARN of a log group")]
) -> None:
    """What a log group got as a target of rules, oldest first."""
    for line in options(context).harness().logged(group):
        print(line)
