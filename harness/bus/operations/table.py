"""Every operation but PutEvents: what it does, what it is about, which condition keys it has, and what it needs.

A call is checked for its shape, then whether the caller may act on what it is about, then for what must be so.
Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon EventBridge".
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.bus.operations import (
    api_destinations,
    archives,
    buses,
    connections,
    patterns,
    permissions,
    places,
    replays,
    rules,
    tags,
    targets,
)
from harness.bus.operations.call import Answer, Call
from harness.bus.operations.places import About, Conditions, Need
from harness.bus.operations.requests import REQUESTS
from harness.bus.operations.shapes import Structure
from harness.bus.put_events import RequestError

Handler = Callable[[Call], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Operation:
    """`needs` are asked in their order. `shape` is that of AWS's model."""

    handler: Handler
    about: About
    conditions: Conditions = places.no_conditions
    needs: tuple[Need, ...] = ()
    shape: Structure = field(default_factory=lambda: Structure("", {}))


_BUS = places.bus_exists()
_NAMED_BUS = places.bus_exists("Name")
_OWN_NAMED_BUS = places.bus_is_not_a_manifests("Name")
_OWN_BUS = places.bus_is_not_a_manifests()
_RULE = (_BUS, places.rule_exists())
_OWN_RULE = places.rule_is_not_managed()
_TARGETED_RULE = (_BUS, places.rule_exists("Rule"))
_OWN_TARGETED_RULE = places.rule_is_not_managed("Rule")

_TABLE: Mapping[str, Operation] = {
    "CreateEventBus": Operation(buses.create, places.a_bus("Name"), places.of_request_tags),
    "DescribeEventBus": Operation(buses.describe, places.a_bus("Name"), places.of_bus("Name"), (_NAMED_BUS,)),
    "UpdateEventBus": Operation(
        buses.update, places.a_bus("Name"), places.of_bus("Name"), (_NAMED_BUS, _OWN_NAMED_BUS)
    ),
    "DeleteEventBus": Operation(buses.delete, places.a_bus("Name"), places.of_bus("Name"), (_OWN_NAMED_BUS,)),
    "ListEventBuses": Operation(buses.list_buses, places.every("event-bus")),
    "PutRule": Operation(rules.put, places.a_rule("Name"), rules.conditions_of_put, (_BUS, _OWN_RULE)),
    "DescribeRule": Operation(rules.describe, places.a_rule("Name"), places.of_rule(), _RULE),
    "EnableRule": Operation(rules.enable, places.a_rule("Name"), places.of_rule(), (*_RULE, _OWN_RULE)),
    "DisableRule": Operation(rules.disable, places.a_rule("Name"), places.of_rule(), (*_RULE, _OWN_RULE)),
    "DeleteRule": Operation(rules.delete, places.a_rule("Name"), places.of_rule(), (_BUS, _OWN_RULE)),
    "ListRules": Operation(rules.list_rules, places.rules_of_a_bus, needs=(_BUS,)),
    "ListRuleNamesByTarget": Operation(rules.list_names_by_target, places.rules_of_a_bus, needs=(_BUS,)),
    "PutTargets": Operation(
        targets.put, places.a_rule("Rule"), targets.conditions_of_put, (*_TARGETED_RULE, _OWN_TARGETED_RULE)
    ),
    "RemoveTargets": Operation(
        targets.remove, places.a_rule("Rule"), places.of_rule("Rule"), (*_TARGETED_RULE, _OWN_TARGETED_RULE)
    ),
    "ListTargetsByRule": Operation(targets.list_targets, places.a_rule("Rule"), places.of_rule("Rule"), _TARGETED_RULE),
    "TestEventPattern": Operation(patterns.test, places.anything),
    "PutPermission": Operation(
        permissions.put, places.a_bus("EventBusName"), places.of_bus("EventBusName"), (_BUS, _OWN_BUS)
    ),
    "RemovePermission": Operation(
        permissions.remove, places.a_bus("EventBusName"), places.of_bus("EventBusName"), (_BUS, _OWN_BUS)
    ),
    "CreateArchive": Operation(archives.create, places.own("archive", "ArchiveName")),
    "DescribeArchive": Operation(archives.describe, places.own("archive", "ArchiveName")),
    "UpdateArchive": Operation(archives.update, places.own("archive", "ArchiveName")),
    "DeleteArchive": Operation(archives.delete, places.own("archive", "ArchiveName")),
    "ListArchives": Operation(archives.list_archives, places.every("archive")),
    "StartReplay": Operation(replays.start, places.own("replay", "ReplayName")),
    "DescribeReplay": Operation(replays.describe, places.own("replay", "ReplayName")),
    "CancelReplay": Operation(replays.cancel, places.own("replay", "ReplayName")),
    "ListReplays": Operation(replays.list_replays, places.every("replay")),
    "CreateConnection": Operation(connections.create, places.own("connection")),
    "DescribeConnection": Operation(connections.describe, places.own("connection")),
    "UpdateConnection": Operation(connections.update, places.own("connection")),
    "DeleteConnection": Operation(connections.delete, places.own("connection")),
    "DeauthorizeConnection": Operation(connections.deauthorize, places.own("connection")),
    "ListConnections": Operation(connections.list_connections, places.every("connection")),
    "CreateApiDestination": Operation(api_destinations.create, places.own("api-destination")),
    "DescribeApiDestination": Operation(api_destinations.describe, places.own("api-destination")),
    "UpdateApiDestination": Operation(api_destinations.update, places.own("api-destination")),
    "DeleteApiDestination": Operation(api_destinations.delete, places.own("api-destination")),
    "ListApiDestinations": Operation(api_destinations.list_api_destinations, places.every("api-destination")),
    "TagResource": Operation(tags.tag, places.tagged, places.of_tagged),
    "UntagResource": Operation(tags.untag, places.tagged, places.of_tagged),
    "ListTagsForResource": Operation(tags.list_tags, places.tagged, places.of_tagged),
}

OPERATIONS: Final[Mapping[str, Operation]] = {
    name: Operation(row.handler, row.about, row.conditions, row.needs, REQUESTS[name]) for name, row in _TABLE.items()
}


async def perform(operation: Operation, call: Call) -> Answer:
    """`call.request` has the operation's shape."""
    resource = operation.about(call)
    if isinstance(resource, RequestError):
        return resource
    account = places.account_of(resource) if resource != "*" else call.account
    refused = call.authorize(
        action=f"events:{call.operation}", resource=resource, account=account, context=operation.conditions(call)
    )
    if refused is not None:
        return refused
    for need in operation.needs:
        refused = need(call)
        if refused is not None:
            return refused
    return await operation.handler(call)
