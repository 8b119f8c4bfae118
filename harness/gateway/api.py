"""What the gateway knows of an API: whose it is, who may call it, where its stages go."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.gateway.routes import RouteTable
from harness.policy.document import Document


@dataclass(frozen=True, slots=True)
class Stage:
    """A major version that is live. `name` is the first segment of every path (`v2`)."""

    name: str
    routes: RouteTable


@dataclass(frozen=True, slots=True)
class Api:
    """`id` is the domain's name, `account` its owner's twelve digits, `upstream` the container (`http://host:port`).

    `private`: reachable through VPC endpoints only, never from the public internet.
    """

    id: str
    account: str
    resource_policy: Document
    stages: Mapping[str, Stage]
    upstream: str
    private: bool = True
