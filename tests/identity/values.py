"""A role, a master key and an instant that the tests of identity share."""

from datetime import UTC, datetime

from harness.identity import Role, role_id
from harness.policy import Document, PolicyKind

NOON = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
MASTER_KEY = bytes(range(32))
ENTROPY = b"\x01\x02\x03\x04\x05"
ORDERS = "111111111111"


def a_role(name: str = "orders", *, tags: dict[str, str] | None = None, path: str = "/") -> Role:
    trust = Document(name="trust", kind=PolicyKind.TRUST, text="{}")
    return Role(ORDERS, name, role_id(ORDERS, name), trust=trust, tags=tags or {}, path=path)
