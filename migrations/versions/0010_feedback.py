"""What follows a session: who did not come, and what people say of it."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0007"


def upgrade() -> None:
    op.create_index("ix_activity_sessions_end", "activity_sessions", ["ends_at"], unique=False)
