"""People: consents, invitations, identity numbers, merges, second factors, known devices, the audit's chain."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ROLES = ("resident", "manager", "guard", "reviewer", "administrator")


def upgrade() -> None:
    op.create_table(
        "audit_heads",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("chained", sa.String(length=64), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_heads_only_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_heads")),
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("resident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "registration",
                "guardian",
                "disability",
                "health",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("text_version", sa.String(length=20), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name=op.f("fk_consents_resident_id_residents")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_consents_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(op.f("ix_consents_user_id"), "consents", ["user_id"], unique=False)
    op.create_index(
        "uq_consents_one_that_holds",
        "consents",
        ["resident_id", "user_id", "kind"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
        sqlite_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "identities",
        sa.Column("resident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id_number", sa.Text(), nullable=True),
        sa.Column("id_number_hash", sa.String(length=64), nullable=True),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.Column("certificate_hash", sa.String(length=64), nullable=True),
        sa.CheckConstraint(
            "(certificate IS NULL) = (certificate_hash IS NULL)", name=op.f("ck_identities_certificate_whole")
        ),
        sa.CheckConstraint(
            "(id_number IS NULL) = (id_number_hash IS NULL)", name=op.f("ck_identities_id_number_whole")
        ),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name=op.f("fk_identities_resident_id_residents")),
        sa.PrimaryKeyConstraint("resident_id", name=op.f("pk_identities")),
    )
    op.create_index("uq_identities_certificate", "identities", ["certificate_hash"], unique=True)
    op.create_index("uq_identities_id_number", "identities", ["id_number_hash"], unique=True)
    op.create_table(
        "invitations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("resident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("invited_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["accepted_by"], ["users.id"], name=op.f("fk_invitations_accepted_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["users.id"], name=op.f("fk_invitations_invited_by_users"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["resident_id"], ["residents.id"], name=op.f("fk_invitations_resident_id_residents")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_invitations_code_hash")),
    )
    op.create_index(op.f("ix_invitations_invited_by"), "invitations", ["invited_by"], unique=False)
    op.create_index(op.f("ix_invitations_resident_id"), "invitations", ["resident_id"], unique=False)
    op.create_table(
        "known_devices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_known_devices_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_devices")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_known_devices_token_hash")),
    )
    op.create_index(op.f("ix_known_devices_user_id"), "known_devices", ["user_id"], unique=False)
    op.create_table(
        "merges",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kept_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("gone_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("moves", sa.JSON(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merged_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("kept_id <> gone_id", name=op.f("ck_merges_two_records")),
        sa.ForeignKeyConstraint(["gone_id"], ["residents.id"], name=op.f("fk_merges_gone_id_residents")),
        sa.ForeignKeyConstraint(["kept_id"], ["residents.id"], name=op.f("fk_merges_kept_id_residents")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merges")),
    )
    op.create_index(op.f("ix_merges_kept_id"), "merges", ["kept_id"], unique=False)
    op.create_index(
        "uq_merges_gone_once",
        "merges",
        ["gone_id"],
        unique=True,
        postgresql_where=sa.text("undone_at IS NULL"),
        sqlite_where=sa.text("undone_at IS NULL"),
    )
    op.create_table(
        "one_time_codes",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum("reset", "sign_in", name="purpose", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_one_time_codes_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "purpose", name=op.f("pk_one_time_codes")),
    )
    op.create_table(
        "past_guardianships",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("resident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "relation",
            sa.Enum(
                "self",
                "child",
                "parent",
                "spouse",
                "grandchild",
                "grandparent",
                "other",
                name="relation",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            ["resident_id"], ["residents.id"], name=op.f("fk_past_guardianships_resident_id_residents")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_past_guardianships_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past_guardianships")),
    )
    op.create_index(op.f("ix_past_guardianships_resident_id"), "past_guardianships", ["resident_id"], unique=False)
    op.create_index(op.f("ix_past_guardianships_user_id"), "past_guardianships", ["user_id"], unique=False)
    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_second_factors_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factors")),
    )
    op.add_column(
        "audit_entries", sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
    )
    op.add_column("audit_entries", sa.Column("chained", sa.String(length=64), nullable=True))
    op.create_index("uq_audit_entries_number", "audit_entries", ["number"], unique=True)
    op.add_column("guardianships", sa.Column("until", sa.Date(), nullable=True))
    _guardians_until_eighteen()
    op.add_column("residents", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("sign_ins", sa.Column("device", sa.String(length=60), nullable=True))
    op.add_column("users", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    _grants_with_dates()


def _guardians_until_eighteen() -> None:
    """Whoever acts for a child or grandchild does so up to the eighteenth birthday."""
    links = sa.table("guardianships", sa.column("user_id"), sa.column("resident_id"), sa.column("relation"),
                     sa.column("until", sa.Date))
    people = sa.table("residents", sa.column("id"), sa.column("birth_date", sa.Date))
    rows = op.get_bind().execute(
        sa.select(links.c.user_id, links.c.resident_id, people.c.birth_date)
        .join(people, people.c.id == links.c.resident_id)
        .where(links.c.relation.in_(("child", "grandchild")), people.c.birth_date.is_not(None))).all()
    for user_id, resident_id, born in rows:
        leap = (born.month, born.day) == (2, 29)
        until = born.replace(year=born.year + 18, **({"month": 3, "day": 1} if leap else {}))
        op.execute(links.update().where(links.c.user_id == user_id, links.c.resident_id == resident_id)
                   .values(until=until))


def _grants_with_dates() -> None:
    """New roles, and from when until when. What was granted before holds since its account was made."""
    with op.batch_alter_table("grants") as grants:
        grants.drop_constraint(op.f("ck_grants_role"), type_="check")
        grants.drop_constraint(op.f("ck_grants_manager_has_a_facility"), type_="check")
        grants.add_column(sa.Column("sub_district_code", sa.String(length=9), nullable=True))
        grants.add_column(sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True))
        grants.add_column(sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True))
        grants.add_column(sa.Column("granted_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
        grants.add_column(sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
        grants.create_foreign_key(
            op.f("fk_grants_sub_district_code_sub_districts"), "sub_districts", ["sub_district_code"], ["code"]
        )
        grants.create_check_constraint(op.f("ck_grants_role"), sa.column("role").in_(ROLES))
        grants.create_check_constraint(
            op.f("ck_grants_role_at_a_facility_has_one"), "(role IN ('manager', 'guard')) = (facility_id IS NOT NULL)"
        )
        grants.create_check_constraint(
            op.f("ck_grants_sub_district_is_for_reviewers"), "role = 'reviewer' OR sub_district_code IS NULL"
        )
        grants.create_check_constraint(op.f("ck_grants_starts_before_it_ends"), "starts_at < ends_at")
    op.execute("UPDATE grants SET starts_at = (SELECT created_at FROM users WHERE users.id = grants.user_id)")
    with op.batch_alter_table("grants") as grants:
        grants.alter_column("starts_at", existing_type=sa.DateTime(timezone=True), nullable=False)
