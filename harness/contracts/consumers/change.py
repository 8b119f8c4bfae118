"""A contract before and after."""

from dataclasses import dataclass

from harness.contracts.consumers.provider import ApiContract, Operation
from harness.contracts.consumers.subscriptions import Published
from harness.contracts.usage import Call


@dataclass(frozen=True, slots=True)
class ApiChange:
    """One version of an API before and after; None where it is not there."""

    version: str
    old: ApiContract | None
    new: ApiContract | None

    def of(self, call: Call) -> tuple[Operation | None, Operation | None]:
        """The operation before and after."""
        old, new = (
            contract.operation(call.method, call.path) if contract else None for contract in (self.old, self.new)
        )
        return old, new


@dataclass(frozen=True, slots=True)
class EventChange:
    """One event before and after; None where nobody publishes it."""

    detail_type: str
    old: Published | None
    new: Published | None
