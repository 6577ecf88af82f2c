"""How people want to be reached: channels, quiet hours, carers; answers by link; reminders; receipts of providers."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

CHANNELS = ("sms", "email", "wechat", "platform")
TOPICS = ("bookings", "changes", "reminders", "feedback", "household", "security")
ANSWERS = ("cancel", "accept", "decline", "coming")
STATES = ("waiting", "accepted", "sent", "dropped", "dead")
PURPOSES = ("reset", "sign_in", "email", "carer")
OPEN = sa.text("state IN ('waiting', 'accepted')")


def upgrade() -> None:
    op.add_column("bookings", sa.Column("coming_at", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("one_time_codes") as codes:
        codes.drop_constraint(op.f("ck_one_time_codes_purpose"), type_="check")
        codes.create_check_constraint(op.f("ck_one_time_codes_purpose"), sa.column("purpose").in_(PURPOSES))
    _settings()
    _carers()
    _deliveries()
    op.create_table(
        "answer_links",
        sa.Column("notice_id", _big_id(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", _one_of(ANSWERS, "answer"), nullable=True),
        sa.CheckConstraint("(used_at IS NULL) = (answer IS NULL)", name=op.f("ck_answer_links_used_with_its_answer")),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notices.id"], name=op.f("fk_answer_links_notice_id_notices"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_answer_links")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_answer_links_code_hash")),
    )
    op.create_table(
        "reminders",
        sa.Column("about_kind", sa.String(length=20), nullable=False),
        sa.Column("about_id", _big_id(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("about_kind", "about_id", "kind", "starts_at", name=op.f("pk_reminders")),
    )


def _big_id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _one_of(values: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _of_user(table: str, *columns: sa.schema.SchemaItem, key: tuple[str, ...] = ("user_id",)) -> None:
    op.create_table(
        table,
        sa.Column("user_id", _big_id(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f(f"fk_{table}_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{table}")),
    )


def _settings() -> None:
    _of_user(
        "notice_settings",
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_until", sa.Time(), nullable=True),
        sa.Column("large_type", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.CheckConstraint("language IN ('zh', 'en')", name=op.f("ck_notice_settings_language")),
        sa.CheckConstraint(
            "(quiet_from IS NULL) = (quiet_until IS NULL)", name=op.f("ck_notice_settings_quiet_has_both_ends")
        ),
    )
    _of_user(
        "channel_choices",
        sa.Column("topic", _one_of(TOPICS, "topic"), nullable=False),
        sa.Column("channel", _one_of(CHANNELS, "channel"), nullable=False),
        sa.Column("wanted", sa.Boolean(), nullable=False),
        key=("user_id", "topic", "channel"),
    )
    _of_user(
        "email_addresses",
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
    )
    _of_user("wechat_accounts", sa.Column("openid", sa.String(length=64), nullable=False))
    _of_user(
        "wechat_subscriptions",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("remaining", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("remaining >= 0", name=op.f("ck_wechat_subscriptions_remaining")),
        key=("user_id", "kind"),
    )


def _carers() -> None:
    op.create_table(
        "carers",
        sa.Column("id", _big_id(), nullable=False),
        sa.Column("user_id", _big_id(), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_carers_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carers")),
    )
    op.create_index("uq_carers_phone", "carers", ["user_id", "phone"], unique=True)


def _deliveries() -> None:
    """More channels, copies for carers, and a state for what a provider has taken and not yet reported."""
    op.drop_index("uq_deliveries_notice_channel", "deliveries")
    op.drop_index("ix_deliveries_due", "deliveries")
    op.drop_index("ix_deliveries_dead", "deliveries")
    with op.batch_alter_table("deliveries") as deliveries:
        for name in ("channel", "state", "ended_with_its_time"):
            deliveries.drop_constraint(op.f(f"ck_deliveries_{name}"), type_="check")
        deliveries.add_column(sa.Column("carer_id", _big_id(), nullable=True))
        deliveries.create_foreign_key(
            op.f("fk_deliveries_carer_id_carers"), "carers", ["carer_id"], ["id"], ondelete="CASCADE"
        )
        deliveries.create_check_constraint(op.f("ck_deliveries_channel"), sa.column("channel").in_(CHANNELS))
        deliveries.create_check_constraint(op.f("ck_deliveries_state"), sa.column("state").in_(STATES))
        deliveries.create_check_constraint(
            op.f("ck_deliveries_ended_with_its_time"), "(state IN ('waiting', 'accepted')) = (ended_at IS NULL)"
        )
    own = sa.text("carer_id IS NULL")
    op.create_index(
        "uq_deliveries_notice_channel", "deliveries", ["notice_id", "channel"], unique=True,
        postgresql_where=own, sqlite_where=own,
    )
    op.create_index("uq_deliveries_notice_carer", "deliveries", ["notice_id", "carer_id"], unique=True)
    op.create_index("ix_deliveries_carer", "deliveries", ["carer_id"])
    op.create_index(
        "ix_deliveries_due", "deliveries", ["channel", "due_at"], postgresql_where=OPEN, sqlite_where=OPEN
    )
    dead = sa.text("state = 'dead'")
    op.create_index("ix_deliveries_dead", "deliveries", ["id"], postgresql_where=dead, sqlite_where=dead)
