"""Uploads, jobs, tokens, and what is to be told."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "uploads",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("holds", sa.Text),
        sa.Column("extension", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("sha256", sa.Text),
        sa.Column("created", moment, nullable=False),
        sa.Column("expires", moment),
    )
    op.create_index("uploads_of_owner", "uploads", ["owner", "number"])
    op.create_index("uploads_expire", "uploads", ["expires"])
    op.create_table(
        "jobs",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("progress", sa.JSON, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("most_attempts", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("result", sa.JSON),
        sa.Column("estimate", sa.Float),
        sa.Column("created", moment, nullable=False),
        sa.Column("started", moment),
        sa.Column("finished", moment),
        sa.Column("expires", moment),
        sa.Column("webhook", sa.JSON),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("cancelling", sa.Boolean, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("worker", sa.Text),
        sa.Column("due", moment, nullable=False),
        sa.UniqueConstraint("owner", "key", name="jobs_key"),
    )
    op.create_index("jobs_of_owner", "jobs", ["owner", "number"])
    op.create_index("jobs_in_state", "jobs", ["state", "owner", "number"])
    op.create_index("jobs_expire", "jobs", ["expires"])
    job = sa.ForeignKey("jobs.id", ondelete="CASCADE")
    op.create_table(
        "uses",
        sa.Column("job", sa.Text, job, primary_key=True),
        sa.Column("upload", sa.Text, primary_key=True),
    )
    op.create_index("uses_of_upload", "uses", ["upload"])
    op.create_table(
        "owners",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("served", moment),
    )
    op.create_table(
        "tokens",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("id", sa.Text, nullable=False, unique=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False, unique=True),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("limits", sa.JSON, nullable=False),
        sa.Column("running", sa.Integer),
        sa.Column("created", moment, nullable=False),
        sa.Column("expires", moment),
        sa.Column("revoked", moment),
    )
    op.create_index("tokens_of_owner", "tokens", ["owner"])
    op.create_table(
        "outbox",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("job", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("secret", sa.Text),
        sa.Column("payload", sa.JSON, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("created", moment, nullable=False),
        sa.Column("due", moment),
    )
    op.create_index("outbox_due", "outbox", ["due"])


def downgrade() -> None:
    """Remove them."""
    for table in ("outbox", "tokens", "owners", "uses", "jobs", "uploads"):
        op.drop_table(table)
