"""The bus from a terminal: events put, events tail."""

import json
import sys
from typing import Annotated

import typer

from harness.cli.options import options
from harness.errors import InputError, Problem

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
