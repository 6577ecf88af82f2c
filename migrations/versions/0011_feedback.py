"""What follows a session: who did not come, and what people say of it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("booking_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_feedback_rating_within_scale")),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_feedback_booking_id_bookings")),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_feedback")),
    )
    op.add_column("activity_sessions", sa.Column("feedback_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_activity_sessions_end", "activity_sessions", ["ends_at"], unique=False)
