"""What somebody has looked at and said is right: numbers of people there, and records that are not one person's."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    big_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "quality_accepted",
        sa.Column("session_id", big_id, autoincrement=False, nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column(
            "why",
            sa.Enum(
                "open_event", "larger_place", "in_turns", "other",
                name="why", native_enum=False, create_constraint=True, length=32,
            ),
            nullable=False,
        ),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_by", big_id, nullable=True),
        sa.CheckConstraint("people > 0", name=op.f("ck_quality_accepted_people_above_zero")),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["activity_sessions.id"],
            name=op.f("fk_quality_accepted_session_id_activity_sessions"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["accepted_by"], ["users.id"], name=op.f("fk_quality_accepted_accepted_by_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_quality_accepted")),
    )
    op.create_table(
        "different_persons",
        sa.Column("first_id", big_id, autoincrement=False, nullable=False),
        sa.Column("second_id", big_id, autoincrement=False, nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("said_by", big_id, nullable=True),
        sa.CheckConstraint("first_id < second_id", name=op.f("ck_different_persons_in_order")),
        sa.ForeignKeyConstraint(["first_id"], ["residents.id"], name=op.f("fk_different_persons_first_id_residents")),
        sa.ForeignKeyConstraint(["second_id"], ["residents.id"], name=op.f("fk_different_persons_second_id_residents")),
        sa.ForeignKeyConstraint(
            ["said_by"], ["users.id"], name=op.f("fk_different_persons_said_by_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("first_id", "second_id", name=op.f("pk_different_persons")),
    )
    op.create_index(op.f("ix_different_persons_second_id"), "different_persons", ["second_id"], unique=False)
