"""Layout 2: what a message announces beside its words, and the prices a run was charged at."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Of earlier runs neither is known: nothing was announced but words, and `price` is empty."""
    op.add_column("message", sa.Column("announced", sa.Float()))
    op.add_column("message", sa.Column("announced_text", sa.String()))
    op.create_table(
        "price",
        sa.Column("run_id", sa.String(), sa.ForeignKey("run.id"), primary_key=True),
        sa.Column("model", sa.String(), primary_key=True),
        sa.Column("since", sa.String(), primary_key=True),
        sa.Column("input", sa.Float(), nullable=False),
        sa.Column("output", sa.Float(), nullable=False),
        sa.Column("cached", sa.Float()),
        sa.Column("as_of", sa.String()),
    )
