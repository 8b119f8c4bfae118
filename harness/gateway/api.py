"""What the gateway knows of an API: whose it is, who may call it, where its stages go."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.gateway.limits import UNLIMITED, Limit, Throttling
from harness.gateway.routes import RouteTable
from harness.policy.document import Document
from harness.wire import INTEGRATION_TIMEOUT_SECONDS


@dataclass(frozen=True, slots=True)
class Stage:
    """A major version that is live. `name` is the first segment of every path (`v2`)."""

    name: str
    routes: RouteTable
    throttling: Throttling = UNLIMITED


@dataclass(frozen=True, slots=True)
class Api:
    """`id` is the domain's name, `account` its owner's twelve digits, `upstream` the container (`http://host:port`).

    `private`: reachable through VPC endpoints only, never from the public internet. `domain_name`: its private custom
    domain name, or empty. `timeout`: seconds that the container has for an answer, from its connection to its last
    byte. `account_limit`: of all APIs of the account.
    """

    id: str
    account: str
    resource_policy: Document
    stages: Mapping[str, Stage]
    upstream: str
    private: bool = True
    timeout: float = INTEGRATION_TIMEOUT_SECONDS
    throttling: Throttling = UNLIMITED
    account_limit: Limit | None = None
    domain_name: str = ""

    @property
    def limited(self) -> bool:
        """Whether any number of requests could be too many."""
        settings = (self.throttling, *(stage.throttling for stage in self.stages.values()))
        return self.account_limit is not None or any(each != UNLIMITED for each in settings)
