"""SQS's endpoint for a real SDK, over shelves in memory."""

import json
import time
from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

from harness.access import Authority
from harness.clock import utc_now
from harness.identity import Role
from harness.queues.api import QueuesApi
from harness.queues.broker import Broker
from harness.queues.memory import MemoryShelves
from harness.queues.moves import Moves
from harness.queues.receipts import Receipts
from harness.queues.registry import Registry
from harness.storage.memory_state import MemoryState
from harness.storage.replica import Replica
from tests.access.landscape import MASTER_KEY, ORDERS, REGION, STOCK, a_directory, a_role, a_sealer, a_session, allow
from tests.bus.endpoint import Loop

OWNER = a_role(ORDERS, "owner", allow(["sqs:*", "sns:*"]))
NOBODY = a_role(ORDERS, "nobody")
SENDER = a_role(ORDERS, "sender", allow("sqs:SendMessage"))
MOVER = a_role(
    ORDERS, "mover", allow(["sqs:StartMessageMoveTask", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:CreateQueue"])
)
STRANGER = a_role(STOCK, "stranger", allow(["sqs:*", "sns:*"]))
ROLES: Mapping[str, Role] = {role.name: role for role in (OWNER, NOBODY, SENDER, MOVER, STRANGER)}

SESSION = boto3.Session()  # reads the service's model once


class Endpoint:
    def __init__(self, loop: Loop, **options: Any) -> None:
        self.loop = loop
        self._sealer = a_sealer()
        self.authority = Authority(a_directory(*ROLES.values()), self._sealer)
        self.api: QueuesApi = loop.run(self._make(options))
        self.url = ""

    async def _make(self, options: Mapping[str, Any]) -> QueuesApi:
        state = MemoryState()
        self._running = Replica(state).running()
        self.state = state
        copy = self.copy = await self._running.__aenter__()
        self.broker = Broker(Registry(copy, state), MemoryShelves(most=options.pop("most", 1000)))  # type: ignore[attr-defined]
        self._moving = Moves(self.broker).running()
        options = {"moves": await self._moving.__aenter__(), **options}
        return QueuesApi(self.authority, self.broker, Receipts(MASTER_KEY), region=REGION, **options)

    def close(self) -> None:
        async def end() -> None:
            await self._moving.__aexit__(None, None, None)
            await self.broker.stop()
            await self._running.__aexit__(None, None, None)

        self.loop.run(end())

    def client(self, role: str = "owner", service: str = "sqs", url: str = "", **settings: Any) -> Any:
        credentials = self._sealer.issue(a_session(ROLES[role], now=utc_now().replace(microsecond=0)))
        keys: dict[str, str] = {
            "aws_access_key_id": credentials.access_key_id,
            "aws_secret_access_key": credentials.secret_access_key,
            "aws_session_token": credentials.session_token,
        }
        keys.update(settings)
        config = Config(retries={"total_max_attempts": 1}, parameter_validation=False)
        return SESSION.client(service, region_name=REGION, endpoint_url=url or self.url, config=config, **keys)


def filled(value: Any, names: Mapping[str, Any]) -> Any:
    """`$name` replaced, within texts too; a text that is one name takes its value."""
    match value:
        case str() if value.startswith("$") and value[1:] in names:
            return names[value[1:]]
        case str():
            for name in sorted(names, key=len, reverse=True):
                value = value.replace(f"${name}", str(names[name]))
            return value
        case {"json": content}:
            return json.dumps(filled(content, names))
        case {"times": count, "of": text}:
            return text * count
        case dict():
            return {filled(key, names): filled(item, names) for key, item in value.items()}
        case list():
            return [filled(item, names) for item in value]
        case _:
            return value


def contains(found: Any, wanted: Any) -> bool:
    """Each member that is wanted is there with its value; `ANY` is anything, null nothing at all."""
    if wanted == "ANY":
        return found is not None
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(contains(found.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(found) == len(wanted)
            and all(contains(item, value) for item, value in zip(found, wanted, strict=True))
        )
    if isinstance(wanted, str) and isinstance(found, bytes):
        return found == wanted.encode()
    return bool(found == wanted)


def dig(found: Any, path: str) -> Any:
    for part in path.split("."):
        found = found[int(part)] if isinstance(found, list) else found[part]
    return found


def now_ms() -> int:
    return int(time.time() * 1000)
