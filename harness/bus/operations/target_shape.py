"""A target as PutTargets takes it, for every kind of target that AWS has."""

from typing import Final

from harness.bus.operations.members import ANY_TEXT, ARN, DEAD_LETTER_CONFIG, NAME, TAGS
from harness.bus.operations.shapes import Choice, Flag, Many, Secret, Structure, Table, Whole
from harness.query_protocol.constraints import Text

HEADER_NAME: Final = Text(0, 512, "^[!#$%&'*+-.^_`|~0-9a-zA-Z]+$")
HEADER_VALUE: Final = Text(0, 512, r"^[ \t]*[\x20-\x7E]+([ \t]+[\x20-\x7E]+)*[ \t]*$", r"\t*[\x20-\x7E][\t\x20-\x7E]*")
QUERY_NAME: Final = Text(0, 512, r"[^\x00-\x1F\x7F]+")
QUERY_VALUE: Final = Text(0, 512, r"[^\x00-\x09\x0B\x0C\x0E-\x1F\x7F]+")

_INPUT_TRANSFORMER = Structure(
    "InputTransformer",
    {
        "InputPathsMap": Table(Text(1, 256, r"[A-Za-z0-9\_\-]+"), Text(0, 256), 100),
        "InputTemplate": Text(1, 8192),
    },
    required=("InputTemplate",),
)
_RUN_COMMAND_TARGET = Structure(
    "RunCommandTarget",
    {
        "Key": Text(1, 128, r"^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$", r"(?u:[\w\s.:/=+\-@]*)"),
        "Values": Many(Text(1, 256), 1, 50),
    },
    required=("Key", "Values"),
)
_NETWORK = Structure(
    "NetworkConfiguration",
    {
        "awsvpcConfiguration": Structure(
            "AwsVpcConfiguration",
            {
                "Subnets": Many(ANY_TEXT),
                "SecurityGroups": Many(ANY_TEXT),
                "AssignPublicIp": Choice(("ENABLED", "DISABLED")),
            },
            required=("Subnets",),
        )
    },
)
_ECS = Structure(
    "EcsParameters",
    {
        "TaskDefinitionArn": ARN,
        "TaskCount": Whole(1),
        "LaunchType": Choice(("EC2", "FARGATE", "EXTERNAL")),
        "NetworkConfiguration": _NETWORK,
        "PlatformVersion": ANY_TEXT,
        "Group": ANY_TEXT,
        "CapacityProviderStrategy": Many(
            Structure(
                "CapacityProviderStrategyItem",
                {"capacityProvider": Text(1, 255), "weight": Whole(0, 1000), "base": Whole(0, 100_000)},
                required=("capacityProvider",),
            ),
            0,
            6,
        ),
        "EnableECSManagedTags": Flag(),
        "EnableExecuteCommand": Flag(),
        "PlacementConstraints": Many(
            Structure(
                "PlacementConstraint",
                {"type": Choice(("distinctInstance", "memberOf")), "expression": Text(0, 2000)},
            ),
            0,
            10,
        ),
        "PlacementStrategy": Many(
            Structure("PlacementStrategy", {"type": Choice(("random", "spread", "binpack")), "field": Text(0, 255)}),
            0,
            5,
        ),
        "PropagateTags": Choice(("TASK_DEFINITION",)),
        "ReferenceId": Text(0, 1024),
        "Tags": TAGS,
    },
    required=("TaskDefinitionArn",),
)
_SQL = Secret(Text(1, 100_000))
_REDSHIFT = Structure(
    "RedshiftDataParameters",
    {
        "SecretManagerArn": Text(
            1,
            1600,
            r"(^arn:aws([a-z]|\-)*:secretsmanager:[a-z0-9-.]+:.*)|(\$(\.[\w_-]+(\[(\d+|\*)\])*)*)",
        ),
        "Database": Text(1, 64),
        "DbUser": Text(1, 128),
        "Sql": _SQL,
        "StatementName": Text(1, 500),
        "WithEvent": Flag(),
        "Sqls": Many(_SQL, 0, 40),
    },
    required=("Database",),
)
_PIPELINE_PARAMETER = Structure(
    "SageMakerPipelineParameter",
    {"Name": Text(1, 256, r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$"), "Value": Text(0, 1024)},
    required=("Name", "Value"),
)
_BATCH = Structure(
    "BatchParameters",
    {
        "JobDefinition": ANY_TEXT,
        "JobName": ANY_TEXT,
        "ArrayProperties": Structure("BatchArrayProperties", {"Size": Whole()}),
        "RetryStrategy": Structure("BatchRetryStrategy", {"Attempts": Whole()}),
    },
    required=("JobDefinition", "JobName"),
)
_HTTP = Structure(
    "HttpParameters",
    {
        "PathParameterValues": Many(Text(0, 2**31 - 1, r"^(?!\s*$).+")),
        "HeaderParameters": Table(HEADER_NAME, HEADER_VALUE),
        "QueryStringParameters": Table(QUERY_NAME, QUERY_VALUE),
    },
)

TARGET: Final = Structure(
    "Target",
    {
        "Id": NAME,
        "Arn": ARN,
        "RoleArn": ARN,
        "Input": Text(0, 8192),
        "InputPath": Text(0, 256),
        "InputTransformer": _INPUT_TRANSFORMER,
        "KinesisParameters": Structure(
            "KinesisParameters", {"PartitionKeyPath": Text(0, 256)}, required=("PartitionKeyPath",)
        ),
        "RunCommandParameters": Structure(
            "RunCommandParameters",
            {"RunCommandTargets": Many(_RUN_COMMAND_TARGET, 1, 5)},
            required=("RunCommandTargets",),
        ),
        "EcsParameters": _ECS,
        "BatchParameters": _BATCH,
        "SqsParameters": Structure("SqsParameters", {"MessageGroupId": Text(0, 100)}),
        "HttpParameters": _HTTP,
        "RedshiftDataParameters": _REDSHIFT,
        "SageMakerPipelineParameters": Structure(
            "SageMakerPipelineParameters", {"PipelineParameterList": Many(_PIPELINE_PARAMETER, 0, 200)}
        ),
        "DeadLetterConfig": DEAD_LETTER_CONFIG,
        "RetryPolicy": Structure(
            "RetryPolicy",
            {"MaximumRetryAttempts": Whole(0, 185), "MaximumEventAgeInSeconds": Whole(60, 86_400)},
        ),
        "AppSyncParameters": Structure("AppSyncParameters", {"GraphQLOperation": Secret(Text(1, 1_048_576))}),
    },
    required=("Id", "Arn"),
)
