"""Layout 3: a try that was sent and brought no answer counts among those that may have been billed."""

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Only a view and what columns are said to hold are new, and they follow by themselves."""
