"""No-shows: the district's rule, exemptions, what was told, appeals; and pauses from booking in advance."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    big_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    no_show = sa.text("state = 'no_show'")
    op.create_index(
        "ix_bookings_no_shows", "bookings", ["starts_at"], unique=False, postgresql_where=no_show, sqlite_where=no_show
    )
    op.create_table(
        "booking_pauses",
        sa.Column("id", big_id, nullable=False),
        sa.Column("resident_id", big_id, nullable=False),
        sa.Column("programme_id", big_id, nullable=False),
        sa.Column("booking_id", big_id, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("since < until", name=op.f("ck_booking_pauses_since_before_until")),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name=op.f("fk_booking_pauses_resident_id_residents")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_booking_pauses_programme_id_programmes")
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_booking_pauses_booking_id_bookings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_pauses")),
        sa.UniqueConstraint("booking_id", name=op.f("uq_booking_pauses_booking_id")),
    )
    op.create_index(
        "ix_booking_pauses_in_force", "booking_pauses", ["resident_id", "programme_id", "until"], unique=False
    )
    op.create_table(
        "no_show_rules",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("within_days", sa.Integer(), nullable=False),
        sa.Column("warn_at", sa.Integer(), nullable=False),
        sa.Column("pause_at", sa.Integer(), nullable=False),
        sa.Column("pause_days", sa.Integer(), nullable=False),
        sa.Column("exempt_disabled", sa.Boolean(), nullable=False),
        sa.Column("counts_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", big_id, nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_no_show_rules_only_one")),
        sa.CheckConstraint("within_days BETWEEN 7 AND 180", name=op.f("ck_no_show_rules_within_days")),
        sa.CheckConstraint(
            "1 <= warn_at AND warn_at < pause_at AND pause_at <= 20", name=op.f("ck_no_show_rules_pause_after_warning")
        ),
        sa.CheckConstraint("pause_days BETWEEN 1 AND 180", name=op.f("ck_no_show_rules_pause_days")),
        sa.CheckConstraint("is_on = (counts_from IS NOT NULL)", name=op.f("ck_no_show_rules_on_since")),
        sa.ForeignKeyConstraint(
            ["changed_by"], ["users.id"], name=op.f("fk_no_show_rules_changed_by_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_no_show_rules")),
    )
    op.create_table(
        "no_show_exemptions",
        sa.Column("id", big_id, nullable=False),
        sa.Column("resident_id", big_id, nullable=False),
        sa.Column(
            "ground",
            sa.Enum(
                "illness", "disability", "other", name="ground", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=True),
        sa.Column("granted_by", big_id, nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "until_day IS NULL OR from_day <= until_day", name=op.f("ck_no_show_exemptions_days_in_order")
        ),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["residents.id"], name=op.f("fk_no_show_exemptions_resident_id_residents")
        ),
        sa.ForeignKeyConstraint(
            ["granted_by"], ["users.id"], name=op.f("fk_no_show_exemptions_granted_by_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_no_show_exemptions")),
    )
    op.create_index(
        op.f("ix_no_show_exemptions_resident_id"), "no_show_exemptions", ["resident_id"], unique=False
    )
    op.create_table(
        "no_shows_told",
        sa.Column("booking_id", big_id, autoincrement=False, nullable=False),
        sa.Column(
            "what",
            sa.Enum("warned", "paused", name="what", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_no_shows_told_booking_id_bookings")),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_no_shows_told")),
    )
    op.create_table(
        "no_show_appeals",
        sa.Column("booking_id", big_id, autoincrement=False, nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("made_by", big_id, nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "answer",
            sa.Enum("accepted", "refused", name="answer", native_enum=False, create_constraint=True, length=32),
            nullable=True,
        ),
        sa.Column("reply", sa.String(length=500), nullable=True),
        sa.Column("answered_by", big_id, nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(answer IS NULL) = (answered_at IS NULL)", name=op.f("ck_no_show_appeals_answered_with_its_time")
        ),
        sa.CheckConstraint(
            "answer IS NOT NULL OR (reply IS NULL AND answered_by IS NULL)",
            name=op.f("ck_no_show_appeals_reply_with_an_answer"),
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_no_show_appeals_booking_id_bookings")),
        sa.ForeignKeyConstraint(
            ["made_by"], ["users.id"], name=op.f("fk_no_show_appeals_made_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["users.id"], name=op.f("fk_no_show_appeals_answered_by_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("booking_id", name=op.f("pk_no_show_appeals")),
    )
    unanswered = sa.text("answer IS NULL")
    op.create_index(
        "ix_no_show_appeals_open",
        "no_show_appeals",
        ["booking_id"],
        unique=False,
        postgresql_where=unanswered,
        sqlite_where=unanswered,
    )
