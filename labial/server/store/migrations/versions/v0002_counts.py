"""Totals, and which workers there are."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "totals",
        *(
            sa.Column(name, sa.Text, primary_key=True)
            for name in ("name", "kind", "outcome", "bound")
        ),
        sa.Column("value", sa.Float, nullable=False),
    )
    op.create_table(
        "workers",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("seen", sa.DateTime(timezone=True), nullable=False),
    )
