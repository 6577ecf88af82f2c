"""Official reports: frozen with a hash, and their corrections; rows of neither are ever changed."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

REPORTS, CORRECTIONS = "official_reports", "report_corrections"


def _big_id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _hold_unchanged(table: str) -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for verb in ("UPDATE", "DELETE"):
        name = f"{table}_never_{verb.lower()}d"
        does = (
            "FOR EACH ROW EXECUTE FUNCTION huimin_never_changed()"
            if is_postgresql
            else f"BEGIN SELECT RAISE(ABORT, '{name}'); END"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {verb} ON {table} {does}")


def upgrade() -> None:
    op.create_table(
        REPORTS,
        sa.Column("id", _big_id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("month", "quarter", "year", name="kind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", _big_id(), nullable=False),
        sa.Column("signed_name", sa.String(length=64), nullable=False),
        sa.Column("signed_position", sa.String(length=80), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_official_reports_number")),
        sa.CheckConstraint("first < last", name=op.f("ck_official_reports_days_in_order")),
        sa.CheckConstraint(
            "length(sha256) = 64 AND length(previous) = 64", name=op.f("ck_official_reports_hashes")
        ),
        sa.CheckConstraint("content <> ''", name=op.f("ck_official_reports_content_not_blank")),
        sa.CheckConstraint(
            "signed_name <> '' AND signed_position <> ''", name=op.f("ck_official_reports_signed_by_somebody")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_official_reports")),
        sa.UniqueConstraint("kind", "first", name=op.f("uq_official_reports_kind_first")),
    )
    op.create_index("uq_official_reports_number", REPORTS, ["number"], unique=True)
    op.create_table(
        CORRECTIONS,
        sa.Column("id", _big_id(), nullable=False),
        sa.Column("report_id", _big_id(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_report_corrections_number")),
        sa.CheckConstraint("length(sha256) = 64", name=op.f("ck_report_corrections_hash")),
        sa.CheckConstraint("content <> ''", name=op.f("ck_report_corrections_content_not_blank")),
        sa.ForeignKeyConstraint(
            ["report_id"], [f"{REPORTS}.id"], name=op.f("fk_report_corrections_report_id_official_reports")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_corrections")),
        sa.UniqueConstraint("report_id", "number", name=op.f("uq_report_corrections_report_id_number")),
    )
    for table in (REPORTS, CORRECTIONS):
        _hold_unchanged(table)
