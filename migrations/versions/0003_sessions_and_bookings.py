"""Sessions and bookings."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "programmes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=True),
        sa.Column(
            "facility_kind",
            sa.Enum(
                "yuhao_space",
                "yuxin_home",
                "doctor_station",
                "parking_lot",
                "childcare",
                "school",
                "park",
                "training_centre",
                "other",
                name="facility_kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("summary", sa.String(length=400), nullable=True),
        sa.Column("summary_en", sa.String(length=600), nullable=True),
        sa.Column("per_resident_per_week", sa.Integer(), nullable=True),
        sa.Column("per_household_per_session", sa.Integer(), nullable=True),
        sa.Column("min_age", sa.Integer(), nullable=True),
        sa.Column("max_age", sa.Integer(), nullable=True),
        sa.Column(
            "sex",
            sa.Enum("female", "male", name="sex", native_enum=False, create_constraint=True, length=32),
            nullable=True,
        ),
        sa.Column("disability", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("communities", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint(
            "(min_age IS NULL OR min_age >= 0) AND (max_age IS NULL OR max_age >= coalesce(min_age, 0))",
            name=op.f("ck_programmes_ages_in_order"),
        ),
        sa.CheckConstraint("per_household_per_session > 0", name=op.f("ck_programmes_per_household_per_session")),
        sa.CheckConstraint("per_resident_per_week > 0", name=op.f("ck_programmes_per_resident_per_week")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programmes")),
    )
    op.create_index("uq_programmes_name", "programmes", ["name"], unique=True)
    op.create_table(
        "series",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("programme_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("facility_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("title_en", sa.String(length=120), nullable=True),
        sa.Column("details", sa.String(length=1000), nullable=True),
        sa.Column("rrule", sa.String(length=200), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("duration_minutes", sa.Integer(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column(
            "on_rest_days",
            sa.Enum("hold", "skip", name="on_rest_days", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("min_age", sa.Integer(), nullable=True),
        sa.Column("max_age", sa.Integer(), nullable=True),
        sa.Column(
            "sex",
            sa.Enum("female", "male", name="sex", native_enum=False, create_constraint=True, length=32),
            nullable=True,
        ),
        sa.Column("disability", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("communities", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint(
            "(min_age IS NULL OR min_age >= 0) AND (max_age IS NULL OR max_age >= coalesce(min_age, 0))",
            name=op.f("ck_series_ages_in_order"),
        ),
        sa.CheckConstraint("capacity > 0", name=op.f("ck_series_capacity_above_zero")),
        sa.CheckConstraint("duration_minutes > 0", name=op.f("ck_series_duration_above_zero")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_series_created_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["facility_id", "space_id"], ["spaces.facility_id", "spaces.id"], name="fk_series_space_in_the_facility"
        ),
        sa.ForeignKeyConstraint(["facility_id"], ["facilities.id"], name=op.f("fk_series_facility_id_facilities")),
        sa.ForeignKeyConstraint(["programme_id"], ["programmes.id"], name=op.f("fk_series_programme_id_programmes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
    )
    op.create_index(op.f("ix_series_facility_id"), "series", ["facility_id"], unique=False)
    op.create_table(
        "left_out_dates",
        sa.Column("series_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["series_id"], ["series.id"], name=op.f("fk_left_out_dates_series_id_series"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("series_id", "starts_at", name=op.f("pk_left_out_dates")),
    )
    op.create_table(
        "draws",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("facility_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("entries_close_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("commitment", sa.String(length=64), nullable=False),
        sa.Column("weights", sa.JSON(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint(
            "drawn_at IS NULL OR drawn_at >= entries_close_at", name=op.f("ck_draws_drawn_after_entries_close")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_draws_created_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["facility_id"], ["facilities.id"], name=op.f("fk_draws_facility_id_facilities")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draws")),
        sa.UniqueConstraint("reference", name=op.f("uq_draws_reference")),
    )
    op.create_index(op.f("ix_draws_facility_id"), "draws", ["facility_id"], unique=False)
    op.create_table(
        "activity_sessions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("programme_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("facility_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("title", sa.String(length=80), nullable=False),
        sa.Column("title_en", sa.String(length=120), nullable=True),
        sa.Column("details", sa.String(length=1000), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("places_taken", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "scheduled", "cancelled", "held", name="status", native_enum=False, create_constraint=True, length=32
            ),
            nullable=False,
        ),
        sa.Column("booking_opens_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("booking_closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancellation_closes_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.String(length=200), nullable=True),
        sa.Column(
            "waitlist_mode",
            sa.Enum(
                "confirm", "offer", "off", name="waitlist_mode", native_enum=False, create_constraint=True, length=32
            ),
            server_default="confirm",
            nullable=False,
        ),
        sa.Column("waitlist_capacity", sa.Integer(), nullable=True),
        sa.Column("offer_minutes", sa.Integer(), nullable=True),
        sa.Column("waiting", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("series_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("occurs_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("draw_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("awaits_draw", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("min_age", sa.Integer(), nullable=True),
        sa.Column("max_age", sa.Integer(), nullable=True),
        sa.Column(
            "sex",
            sa.Enum("female", "male", name="sex", native_enum=False, create_constraint=True, length=32),
            nullable=True,
        ),
        sa.Column("disability", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("communities", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'cancelled') = (cancelled_at IS NOT NULL)",
            name=op.f("ck_activity_sessions_cancelled_with_its_time"),
        ),
        sa.CheckConstraint(
            "(min_age IS NULL OR min_age >= 0) AND (max_age IS NULL OR max_age >= coalesce(min_age, 0))",
            name=op.f("ck_activity_sessions_ages_in_order"),
        ),
        sa.CheckConstraint(
            "(series_id IS NULL) = (occurs_at IS NULL)", name=op.f("ck_activity_sessions_occurrence_of_its_series")
        ),
        sa.CheckConstraint("capacity > 0", name=op.f("ck_activity_sessions_capacity_above_zero")),
        sa.CheckConstraint("offer_minutes > 0", name=op.f("ck_activity_sessions_offer_minutes_above_zero")),
        sa.CheckConstraint(
            "places_taken BETWEEN 0 AND capacity", name=op.f("ck_activity_sessions_places_taken_within_capacity")
        ),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_activity_sessions_starts_before_it_ends")),
        sa.CheckConstraint(
            "waiting BETWEEN 0 AND coalesce(waitlist_capacity, waiting)",
            name=op.f("ck_activity_sessions_waiting_within_waitlist"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_activity_sessions_created_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["draw_id"], ["draws.id"], name=op.f("fk_activity_sessions_draw_id_draws")),
        sa.ForeignKeyConstraint(
            ["facility_id", "space_id"],
            ["spaces.facility_id", "spaces.id"],
            name="fk_activity_sessions_space_in_the_facility",
        ),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["facilities.id"], name=op.f("fk_activity_sessions_facility_id_facilities")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programmes.id"], name=op.f("fk_activity_sessions_programme_id_programmes")
        ),
        sa.ForeignKeyConstraint(["series_id"], ["series.id"], name=op.f("fk_activity_sessions_series_id_series")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activity_sessions")),
        sa.UniqueConstraint("id", "starts_at", "ends_at", name="uq_activity_sessions_id_span"),
    )
    op.create_index("ix_activity_sessions_draw", "activity_sessions", ["draw_id"], unique=False)
    op.create_index(
        "ix_activity_sessions_facility_start", "activity_sessions", ["facility_id", "starts_at"], unique=False
    )
    op.create_index(
        "ix_activity_sessions_programme_start", "activity_sessions", ["programme_id", "starts_at"], unique=False
    )
    op.create_index(op.f("ix_activity_sessions_space_id"), "activity_sessions", ["space_id"], unique=False)
    op.create_index("ix_activity_sessions_start", "activity_sessions", ["starts_at", "id"], unique=False)
    op.create_index(
        "uq_activity_sessions_series_occurs_at", "activity_sessions", ["series_id", "occurs_at"], unique=True
    )
    op.create_table(
        "reservations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("facility_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("resident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "state",
            sa.Enum("confirmed", "cancelled", name="state", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purpose", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reserved_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "(state = 'cancelled') = (cancelled_at IS NOT NULL)", name=op.f("ck_reservations_cancelled_with_its_time")
        ),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_reservations_starts_before_it_ends")),
        sa.ForeignKeyConstraint(
            ["facility_id", "space_id"],
            ["spaces.facility_id", "spaces.id"],
            name="fk_reservations_space_in_the_facility",
        ),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["facilities.id"], name=op.f("fk_reservations_facility_id_facilities")
        ),
        sa.ForeignKeyConstraint(
            ["reserved_by"], ["users.id"], name=op.f("fk_reservations_reserved_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name=op.f("fk_reservations_resident_id_residents")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservations")),
        sa.UniqueConstraint("id", "starts_at", "ends_at", name="uq_reservations_id_span"),
        sa.UniqueConstraint("reference", name=op.f("uq_reservations_reference")),
    )
    op.create_index(op.f("ix_reservations_facility_id"), "reservations", ["facility_id"], unique=False)
    op.create_index(op.f("ix_reservations_reserved_by"), "reservations", ["reserved_by"], unique=False)
    op.create_index("ix_reservations_resident_start", "reservations", ["resident_id", "starts_at"], unique=False)
    op.create_index("ix_reservations_space_span", "reservations", ["space_id", "ends_at", "starts_at"], unique=False)
    op.create_table(
        "occupancies",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("held_space_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("session_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("reservation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("(session_id IS NULL) <> (reservation_id IS NULL)", name=op.f("ck_occupancies_one_holder")),
        sa.ForeignKeyConstraint(["held_space_id"], ["spaces.id"], name=op.f("fk_occupancies_held_space_id_spaces")),
        sa.ForeignKeyConstraint(
            ["reservation_id", "starts_at", "ends_at"],
            ["reservations.id", "reservations.starts_at", "reservations.ends_at"],
            name="fk_occupancies_reservation_and_its_span",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["session_id", "starts_at", "ends_at"],
            ["activity_sessions.id", "activity_sessions.starts_at", "activity_sessions.ends_at"],
            name="fk_occupancies_session_and_its_span",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["space_id"], ["spaces.id"], name=op.f("fk_occupancies_space_id_spaces")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_occupancies")),
    )
    op.create_index(op.f("ix_occupancies_held_space_id"), "occupancies", ["held_space_id"], unique=False)
    op.create_index("ix_occupancies_space_span", "occupancies", ["space_id", "ends_at", "starts_at"], unique=False)
    op.create_index("uq_occupancies_reservation_space", "occupancies", ["reservation_id", "space_id"], unique=True)
    op.create_index("uq_occupancies_session_space", "occupancies", ["session_id", "space_id"], unique=True)
    op.create_table(
        "bookings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("session_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("resident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "confirmed",
                "waitlisted",
                "offered",
                "cancelled",
                "expired",
                "attended",
                "no_show",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("booked_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_reason", sa.String(length=200), nullable=True),
        sa.Column("party", sa.String(length=16), nullable=True),
        sa.Column("offer_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("override_reason", sa.String(length=200), nullable=True),
        sa.CheckConstraint(
            "(state = 'cancelled') = (cancelled_at IS NOT NULL)", name=op.f("ck_bookings_cancelled_with_its_time")
        ),
        sa.CheckConstraint(
            "state <> 'offered' OR offer_expires_at IS NOT NULL", name=op.f("ck_bookings_offered_until")
        ),
        sa.ForeignKeyConstraint(
            ["booked_by"], ["users.id"], name=op.f("fk_bookings_booked_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name=op.f("fk_bookings_resident_id_residents")),
        sa.ForeignKeyConstraint(
            ["session_id", "starts_at", "ends_at"],
            ["activity_sessions.id", "activity_sessions.starts_at", "activity_sessions.ends_at"],
            name="fk_bookings_session_and_its_span",
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bookings")),
        sa.UniqueConstraint("reference", name=op.f("uq_bookings_reference")),
    )
    op.create_index(op.f("ix_bookings_booked_by"), "bookings", ["booked_by"], unique=False)
    op.create_index(
        "ix_bookings_offers",
        "bookings",
        ["offer_expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'offered'"),
        sqlite_where=sa.text("state = 'offered'"),
    )
    op.create_index(
        "ix_bookings_queue",
        "bookings",
        ["session_id", "id"],
        unique=False,
        postgresql_where=sa.text("state = 'waitlisted'"),
        sqlite_where=sa.text("state = 'waitlisted'"),
    )
    op.create_index("ix_bookings_resident_span", "bookings", ["resident_id", "ends_at", "starts_at"], unique=False)
    op.create_index(
        "uq_bookings_one_live_for_a_resident_in_a_session",
        "bookings",
        ["session_id", "resident_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('confirmed', 'offered', 'attended', 'no_show', 'waitlisted')"),
        sqlite_where=sa.text("state IN ('confirmed', 'offered', 'attended', 'no_show', 'waitlisted')"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            """ALTER TABLE occupancies ADD CONSTRAINT ex_occupancies_space_never_held_twice EXCLUDE USING gist (space_id WITH =, tstzrange(starts_at, ends_at) WITH &&)"""
        )
    else:
        op.execute(
            """CREATE TRIGGER ex_occupancies_space_never_held_twice_insert AFTER INSERT ON occupancies BEGIN SELECT RAISE(ABORT, 'ex_occupancies_space_never_held_twice') WHERE EXISTS (SELECT 1 FROM occupancies AS other WHERE other.space_id = NEW.space_id AND other.id <> NEW.id AND other.starts_at < NEW.ends_at AND other.ends_at > NEW.starts_at); END"""
        )
        op.execute(
            """CREATE TRIGGER ex_occupancies_space_never_held_twice_update AFTER UPDATE ON occupancies BEGIN SELECT RAISE(ABORT, 'ex_occupancies_space_never_held_twice') WHERE EXISTS (SELECT 1 FROM occupancies AS other WHERE other.space_id = NEW.space_id AND other.id <> NEW.id AND other.starts_at < NEW.ends_at AND other.ends_at > NEW.starts_at); END"""
        )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            """ALTER TABLE bookings ADD CONSTRAINT ex_bookings_resident_never_in_two_places EXCLUDE USING gist (resident_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE (state IN ('confirmed', 'offered', 'attended', 'no_show'))"""
        )
    else:
        op.execute(
            """CREATE TRIGGER ex_bookings_resident_never_in_two_places_insert AFTER INSERT ON bookings WHEN NEW.state IN ('confirmed', 'offered', 'attended', 'no_show') BEGIN SELECT RAISE(ABORT, 'ex_bookings_resident_never_in_two_places') WHERE EXISTS (SELECT 1 FROM bookings AS other WHERE other.resident_id = NEW.resident_id AND other.state IN ('confirmed', 'offered', 'attended', 'no_show') AND other.id <> NEW.id AND other.starts_at < NEW.ends_at AND other.ends_at > NEW.starts_at); END"""
        )
        op.execute(
            """CREATE TRIGGER ex_bookings_resident_never_in_two_places_update AFTER UPDATE ON bookings WHEN NEW.state IN ('confirmed', 'offered', 'attended', 'no_show') BEGIN SELECT RAISE(ABORT, 'ex_bookings_resident_never_in_two_places') WHERE EXISTS (SELECT 1 FROM bookings AS other WHERE other.resident_id = NEW.resident_id AND other.state IN ('confirmed', 'offered', 'attended', 'no_show') AND other.id <> NEW.id AND other.starts_at < NEW.ends_at AND other.ends_at > NEW.starts_at); END"""
        )


def downgrade() -> None:
    op.drop_table("bookings")
    op.drop_table("occupancies")
    op.drop_table("reservations")
    op.drop_table("activity_sessions")
    op.drop_table("draws")
    op.drop_table("left_out_dates")
    op.drop_table("series")
    op.drop_table("programmes")
