"""One order to read from the start, which the contracts' examples name. It was rejected, so it reserves nothing."""

from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

SAMPLE = UUID("0195a5e4-8f7e-7c3a-9d52-6b1f0c2e4a10")


def upgrade() -> None:
    orders = sa.table(
        "orders",
        sa.column("id", sa.Uuid()),
        sa.column("status", sa.Text()),
        sa.column("rejection_reason", sa.Text()),
        sa.column("placed_at", sa.DateTime(timezone=True)),
    )
    lines = sa.table(
        "order_lines",
        sa.column("order_id", sa.Uuid()),
        sa.column("number", sa.Integer()),
        sa.column("sku", sa.Text()),
        sa.column("quantity", sa.Integer()),
        sa.column("available_at_placement", sa.BigInteger()),
    )
    placed_at = datetime(2026, 1, 15, 12, tzinfo=UTC)
    order = {"id": SAMPLE, "status": "rejected", "rejection_reason": "insufficient-stock", "placed_at": placed_at}
    line = {"order_id": SAMPLE, "number": 1, "sku": "lamp-brass", "quantity": 4, "available_at_placement": 3}
    op.bulk_insert(orders, [order])
    op.bulk_insert(lines, [line])


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM orders WHERE id = :id").bindparams(id=SAMPLE))
