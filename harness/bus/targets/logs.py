"""A log group as a target: what the target gets of each event, a line of it."""

from harness.bus.routes import Route
from harness.bus.store import Delivery, Record, Store
from harness.bus.targets.delivery import Failure, of_another_account


class LogDelivery:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def __call__(self, route: Route, delivery: Delivery) -> Failure | None:
        refused = of_another_account(route, "logs:PutLogEvents")
        if refused is not None:
            return refused
        await self._store.log(log_group(route.target.arn), [Record(delivery.id, delivery.body)])
        return None


def log_group(arn: str) -> str:
    """CloudWatch writes the ARN of a group with and without `:*`."""
    return arn.removesuffix(":*")
