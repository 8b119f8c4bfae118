"""The request of each operation but PutEvents, which has a reader of its own (`put_events`)."""

from collections.abc import Mapping
from typing import Final

from harness.bus.operations.connection_shape import CONNECTION_STATES, api_destination, connection
from harness.bus.operations.members import (
    ANY_TEXT,
    ARCHIVE_NAME,
    ARN,
    BUS_NAME,
    BUS_NAME_OR_ARN,
    CONNECTION_ARN,
    DEAD_LETTER_CONFIG,
    DESCRIPTION,
    EVENT_PATTERN,
    EVENTS_ARN,
    KMS_KEY,
    LIMIT,
    LINE,
    LOG_CONFIG,
    NAME,
    NEXT_TOKEN,
    OWN_BUS_NAME,
    TAG_KEY,
    TAGS,
)
from harness.bus.operations.shapes import Choice, Flag, Instant, Many, Shape, Structure, Whole
from harness.bus.operations.target_shape import TARGET
from harness.query_protocol.constraints import Text

ARCHIVE_STATES: Final = ("ENABLED", "DISABLED", "CREATING", "UPDATING", "CREATE_FAILED", "UPDATE_FAILED")
REPLAY_STATES: Final = ("STARTING", "RUNNING", "CANCELLING", "COMPLETED", "CANCELLED", "FAILED")

_STATEMENT_ID = Text(1, 64, r"[a-zA-Z0-9-_]+")
_PAGE: Mapping[str, Shape] = {"NextToken": NEXT_TOKEN, "Limit": LIMIT}
_RULE: Mapping[str, Shape] = {"Name": NAME, "EventBusName": BUS_NAME_OR_ARN}
_ARCHIVE: Mapping[str, Shape] = {
    "ArchiveName": ARCHIVE_NAME,
    "Description": LINE,
    "EventPattern": EVENT_PATTERN,
    "RetentionDays": Whole(0),
    "KmsKeyIdentifier": KMS_KEY,
}
_BUS: Mapping[str, Shape] = {
    "Name": BUS_NAME,
    "Description": DESCRIPTION,
    "KmsKeyIdentifier": KMS_KEY,
    "DeadLetterConfig": DEAD_LETTER_CONFIG,
    "LogConfig": LOG_CONFIG,
}


def _request(operation: str, *required: str, **members: Shape) -> Structure:
    return Structure(f"{operation}Request", members, required)


