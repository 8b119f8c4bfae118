"""Requests that are refused: parameters over those of a good one, the code and the text."""

from typing import Any

from tests.access.landscape import allow, text_of
from tests.iam.landscape import ALL, API, NOTHING, entry

ANN = "arn:aws:iam::111111111111:user/ann"
SESSION = "arn:aws:sts::111111111111:assumed-role/orders/laptop"
LONG = text_of(
    allow("*", "*", Condition={"StringLike": {"aws:UserAgent": [f"*a*b*c*{number}" for number in range(600)]}})
)
INVALID = "InvalidInput"
VALIDATION = "ValidationError"

CUSTOM: list[tuple[str, dict[str, Any], str, str]] = [
    (
        "a resource that is no ARN",
        {"ResourceArns": ["orders"]},
        INVALID,
        "ResourceNames are not in a valid ARN format: orders.",
    ),
    (
        "a star beside an ARN",
        {"ResourceArns": [f"{API}/a", "*"]},
        INVALID,
        "ResourceNames are not in a valid ARN format: *.",
    ),
    (
        "an account as the owner of the resource",
        {"ResourceOwner": "123456789012"},
        INVALID,
        "'123456789012' is not a valid as a Resource Owner.",
    ),
    (
        "a session as the caller",
        {"CallerArn": SESSION},
        INVALID,
        "Invalid caller - Caller must be an IAM user, role or group in this context.",
    ),
    (
        "a resource policy without a caller",
        {"ResourcePolicy": ALL},
        INVALID,
        "Invalid caller - Caller cannot be null or empty.",
    ),
    (
        "a resource policy for all resources",
        {"ResourcePolicy": ALL, "CallerArn": ANN, "ResourceArns": ["*"]},
        INVALID,
        "Invalid Entity Arn: * does not clearly define entity type and name.",
    ),
    (
        "an action with a wildcard",
        {"ActionNames": ["s3:*"]},
        INVALID,
        "Invalid Action Name: s3:*. Write service:Action, without wildcards.",
    ),
    (
        "an action without a service",
        {"ActionNames": ["Invoke"]},
        INVALID,
        "Invalid Action Name: Invoke. Write service:Action, without wildcards.",
    ),
    (
        "a policy that is no JSON",
        {"PolicyInputList": [ALL, "{"]},
        INVALID,
        "Invalid policy: PolicyInputList.2:1: expected a member name in double quotes (is there a comma too many?)",
    ),
    (
        "a boundary with a principal",
        {
            "PermissionsBoundaryPolicyInputList": [
                '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}'
            ]
        },
        INVALID,
        'Invalid policy: PermissionsBoundaryPolicyInputList.1:1: a permissions boundary has no "Principal": '
        "whoever it is attached to is the principal; remove it",
    ),
    (
        "two boundaries",
        {"PermissionsBoundaryPolicyInputList": [ALL, NOTHING]},
        INVALID,
        "PermissionsBoundaryPolicyInputList holds 2 policies; an entity has one permissions boundary.",
    ),
    (
        "more policies than are simulated at a time",
        {"PolicyInputList": [ALL] * 21},
        INVALID,
        "PolicyInputList holds 21 policies; the harness simulates 20 at most.",
    ),
    (
        "patterns against values that would take minutes",
        {
            "PolicyInputList": [LONG],
            "ContextEntries": [entry("aws:UserAgent", "string", "ab" * 5000)],
            "ResourceArns": [f"{API}/v1/GET/{number}" for number in range(20)],
        },
        INVALID,
        "The simulation is too large for the harness: name fewer resources, or give shorter policies and context "
        "values.",
    ),
    (
        "a key given twice",
        {"ContextEntries": [entry("aws:SourceVpce", "string", "a"), entry("AWS:sourcevpce", "string", "b")]},
        INVALID,
        "Context key AWS:sourcevpce is given more than once.",
    ),
    (
        "a value that is not of its type",
        {"ContextEntries": [entry("aws:SourceIp", "ip", "10.0.0.300")]},
        INVALID,
        "Context key aws:SourceIp: '10.0.0.300' is not of type ip.",
    ),
    (
        "a value of a list that is not of its type",
        {"ContextEntries": [entry("acme:Sizes", "numericList", "1", "two")]},
        INVALID,
        "Context key acme:Sizes: 'two' is not of type numeric.",
    ),
    (
        "several values of a type that takes one",
        {"ContextEntries": [entry("aws:TagKeys", "string", "a", "b")]},
        INVALID,
        "Context key aws:TagKeys of type string takes one value, not 2; for several, stringList.",
    ),
    (
        "a type that there is not",
        {"ContextEntries": [entry("aws:TagKeys", "text", "a")]},
        INVALID,
        "Context key aws:TagKeys: there is no type text; choose one of binary, binaryList, boolean, booleanList, date, "
        "dateList, ip, ipList, numeric, numericList, string, stringList.",
    ),
    (
        "no actions",
        {"ActionNames": []},
        VALIDATION,
        "1 validation error detected: Value null at 'actionNames' failed to satisfy constraint: "
        "Member must not be null",
    ),
    (
        "an action that is too long",
        {"ActionNames": ["s3:Get", "s3:" + "a" * 126]},
        VALIDATION,
        f"1 validation error detected: Value 's3:{'a' * 126}' at 'actionNames.2.member' failed to satisfy constraint: "
        "Member must have length less than or equal to 128",
    ),
    (
        "a character that no policy may hold",
        {"PolicyInputList": ["{\u20ac}"]},
        VALIDATION,
        "1 validation error detected: Value '{\u20ac}' at 'policyInputList.1.member' failed to satisfy constraint: "
        r"Member must satisfy regular expression pattern: [\u0009\u000A\u000D\u0020-\u00FF]+",
    ),
    ("a marker that was not given", {"Marker": "bm9uZQ=="}, VALIDATION, "Invalid Marker."),
    ("a marker that is no base64", {"Marker": "&&&"}, VALIDATION, "Invalid Marker."),
]

PRINCIPAL: list[tuple[str, dict[str, Any], int, str, str]] = [
    (
        "a role that there is not",
        {"PolicySourceArn": "arn:aws:iam::111111111111:role/team/gone"},
        404,
        "NoSuchEntity",
        "The role with name gone cannot be found.",
    ),
    (
        "a user, of whom there are none",
        {"PolicySourceArn": ANN},
        404,
        "NoSuchEntity",
        "The user with name ann cannot be found.",
    ),
    (
        "a session",
        {"PolicySourceArn": SESSION},
        400,
        INVALID,
        f"Invalid Entity Arn: {SESSION} does not clearly define entity type and name.",
    ),
    (
        "a type of policies that there is not",
        {"PolicyExclusionList": [{"PolicyType": "all"}]},
        400,
        INVALID,
        "There is no policy type all; choose one of inline, aws-managed, user-managed, permission-boundary, scp, rcp.",
    ),
]
