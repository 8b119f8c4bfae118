"""What the API of the bus remembers: documents in the state, one for each resource, in AWS's own shapes.

An account is twelve digits, a time is seconds since the epoch (a number, as the wire has it), what was not given is
left out. Whoever changes a document puts it with the revision it has read, and reads again on `Conflict`.

`("events", "bus", ACCOUNT, NAME)`: what CreateEventBus or UpdateEventBus got (`Description`, `KmsKeyIdentifier`,
`DeadLetterConfig`, `LogConfig`), `Policy` (JSON text), `Tags`, `CreationTime`, `LastModifiedTime`. The bus `default`
of an account needs none.

`("events", "rule", ACCOUNT, BUS, NAME)`: what PutRule got (`EventPattern` as text, `ScheduleExpression`, `State`,
`Description`, `RoleArn`), `Targets` (a list as PutTargets got them, in the order in which they were first put),
`Tags`, `CreatedBy` (an account), and `Since`: when its schedule began to count (it was put with another expression,
or enabled).

`("events", "archive", ACCOUNT, NAME)`: what CreateArchive got (`EventSourceArn`, `Description`, `EventPattern` as
text, `RetentionDays`, 0 for ever, `KmsKeyIdentifier`), `State` (`ENABLED`), `CreationTime`. Its rule is no document:
the catalogue makes it of the archive (`archive_rule`), with one target whose ARN is the archive's.

`("events", "replay", ACCOUNT, NAME)`: what StartReplay got (`Description`, `EventSourceArn`, `EventStartTime`,
`EventEndTime`, `Destination`), `State`, `ReplayStartTime`. The API writes the states STARTING and CANCELLING, whoever
replays writes RUNNING, COMPLETED, CANCELLED and FAILED, with `StateReason`, `EventLastReplayedTime`, `ReplayEndTime`.

`("events", "connection", ACCOUNT, NAME)`: `Id` (the last part of its ARN), what CreateConnection got (`Description`,
`AuthorizationType`, `KmsKeyIdentifier`, `InvocationConnectivityParameters`), `AuthParameters` without anything secret
(as DescribeConnection shows them), `Secret` (the id of its secret), `ConnectionState`, `StateReason`, `CreationTime`,
`LastModifiedTime`, `LastAuthorizedTime`. BASIC and API_KEY are `AUTHORIZED` at once, OAUTH_CLIENT_CREDENTIALS is
`AUTHORIZING` until whoever invokes has its first token and writes `AUTHORIZED`.

`("events", "secret", ACCOUNT, ID)`: the whole `AuthParameters`, passwords and all, as JSON sealed under the master key
(`seal_secret`). Never in a log or an answer. A change of a connection makes a new secret, lets the connection name it,
and deletes the old one.

`("events", "api-destination", ACCOUNT, NAME)`: `Id`, what CreateApiDestination got (`Description`, `ConnectionArn`,
`InvocationEndpoint`, `HttpMethod`, `InvocationRateLimitPerSecond`), `CreationTime`, `LastModifiedTime`. It is ACTIVE
as long as its connection is AUTHORIZED.

`Tags` are a list of `{"Key", "Value"}`, the keys in order.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from harness.identity import SecretBox
from harness.storage.state import Entry, Key
from harness.wire import PARTITION

DEFAULT = "default"
BUSES: Key = ("events", "bus")
RULES: Key = ("events", "rule")
ARCHIVES: Key = ("events", "archive")
REPLAYS: Key = ("events", "replay")
CONNECTIONS: Key = ("events", "connection")
SECRETS: Key = ("events", "secret")
API_DESTINATIONS: Key = ("events", "api-destination")

Document = dict[str, Any]

ARCHIVE_RULE_PREFIX = "Events-Archive-"


def bus_key(account: str, name: str) -> Key:
    return (*BUSES, account, name)


def rule_key(account: str, bus: str, name: str) -> Key:
    return (*RULES, account, bus, name)


def archive_key(account: str, name: str) -> Key:
    return (*ARCHIVES, account, name)


def replay_key(account: str, name: str) -> Key:
    return (*REPLAYS, account, name)


def connection_key(account: str, name: str) -> Key:
    return (*CONNECTIONS, account, name)


def secret_key(account: str, secret: str) -> Key:
    return (*SECRETS, account, secret)


def api_destination_key(account: str, name: str) -> Key:
    return (*API_DESTINATIONS, account, name)


def read(entry: Entry) -> Document:
    document: Document = orjson.loads(entry.value)
    return document


def write(document: Mapping[str, Any]) -> bytes:
    return orjson.dumps(document)


def seal_secret(box: SecretBox, key: Key, parameters: Mapping[str, Any]) -> bytes:
    """`key` as from `secret_key`: a secret opens under no other one."""
    return box.seal(orjson.dumps(parameters), place="/".join(key))


def open_secret(box: SecretBox, entry: Entry) -> Document | None:
    """None when it was sealed under another master key."""
    opened = box.open(entry.value, place="/".join(entry.key))
    return None if opened is None else orjson.loads(opened)


def archive_arn(region: str, account: str, name: str) -> str:
    return f"arn:{PARTITION}:events:{region}:{account}:archive/{name}"


def replay_arn(region: str, account: str, name: str) -> str:
    return f"arn:{PARTITION}:events:{region}:{account}:replay/{name}"


def connection_arn(region: str, account: str, name: str, identifier: str) -> str:
    return f"arn:{PARTITION}:events:{region}:{account}:connection/{name}/{identifier}"


def api_destination_arn(region: str, account: str, name: str, identifier: str) -> str:
    return f"arn:{PARTITION}:events:{region}:{account}:api-destination/{name}/{identifier}"


def archive_rule(name: str) -> str:
    """The name of the rule that an archive has on its bus."""
    return f"{ARCHIVE_RULE_PREFIX}{name}"
