"""Layout 4: the sessions of a run, and a seal on runs that have stopped without an end."""

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """Who wrote earlier runs, and under which budget, is not known: `session` is empty, and runs that were left have no seal."""
    op.create_table(
        "session",
        sa.Column("run_id", sa.String(), sa.ForeignKey("run.id"), primary_key=True),
        sa.Column("ordinal", sa.Integer(), primary_key=True),
        sa.Column("started", sa.String(), nullable=False),
        sa.Column("ended", sa.String()),
        sa.Column("seconds", sa.Float()),
        sa.Column("status", sa.String()),
        sa.Column("reason", sa.Text()),
        sa.Column("budget_usd", sa.Float()),
        sa.Column("budget_tokens", sa.BigInteger()),
        sa.Column("budget_minutes", sa.Float()),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
    )
