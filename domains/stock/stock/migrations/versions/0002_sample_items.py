"""What the sample landscape has in stock: plenty of most things, three brass lamps, and no globe."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ITEMS = {"chair-oak": 1_000_000, "table-oak": 1_000_000, "shelf-pine": 1_000_000, "lamp-brass": 3, "globe-antique": 0}


def upgrade() -> None:
    items = sa.table("items", sa.column("sku", sa.Text()), sa.column("on_hand", sa.Integer()))
    op.bulk_insert(items, [{"sku": sku, "on_hand": on_hand} for sku, on_hand in ITEMS.items()])


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM items WHERE sku = ANY(:skus)").bindparams(skus=list(ITEMS)))
