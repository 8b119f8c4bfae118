"""What refused a call before or beside any policy, and what its caller should change: one row for each cause.

The texts are templates over the facts of a record (`explanation.facts`). A cause of a service (`sts:ValidationError`)
that has no row of its own is told by `OTHER`.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Cause(NamedTuple):
    """`why`: what happened. `change`: the smallest change of the call that avoids it."""

    why: str
    change: str


CAUSES: Mapping[str, Cause] = {
    # the signature
    "missing": Cause(
        "the request is not signed: it has neither an Authorization header nor the parameters of a presigned URL",
        "sign the request with SigV4 for service {service}, region {region}; harness credentials ROLE has the keys",
    ),
    "incomplete": Cause(
        "the Authorization header, or the presigned URL, cannot be read: a part is missing, twice there or malformed",
        "send Credential, SignedHeaders and Signature once each, and X-Amz-Date as 20260115T120000Z; an SDK does",
    ),
    "scope-region": Cause(
        "the signature is scoped to region {signed_region}; this is {region}", "sign for region {region}"
    ),
    "scope-service": Cause(
        "the signature is scoped to service {signed_service}; this is {service}", "sign for service {service}"
    ),
    "scope-date": Cause(
        "the date in the credential scope, {signed_date}, is not that of X-Amz-Date, {amz_date}",
        "take both dates from the same instant, in UTC",
    ),
    "scope-terminator": Cause(
        'the credential scope ends with "{signed_terminator}"', 'end the credential scope with "aws4_request"'
    ),
    "expired": Cause(
        "the request was signed at {amz_date} and arrived at {time}, too late",
        "sign each request right before it is sent; check the sender's clock (allowed: 5 minutes; STS, events: 15)",
    ),
    "not-yet": Cause(
        "the request was signed at {amz_date} and arrived at {time}, before that", "set the sender's clock: it is ahead"
    ),
    "mismatch": Cause(
        "the signature is another one than that of this request: a part of it (path, query, "
        "a signed header: {headers}; body) changed after it was signed, or the secret "
        "key is another one. Which it was cannot be told",
        "sign exactly what is sent, with the secret that belongs to the access key; compare your canonical request "
        "with the one that the answer shows",
    ),
    "mismatch-path": Cause(
        "the path differs: signed was {signed}, sent {path}", "sign the path as it is sent, escapes encoded once more"
    ),
    "mismatch-query": Cause(
        "the query differs: signed was {signed}", "sign the query as it is sent: encoded, sorted by name, all of it"
    ),
    "mismatch-method": Cause("the method differs: signed was {signed}, sent {method}", "sign for {method}"),
    "mismatch-header": Cause(
        "a signed header differs: signed was {signed}",
        "sign the headers as they are sent, or keep what is between from changing them",
    ),
    "mismatch-body": Cause(
        "the body differs: signed was {signed}", "sign the hash of the body that is sent; it must not change on the way"
    ),
    # the key
    "unknown-key": Cause(
        "the access key id {key} was not issued by this landscape", "take credentials from: harness credentials ROLE"
    ),
    "no-token": Cause(
        "the key {key} is temporary, and the request has no session token",
        "send X-Amz-Security-Token with it (AWS_SESSION_TOKEN)",
    ),
    "token-of-another-key": Cause(
        "the session token is not that of the key {key}, or of a landscape with another master key",
        "use key, secret and token from one answer; take new ones: harness credentials ROLE",
    ),
    "role-gone": Cause(
        "the role behind the session token is not in the manifests any more",
        "declare the role again, or take credentials of another one",
    ),
    "session-policy-unreadable": Cause(
        "a session policy in the token is no longer accepted", "start a new session with a valid policy"
    ),
    "expired-token": Cause(
        "the session token has expired", "take new credentials: harness credentials ROLE, or let the SDK refresh them"
    ),
    # where the call leads
    "unknown-api": Cause("there is no API {api}{api_meant}", "call one of: {apis}"),
    "private-from-public": Cause(
        "API {api} is private and the call came from the {place} listener, where no VPC endpoint is",
        "call it through a VPC endpoint: the workbench (port 4566) or an account's own listener",
    ),
    "unknown-stage": Cause("API {api} has no stage {stage}{stage_meant}", "begin the path with one of: {stages}"),
    "unknown-route": Cause(
        "stage {stage} of API {api} has no route {method} {below}{route_meant}",
        "call a path of the contract, or add it there: contracts are the routes",
    ),
    "unknown-method": Cause(
        "stage {stage} of API {api} has {below}, but only with {methods}",
        "use {methods}, or add {method} to the contract",
    ),
    "ambiguous-api": Cause(
        "host, x-apigw-api-id and listener do not name one and the same API", "name the API once, or each time the same"
    ),
    "no-target": Cause(
        "the request names neither an API nor an AWS service that is served here",
        "name the API by its host or by x-apigw-api-id, or sign for sts or events",
    ),
    "bad-request": Cause("the request is malformed: {reason}", "send what RFC 9112 and RFC 3986 allow"),
    "body-too-large": Cause("the body is larger than 10 MB", "send less, or a link to it"),
    "head-too-large": Cause(
        "the request line and headers are larger than 10,240 bytes", "send fewer or shorter headers"
    ),
    "uri-too-long": Cause("the method ARN of this path is longer than 1600 bytes", "shorten the path"),
    # how often
    "throttled": Cause(
        "more calls came than a rate allows: {reason}",
        "call less often, with backoff; or raise the rate in the manifest",
    ),
    "quota-exceeded": Cause(
        "the quota of the usage plan is spent: {reason}", "wait for the next period, or raise the quota in the manifest"
    ),
    # the API behind it
    "upstream-timeout": Cause("domain {api} did not answer in time", "see: harness logs {api}"),
    "upstream-unreachable": Cause("domain {api} could not be reached", "see: harness status; harness logs {api}"),
    "upstream-malformed": Cause("the answer of domain {api} broke off or is no HTTP", "see: harness logs {api}"),
    "internal": Cause("the edge failed", "see: harness logs edge"),
    # AWS services
    "unknown-role": Cause("there is no role {role}{role_meant}", "assume a role that the manifests declare"),
    "sts:InvalidIdentityToken": Cause(
        "the web identity token is not one of the landscape's provider, or is malformed",
        "send the token from the file that AWS_WEB_IDENTITY_TOKEN_FILE names",
    ),
    "sts:ExpiredTokenException": Cause("the web identity token has expired", "read the token file again for each call"),
    "sts:ValidationError": Cause("a parameter of {action} is out of its bounds", "the answer's text names it"),
    "sts:InvalidAction": Cause("STS has no operation {action} here", "check Action and Version"),
    "events:ValidationException": Cause("a parameter of {action} is not as it must be", "the answer's text names it"),
    "events:InvalidEventPatternException": Cause(
        "the event pattern cannot be read as one", "the answer's text names the mistake; TestEventPattern tries one"
    ),
    "events:ManagedRuleException": Cause(
        "the rule is declared in a manifest, or belongs to an archive", "change the manifest, or delete the archive"
    ),
    "events:OperationDisabledException": Cause(
        "the event bus is declared in a manifest", "change the bus, and its policy, in the manifest"
    ),
}

OTHER = Cause("{source} answered {code}", "the answer's text says what to change")

# What the services' edges call the faults that the gateway calls otherwise.
SERVICE_FAULTS: Mapping[str, str] = {
    "MissingAuthenticationToken": "missing",
    "MissingAuthenticationTokenException": "missing",
    "IncompleteSignature": "incomplete",
    "IncompleteSignatureException": "incomplete",
    "SignatureDoesNotMatch": "mismatch",
    "InvalidSignatureException": "mismatch",
    "InvalidClientTokenId": "unknown-key",
    "UnrecognizedClientException": "unknown-key",
    "ExpiredToken": "expired-token",
    "ExpiredTokenException": "expired-token",
}
