"""The parameters of a connection: what CreateConnection must have, UpdateConnection may have."""

from typing import Final

from harness.bus.operations.members import ANY_TEXT, CONNECTION_ARN, KMS_KEY, LINE, NAME
from harness.bus.operations.shapes import Choice, Flag, Many, Secret, Shape, Structure, Whole
from harness.bus.operations.target_shape import HEADER_NAME, HEADER_VALUE, QUERY_NAME, QUERY_VALUE
from harness.query_protocol.constraints import Text

AUTHORIZATION_TYPES: Final = ("BASIC", "OAUTH_CLIENT_CREDENTIALS", "API_KEY")
CONNECTION_STATES: Final = (
    "CREATING",
    "UPDATING",
    "DELETING",
    "AUTHORIZED",
    "DEAUTHORIZED",
    "AUTHORIZING",
    "DEAUTHORIZING",
    "ACTIVE",
    "FAILED_CONNECTIVITY",
)
HTTPS_ENDPOINT: Final = Text(1, 2048, r"^((%[0-9A-Fa-f]{2}|[-()_.!~*';/?:@\x26=+$,A-Za-z0-9])+)([).!';/?:,])?$")
_CREDENTIAL = Text(
    1,
    512,
    r"^[ \t]*[^\x00-\x1F:\x7F]+([ \t]+[^\x00-\x1F:\x7F]+)*[ \t]*$",
    r"\t*[^\x00-\x1F:\x7F][^\x00-\x08\x0A-\x1F:\x7F]*",
)


def _parameters(kind: str, name: Text, value: Text) -> Many:
    members: dict[str, Shape] = {"Key": name, "Value": Secret(value), "IsValueSecret": Flag()}
    return Many(Structure(f"Connection{kind}Parameter", members), 0, 100)


_HTTP_PARAMETERS = Structure(
    "ConnectionHttpParameters",
    {
        "HeaderParameters": _parameters("Header", HEADER_NAME, HEADER_VALUE),
        "QueryStringParameters": _parameters("QueryString", QUERY_NAME, QUERY_VALUE),
        "BodyParameters": _parameters("Body", ANY_TEXT, ANY_TEXT),
    },
)
_CONNECTIVITY = Structure(
    "ConnectivityResourceParameters",
    {
        "ResourceParameters": Structure(
            "ConnectivityResourceConfigurationArn",
            {
                "ResourceConfigurationArn": Text(
                    0,
                    2048,
                    r"^(?:^arn:[a-z0-9\-]+:vpc-lattice:[a-zA-Z0-9\-]+:\d{12}:resourceconfiguration/rcfg-[0-9a-z]{17}$|^$)",
                )
            },
            required=("ResourceConfigurationArn",),
        )
    },
    required=("ResourceParameters",),
)


def _auth_parameters(verb: str, *, whole: bool) -> Structure:
    """`whole`: every part of a kind of authorisation must be there."""

    def structure(name: str, members: dict[str, Shape], required: tuple[str, ...] = ()) -> Structure:
        return Structure(f"{verb}Connection{name}", members, required if whole else ())

    client = structure(
        "OAuthClientRequestParameters",
        {"ClientID": _CREDENTIAL, "ClientSecret": Secret(_CREDENTIAL)},
        ("ClientID", "ClientSecret"),
    )
    return structure(
        "AuthRequestParameters",
        {
            "BasicAuthParameters": structure(
                "BasicAuthRequestParameters",
                {"Username": _CREDENTIAL, "Password": Secret(_CREDENTIAL)},
                ("Username", "Password"),
            ),
            "OAuthParameters": structure(
                "OAuthRequestParameters",
                {
                    "ClientParameters": client,
                    "AuthorizationEndpoint": HTTPS_ENDPOINT,
                    "HttpMethod": Choice(("GET", "POST", "PUT")),
                    "OAuthHttpParameters": _HTTP_PARAMETERS,
                },
                ("ClientParameters", "AuthorizationEndpoint", "HttpMethod"),
            ),
            "ApiKeyAuthParameters": structure(
                "ApiKeyAuthRequestParameters",
                {"ApiKeyName": _CREDENTIAL, "ApiKeyValue": Secret(_CREDENTIAL)},
                ("ApiKeyName", "ApiKeyValue"),
            ),
            "InvocationHttpParameters": _HTTP_PARAMETERS,
            "ConnectivityParameters": _CONNECTIVITY,
        },
    )


def connection(verb: str, *, required: tuple[str, ...]) -> Structure:
    members: dict[str, Shape] = {
        "Name": NAME,
        "Description": LINE,
        "AuthorizationType": Choice(AUTHORIZATION_TYPES),
        "AuthParameters": _auth_parameters(verb, whole=verb == "Create"),
        "InvocationConnectivityParameters": _CONNECTIVITY,
        "KmsKeyIdentifier": KMS_KEY,
    }
    return Structure(f"{verb}ConnectionRequest", members, required)


def api_destination(verb: str, *, required: tuple[str, ...]) -> Structure:
    members: dict[str, Shape] = {
        "Name": NAME,
        "Description": LINE,
        "ConnectionArn": CONNECTION_ARN,
        "InvocationEndpoint": HTTPS_ENDPOINT,
        "HttpMethod": Choice(("HEAD", "POST", "PATCH", "DELETE", "PUT", "GET", "OPTIONS")),
        "InvocationRateLimitPerSecond": Whole(1),
    }
    return Structure(f"{verb}ApiDestinationRequest", members, required)
