"""Attendance."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "attendance_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "present",
                "absent",
                "excused",
                "walk_in",
                "head_count",
                "void",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("resident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("voids", sa.Uuid(), nullable=True),
        sa.Column("women", sa.Integer(), nullable=True),
        sa.Column("children", sa.Integer(), nullable=True),
        sa.Column("men", sa.Integer(), nullable=True),
        sa.Column("elders", sa.Integer(), nullable=True),
        sa.Column("disabled", sa.Integer(), nullable=True),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "(kind = 'head_count') = (women IS NOT NULL)", name=op.f("ck_attendance_events_head_count_has_counts")
        ),
        sa.CheckConstraint(
            "(kind = 'void') = (voids IS NOT NULL)", name=op.f("ck_attendance_events_void_names_what_it_voids")
        ),
        sa.CheckConstraint(
            "kind NOT IN ('present', 'absent', 'excused') OR resident_id IS NOT NULL",
            name=op.f("ck_attendance_events_state_of_someone"),
        ),
        sa.CheckConstraint(
            "women IS NULL OR (women >= 0 AND children >= 0 AND men >= 0 AND elders >= 0 AND disabled >= 0 AND elders <= women + men AND disabled <= women + children + men)",
            name=op.f("ck_attendance_events_counts_add_up"),
        ),
        sa.ForeignKeyConstraint(["recorded_by"], ["users.id"], name=op.f("fk_attendance_events_recorded_by_users")),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["residents.id"], name=op.f("fk_attendance_events_resident_id_residents")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["activity_sessions.id"], name=op.f("fk_attendance_events_session_id_activity_sessions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_events")),
    )
    op.create_index(op.f("ix_attendance_events_resident_id"), "attendance_events", ["resident_id"], unique=False)
    op.create_index(
        "ix_attendance_events_session_resident", "attendance_events", ["session_id", "resident_id"], unique=False
    )
    op.create_table(
        "attendances",
        sa.Column("session_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("resident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "state",
            sa.Enum("present", "absent", "excused", name="state", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("walk_in", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["event_id"], ["attendance_events.id"], name=op.f("fk_attendances_event_id_attendance_events")
        ),
        sa.ForeignKeyConstraint(["recorded_by"], ["users.id"], name=op.f("fk_attendances_recorded_by_users")),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name=op.f("fk_attendances_resident_id_residents")),
        sa.ForeignKeyConstraint(
            ["session_id"], ["activity_sessions.id"], name=op.f("fk_attendances_session_id_activity_sessions")
        ),
        sa.PrimaryKeyConstraint("session_id", "resident_id", name=op.f("pk_attendances")),
    )
    op.create_index(op.f("ix_attendances_resident_id"), "attendances", ["resident_id"], unique=False)
    op.create_table(
        "head_counts",
        sa.Column(
            "session_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("women", sa.Integer(), nullable=False),
        sa.Column("children", sa.Integer(), nullable=False),
        sa.Column("men", sa.Integer(), nullable=False),
        sa.Column("elders", sa.Integer(), nullable=False),
        sa.Column("disabled", sa.Integer(), nullable=False),
        sa.Column("unnamed_walk_ins", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "women >= 0 AND children >= 0 AND men >= 0 AND elders >= 0 AND disabled >= 0 AND elders <= women + men AND disabled <= women + children + men AND unnamed_walk_ins >= 0",
            name=op.f("ck_head_counts_counts_add_up"),
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["activity_sessions.id"], name=op.f("fk_head_counts_session_id_activity_sessions")
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_head_counts")),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("""CREATE OR REPLACE FUNCTION huimin_never_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, MESSAGE = TG_NAME;
END $$""")
        op.execute(
            """CREATE TRIGGER attendance_events_never_updated BEFORE UPDATE ON attendance_events FOR EACH ROW EXECUTE FUNCTION huimin_never_changed()"""
        )
        op.execute(
            """CREATE TRIGGER attendance_events_never_deleted BEFORE DELETE ON attendance_events FOR EACH ROW EXECUTE FUNCTION huimin_never_changed()"""
        )
    else:
        op.execute(
            """CREATE TRIGGER attendance_events_never_updated BEFORE UPDATE ON attendance_events BEGIN SELECT RAISE(ABORT, 'attendance_events_never_updated'); END"""
        )
        op.execute(
            """CREATE TRIGGER attendance_events_never_deleted BEFORE DELETE ON attendance_events BEGIN SELECT RAISE(ABORT, 'attendance_events_never_deleted'); END"""
        )


def downgrade() -> None:
    op.drop_table("head_counts")
    op.drop_table("attendances")
    op.drop_table("attendance_events")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION huimin_never_changed()")
