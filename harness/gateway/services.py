"""Which AWS service a request is for when it names no API: the signature's scope says so, or what it asks for."""

from urllib.parse import parse_qs, unquote

from harness.wire import HttpRequest

STS = "sts"
CREDENTIALS = "credentials"
"""The key of the handler that serves a listener of the kind CREDENTIALS."""

_SIGNING_CERTIFICATE = b"/SimpleNotificationService-"
"""Where SNS's certificates are: whoever verifies a message fetches it without a signature."""

_UNSIGNED_ACTIONS = {
    "AssumeRole": STS,
    "AssumeRoleWithWebIdentity": STS,
    "GetCallerIdentity": STS,
    "ConfirmSubscription": "sns",
    "Unsubscribe": "sns",
}
# `X-Amz-Target` of the JSON protocols names the service before its dot.
_TARGETS = {
    b"AWSEvents": "events",
    b"AmazonSQS": "sqs",
    b"AWSCognitoIdentityProviderService": "cognito-idp",
}


def service_of(request: HttpRequest) -> str:
    """`sts`, `events`, …; empty when nothing in the request says so. Nothing is verified here: the service does it."""
    authorization = request.header(b"authorization")
    if authorization is not None:
        scope = _between(authorization.decode("latin-1"), "Credential=", ",")
        if scope:
            return _service_in(scope)
    if b"X-Amz-Credential=" in request.raw_query:
        scope = _between(request.raw_query.decode("latin-1"), "X-Amz-Credential=", "&")
        return _service_in(unquote(scope))
    target = request.header(b"x-amz-target")
    if target is not None:
        return _TARGETS.get(target.partition(b".")[0], "")
    if request.method == "GET" and request.raw_path.startswith(_SIGNING_CERTIFICATE):
        return "sns"
    return _UNSIGNED_ACTIONS.get(_action(request), "")


def _between(text: str, start: str, end: str) -> str:
    return text.partition(start)[2].partition(end)[0].strip()


def _service_in(scope: str) -> str:
    # AKID/yyyymmdd/region/service/aws4_request
    parts = scope.split("/")
    return parts[3] if len(parts) >= 4 else ""


def _action(request: HttpRequest) -> str:
    form = request.raw_query if request.method == "GET" else request.body
    if len(form) > 65_536 or b"Action=" not in form:
        return ""
    return parse_qs(form.decode("latin-1")).get("Action", [""])[0]
