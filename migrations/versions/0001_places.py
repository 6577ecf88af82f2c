"""Places."""

import sqlalchemy as sa
from alembic import op


revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "sub_districts",
        sa.Column("code", sa.String(length=9), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("name_en", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_sub_districts")),
        sa.UniqueConstraint("name", name=op.f("uq_sub_districts_name")),
    )
    op.create_table(
        "communities",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sub_district_code", sa.String(length=9), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("name_en", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["sub_district_code"], ["sub_districts.code"], name=op.f("fk_communities_sub_district_code_sub_districts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_communities")),
    )
    op.create_index("uq_communities_sub_district_name", "communities", ["sub_district_code", "name"], unique=True)
    op.create_table(
        "facilities",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
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
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=True),
        sa.Column("address", sa.String(length=160), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("summary", sa.String(length=400), nullable=True),
        sa.Column("summary_en", sa.String(length=600), nullable=True),
        sa.Column("sub_district_code", sa.String(length=9), nullable=False),
        sa.Column("community_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(
            ["community_id"], ["communities.id"], name=op.f("fk_facilities_community_id_communities")
        ),
        sa.ForeignKeyConstraint(
            ["sub_district_code"], ["sub_districts.code"], name=op.f("fk_facilities_sub_district_code_sub_districts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_facilities")),
    )
    op.create_index(op.f("ix_facilities_community_id"), "facilities", ["community_id"], unique=False)
    op.create_index(op.f("ix_facilities_kind"), "facilities", ["kind"], unique=False)
    op.create_index(op.f("ix_facilities_sub_district_code"), "facilities", ["sub_district_code"], unique=False)
    op.create_index("uq_facilities_name", "facilities", ["name"], unique=True)
    op.create_table(
        "opening_hours",
        sa.Column("facility_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("opens_minute", sa.Integer(), nullable=False),
        sa.Column("closes_minute", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "0 <= opens_minute AND opens_minute < closes_minute AND closes_minute <= 1440",
            name=op.f("ck_opening_hours_opens_before_closing"),
        ),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_opening_hours_weekday")),
        sa.ForeignKeyConstraint(
            ["facility_id"], ["facilities.id"], name=op.f("fk_opening_hours_facility_id_facilities"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("facility_id", "weekday", "opens_minute", name=op.f("pk_opening_hours")),
    )
    op.create_table(
        "facility_access",
        sa.Column("facility_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "feature",
            sa.Enum(
                "step_free",
                "accessible_toilet",
                "lift",
                "tactile_paving",
                "hearing_loop",
                "wheelchair_loan",
                "nursing_room",
                "accessible_parking",
                name="feature",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["facility_id"],
            ["facilities.id"],
            name=op.f("fk_facility_access_facility_id_facilities"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("facility_id", "feature", name=op.f("pk_facility_access")),
    )
    op.create_table(
        "spaces",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("facility_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("parent_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("name_en", sa.String(length=120), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "room",
                "hall",
                "zone",
                "consulting_room",
                "court",
                "stall",
                "other",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("quantity", sa.Integer(), server_default="1", nullable=False),
        sa.Column("reservable", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("min_minutes", sa.Integer(), nullable=True),
        sa.Column("max_minutes", sa.Integer(), nullable=True),
        sa.Column("grid_minutes", sa.Integer(), nullable=True),
        sa.Column("notice_minutes", sa.Integer(), nullable=True),
        sa.Column("days_ahead", sa.Integer(), nullable=True),
        sa.Column("per_resident", sa.Integer(), nullable=True),
        sa.CheckConstraint("capacity IS NULL OR capacity > 0", name=op.f("ck_spaces_capacity_above_zero")),
        sa.CheckConstraint(
            "grid_minutes > 0 AND notice_minutes >= 0 AND days_ahead >= 0 AND per_resident > 0",
            name=op.f("ck_spaces_rules_above_zero"),
        ),
        sa.CheckConstraint(
            "min_minutes > 0 AND max_minutes >= coalesce(min_minutes, 1)", name=op.f("ck_spaces_lengths_in_order")
        ),
        sa.CheckConstraint("parent_id IS NULL OR parent_id <> id", name=op.f("ck_spaces_not_inside_itself")),
        sa.ForeignKeyConstraint(
            ["facility_id", "parent_id"],
            ["spaces.facility_id", "spaces.id"],
            name="fk_spaces_parent_in_the_same_facility",
        ),
        sa.ForeignKeyConstraint(["facility_id"], ["facilities.id"], name=op.f("fk_spaces_facility_id_facilities")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spaces")),
        sa.UniqueConstraint("facility_id", "id", name="uq_spaces_facility_id"),
    )
    op.create_index(op.f("ix_spaces_parent_id"), "spaces", ["parent_id"], unique=False)
    op.create_index("uq_spaces_facility_name", "spaces", ["facility_id", "name"], unique=True)
    op.create_table(
        "calendar_days",
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("workday", "rest", name="kind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("name", sa.String(length=32), nullable=True),
        sa.Column("provisional", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("edited", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.PrimaryKeyConstraint("date", name=op.f("pk_calendar_days")),
    )


def downgrade() -> None:
    op.drop_table("calendar_days")
    op.drop_table("spaces")
    op.drop_table("facility_access")
    op.drop_table("opening_hours")
    op.drop_table("facilities")
    op.drop_table("communities")
    op.drop_table("sub_districts")
