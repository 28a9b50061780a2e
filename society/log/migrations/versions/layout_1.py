"""Layout 1: where every log begins."""

revision = "1"
down_revision = None


def upgrade() -> None:
    """Nothing: a log of layout 1 was made as a whole."""