_ALL = (
    _request(
        "CreateEventBus",
        "Name",
        **_BUS,
        EventSourceName=Text(1, 256, r"aws\.partner(/[\.\-_A-Za-z0-9]+){2,}"),
        Tags=TAGS,
    ),
    _request("DescribeEventBus", Name=BUS_NAME_OR_ARN),
    _request("UpdateEventBus", **_BUS),
    _request("DeleteEventBus", "Name", Name=BUS_NAME),
    _request("ListEventBuses", NamePrefix=BUS_NAME, **_PAGE),
    _request(
        "PutRule",
        "Name",
        **_RULE,
        ScheduleExpression=Text(0, 256),
        EventPattern=EVENT_PATTERN,
        State=Choice(("ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")),
        Description=DESCRIPTION,
        RoleArn=ARN,
        Tags=TAGS,
    ),
    _request("DescribeRule", "Name", **_RULE),
    _request("EnableRule", "Name", **_RULE),
    _request("DisableRule", "Name", **_RULE),
    _request("DeleteRule", "Name", **_RULE, Force=Flag()),
    _request("ListRules", NamePrefix=NAME, EventBusName=BUS_NAME_OR_ARN, **_PAGE),
    _request("ListRuleNamesByTarget", "TargetArn", TargetArn=ARN, EventBusName=BUS_NAME_OR_ARN, **_PAGE),
    _request("PutTargets", "Rule", "Targets", Rule=NAME, EventBusName=BUS_NAME_OR_ARN, Targets=Many(TARGET, 1, 100)),
    _request(
        "RemoveTargets", "Rule", "Ids", Rule=NAME, EventBusName=BUS_NAME_OR_ARN, Ids=Many(NAME, 1, 100), Force=Flag()
    ),
    _request("ListTargetsByRule", "Rule", Rule=NAME, EventBusName=BUS_NAME_OR_ARN, **_PAGE),
    _request("TestEventPattern", "EventPattern", "Event", EventPattern=EVENT_PATTERN, Event=ANY_TEXT),
    _request(
        "PutPermission",
        EventBusName=OWN_BUS_NAME,
        Action=Text(1, 64, r"events:[a-zA-Z]+"),
        Principal=Text(1, 12, r"(\d{12}|\*)"),
        StatementId=_STATEMENT_ID,
        Condition=Structure(
            "Condition",
            {"Type": ANY_TEXT, "Key": ANY_TEXT, "Value": ANY_TEXT},
            required=("Type", "Key", "Value"),
        ),
        Policy=ANY_TEXT,
    ),
    _request("RemovePermission", EventBusName=OWN_BUS_NAME, StatementId=_STATEMENT_ID, RemoveAllPermissions=Flag()),
    _request("CreateArchive", "ArchiveName", "EventSourceArn", **_ARCHIVE, EventSourceArn=EVENTS_ARN),
    _request("DescribeArchive", "ArchiveName", ArchiveName=ARCHIVE_NAME),
    _request("UpdateArchive", "ArchiveName", **_ARCHIVE),
    _request("DeleteArchive", "ArchiveName", ArchiveName=ARCHIVE_NAME),
    _request(
        "ListArchives",
        NamePrefix=ARCHIVE_NAME,
        EventSourceArn=EVENTS_ARN,
        State=Choice(ARCHIVE_STATES),
        **_PAGE,
    ),
    _request(
        "StartReplay",
        "ReplayName",
        "EventSourceArn",
        "EventStartTime",
        "EventEndTime",
        "Destination",
        ReplayName=NAME,
        Description=LINE,
        EventSourceArn=EVENTS_ARN,
        EventStartTime=Instant(),
        EventEndTime=Instant(),
        Destination=Structure("ReplayDestination", {"Arn": ARN, "FilterArns": Many(ARN)}, required=("Arn",)),
    ),
    _request("DescribeReplay", "ReplayName", ReplayName=NAME),
    _request("CancelReplay", "ReplayName", ReplayName=NAME),
    _request("ListReplays", NamePrefix=NAME, State=Choice(REPLAY_STATES), EventSourceArn=EVENTS_ARN, **_PAGE),
    connection("Create", required=("Name", "AuthorizationType", "AuthParameters")),
    connection("Update", required=("Name",)),
    _request("DescribeConnection", "Name", Name=NAME),
    _request("DeleteConnection", "Name", Name=NAME),
    _request("DeauthorizeConnection", "Name", Name=NAME),
    _request("ListConnections", NamePrefix=NAME, ConnectionState=Choice(CONNECTION_STATES), **_PAGE),
    api_destination("Create", required=("Name", "ConnectionArn", "InvocationEndpoint", "HttpMethod")),
    api_destination("Update", required=("Name",)),
    _request("DescribeApiDestination", "Name", Name=NAME),
    _request("DeleteApiDestination", "Name", Name=NAME),
    _request("ListApiDestinations", NamePrefix=NAME, ConnectionArn=CONNECTION_ARN, **_PAGE),
    _request("TagResource", "ResourceARN", "Tags", ResourceARN=ARN, Tags=TAGS),
    _request("UntagResource", "ResourceARN", "TagKeys", ResourceARN=ARN, TagKeys=Many(TAG_KEY)),
    _request("ListTagsForResource", "ResourceARN", ResourceARN=ARN),
)

REQUESTS: Final[Mapping[str, Structure]] = {shape.name.removesuffix("Request"): shape for shape in _ALL}
