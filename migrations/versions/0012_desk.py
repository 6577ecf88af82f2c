"""The desk: late, in and out, why an entry was taken back; rules for entering late, reopened days, posters."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

KINDS = ("present", "absent", "excused", "walk_in", "leave", "head_count", "void")
REASONS = ("mistake", "wrong_person", "counted_twice", "was_not_there", "wrong_time")


def _big_id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _drop_triggers() -> None:
    on = " ON attendance_events" if op.get_bind().dialect.name == "postgresql" else ""
    for verb in ("updated", "deleted"):
        op.execute(f"DROP TRIGGER attendance_events_never_{verb}{on}")


def _create_triggers() -> None:
    for verb in ("UPDATE", "DELETE"):
        name = f"attendance_events_never_{verb.lower()}d"
        does = (
            "FOR EACH ROW EXECUTE FUNCTION huimin_never_changed()"
            if op.get_bind().dialect.name == "postgresql"
            else f"BEGIN SELECT RAISE(ABORT, '{name}'); END"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {verb} ON attendance_events {does}")


def upgrade() -> None:
    # SQLite makes these tables anew: nothing may point at the log meanwhile, and its triggers go with it
    refers = op.f("fk_attendances_event_id_attendance_events")
    _drop_triggers()
    with op.batch_alter_table("attendances") as attendances:
        attendances.drop_constraint(refers, type_="foreignkey")
        attendances.add_column(sa.Column("late", sa.Boolean(), server_default=sa.false(), nullable=False))
        attendances.add_column(sa.Column("minutes", sa.Integer(), nullable=True))
        attendances.create_check_constraint(
            op.f("ck_attendances_time_of_who_came"), "state = 'present' OR (NOT late AND minutes IS NULL)"
        )
        attendances.create_check_constraint(op.f("ck_attendances_minutes_from_zero"), "minutes >= 0")
    with op.batch_alter_table("attendance_events") as events:
        events.drop_constraint(op.f("ck_attendance_events_kind"), type_="check")
        events.drop_constraint(op.f("ck_attendance_events_state_of_someone"), type_="check")
        events.add_column(sa.Column("reason", sa.String(length=32), nullable=True))
        events.add_column(sa.Column("late", sa.Boolean(), server_default=sa.false(), nullable=False))
        events.create_check_constraint(op.f("ck_attendance_events_kind"), sa.column("kind").in_(KINDS))
        events.create_check_constraint(op.f("ck_attendance_events_reason"), sa.column("reason").in_(REASONS))
        events.create_check_constraint(
            op.f("ck_attendance_events_state_of_someone"),
            "kind NOT IN ('present', 'absent', 'excused', 'leave') OR resident_id IS NOT NULL",
        )
        events.create_check_constraint(
            op.f("ck_attendance_events_late_who_came"), "kind IN ('present', 'walk_in') OR NOT late"
        )
        events.create_check_constraint(
            op.f("ck_attendance_events_reason_of_a_void"), "kind = 'void' OR reason IS NULL"
        )
    with op.batch_alter_table("attendances") as attendances:
        attendances.create_foreign_key(refers, "attendance_events", ["event_id"], ["id"])
    _create_triggers()
    op.add_column("programmes", sa.Column("records_time", sa.Boolean(), server_default=sa.false(), nullable=False))
    _rules_days_and_posters()


def _rules_days_and_posters() -> None:
    op.create_table(
        "attendance_rules",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("manager_days", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", _big_id(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_attendance_rules_only_one")),
        sa.CheckConstraint("manager_days BETWEEN 1 AND 365", name=op.f("ck_attendance_rules_manager_days")),
        sa.ForeignKeyConstraint(
            ["changed_by"], ["users.id"], name=op.f("fk_attendance_rules_changed_by_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attendance_rules")),
    )
    op.create_table(
        "reopened_days",
        sa.Column("id", _big_id(), nullable=False),
        sa.Column("facility_id", _big_id(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("reopened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reopened_by", _big_id(), nullable=True),
        sa.CheckConstraint("reopened_at < until", name=op.f("ck_reopened_days_reopened_before_it_ends")),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["facilities.id"], name=op.f("fk_reopened_days_facility_id_facilities")
        ),
        sa.ForeignKeyConstraint(
            ["reopened_by"], ["users.id"], name=op.f("fk_reopened_days_reopened_by_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reopened_days")),
    )
    op.create_index("ix_reopened_days_facility_day", "reopened_days", ["facility_id", "day"])
    op.create_index("ix_reopened_days_until", "reopened_days", ["until"])
    op.create_table(
        "posters",
        sa.Column("facility_id", _big_id(), autoincrement=False, nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", _big_id(), nullable=True),
        sa.ForeignKeyConstraint(["facility_id"], ["facilities.id"], name=op.f("fk_posters_facility_id_facilities")),
        sa.ForeignKeyConstraint(
            ["made_by"], ["users.id"], name=op.f("fk_posters_made_by_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("facility_id", name=op.f("pk_posters")),
        sa.UniqueConstraint("code", name=op.f("uq_posters_code")),
    )
