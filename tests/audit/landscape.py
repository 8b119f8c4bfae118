"""A gateway whose calls are recorded and explained, with policies that a case gives."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from harness.access import Authority
from harness.audit.explanation import Explainer, KnownApi, Landscape
from harness.audit.record import Scribe
from harness.audit.recorder import Recorder
from harness.gateway.api import Api, Stage
from harness.gateway.edge import Edge
from harness.gateway.routes import RouteTable
from harness.identity import Role
from harness.policy import PolicyKind, compile_document
from harness.sts.api import StsApi
from harness.wire import Handler, HttpRequest
from tests.access.landscape import NOON, ORDERS, REGION, a_directory, a_sealer, text_of
from tests.gateway.asking import Address, Got, send
from tests.gateway.landscape import API_ARN, CONTRACT, PLACES, UPSTREAM, WORKBENCH_ADDRESS, Recorded


@dataclass
class Kept:
    """A store in memory."""

    lines: list[bytes] = field(default_factory=list)
    working: bool = True

    async def append(self, lines: Sequence[bytes]) -> bool:
        if self.working:
            self.lines += lines
        return self.working

    async def read(self, since: datetime | None = None) -> AsyncGenerator[bytes, None]:
        for line in list(self.lines):
            yield line

    async def find(self, needle: bytes, since: datetime | None = None) -> AsyncGenerator[bytes, None]:
        for line in list(self.lines):
            if needle in line:
                yield line


class Audited:
    """One API of ORDERS behind an edge that records; `resource`: the statements of its policy."""

    def __init__(
        self, *roles: Role, resource: Sequence[Mapping[str, Any]] = (), now: datetime = NOON, **services: Handler
    ) -> None:
        policy = compile_document(
            text_of(*resource), kind=PolicyKind.RESOURCE, name="api", file="api.json", api_arn=API_ARN
        )
        api = Api("orders", ORDERS, policy, {"v2": Stage("v2", RouteTable.from_openapi(CONTRACT))}, UPSTREAM)
        self.sealer = a_sealer()
        self.authority = Authority(a_directory(*roles), self.sealer, clock=lambda: now)
        self.kept = Kept()
        self.recorder = Recorder(Scribe(self.authority, self.sealer, {"orders": ORDERS}).lines, self.kept.append)
        self.sts = StsApi(self.authority, self.sealer, self.authority.directory, clock=lambda: now)
        self.client = Recorded()
        self.edge = Edge(
            apis={"orders": api},
            services={"sts": self.sts, **services},
            places=PLACES,
            authority=self.authority,
            region=REGION,
            client=self.client,
            clock=lambda: now,
            recorder=self.recorder,
        )
        routes = tuple((route.method, route.template) for route in api.stages["v2"].routes.routes)
        self.explainer = Explainer(Landscape(self.authority, {"orders": KnownApi(ORDERS, policy, {"v2": routes})}))

    def send(self, request: HttpRequest, address: Address = WORKBENCH_ADDRESS, **scope: Any) -> Got:
        return send(self.edge, request, address=address, **scope)

    def records(self) -> list[dict[str, Any]]:
        asyncio.run(self.recorder.flush())
        return [orjson.loads(line) for line in self.kept.lines]

    def explain(self) -> dict[str, Any]:
        """Of the latest call."""
        return self.explainer.explain(self.records()[-1])
