"""Livelihood projects: years, projects, subprojects, targets by version, monthly reports, figures as published."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

REPORTS = "monthly_reports"


def _big_id() -> sa.types.TypeEngine[int]:
    return sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _qualifier() -> sa.Enum:
    return _one_of("qualifier", "more_than", "at_least", "about")


def _lock() -> None:
    """What is locked stays as it is."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for verb in ("UPDATE", "DELETE"):
        name = f"{REPORTS}_never_{verb.lower()}d"
        does = (
            "FOR EACH ROW WHEN (OLD.state = 'locked') EXECUTE FUNCTION huimin_never_changed()"
            if is_postgresql
            else f"WHEN (OLD.state = 'locked') BEGIN SELECT RAISE(ABORT, '{name}'); END"
        )
        op.execute(f"CREATE TRIGGER {name} BEFORE {verb} ON {REPORTS} {does}")


def upgrade() -> None:
    op.create_table(
        "project_years",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("quote", sa.String(length=500), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("yellow_points", sa.Integer(), nullable=False),
        sa.Column("red_points", sa.Integer(), nullable=False),
        sa.CheckConstraint("year BETWEEN 2000 AND 2100", name=op.f("ck_project_years_year")),
        sa.CheckConstraint(
            "0 <= yellow_points AND yellow_points < red_points AND red_points <= 100",
            name=op.f("ck_project_years_thresholds_in_order"),
        ),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_project_years")),
    )
    op.create_table(
        "livelihood_projects",
        sa.Column("id", _big_id(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("source", _one_of("source", "municipal", "voted"), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=True),
        sa.CheckConstraint("name <> ''", name=op.f("ck_livelihood_projects_name_not_blank")),
        sa.ForeignKeyConstraint(["year"], ["project_years.year"], name=op.f("fk_livelihood_projects_year_project_years")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_livelihood_projects")),
        sa.UniqueConstraint("year", "code", name=op.f("uq_livelihood_projects_year_code")),
    )
    op.create_table(
        "subprojects",
        sa.Column("id", _big_id(), nullable=False),
        sa.Column("project_id", _big_id(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=True),
        sa.Column("kind", _one_of("kind", "cumulative", "rate", "milestone", "in_words"), nullable=True),
        sa.Column("unit", sa.String(length=20), nullable=True),
        sa.Column("lead_unit", sa.String(length=80), nullable=True),
        sa.Column("partner_units", sa.String(length=300), nullable=True),
        sa.Column("measure", sa.String(length=40), nullable=True),
        sa.Column("plan", sa.JSON(), nullable=True),
        sa.Column("accepted_on", sa.Date(), nullable=True),
        sa.CheckConstraint("name <> ''", name=op.f("ck_subprojects_name_not_blank")),
        sa.CheckConstraint(
            "accepted_on IS NULL OR name IS NOT NULL", name=op.f("ck_subprojects_accepted_with_a_name")
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["livelihood_projects.id"], name=op.f("fk_subprojects_project_id_livelihood_projects")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subprojects")),
        sa.UniqueConstraint("project_id", "code", name=op.f("uq_subprojects_project_id_code")),
    )
    op.create_table(
        "subproject_targets",
        sa.Column("id", _big_id(), nullable=False),
        sa.Column("subproject_id", _big_id(), nullable=False),
        sa.Column("set_by", _one_of("set_by", "municipal", "district"), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("value > 0 AND value <= 1000000000000000", name=op.f("ck_subproject_targets_value")),
        sa.ForeignKeyConstraint(
            ["subproject_id"], ["subprojects.id"], name=op.f("fk_subproject_targets_subproject_id_subprojects")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subproject_targets")),
        sa.UniqueConstraint(
            "subproject_id", "set_by", "from_day", name=op.f("uq_subproject_targets_subproject_id_set_by_from_day")
        ),
    )
    op.create_table(
        REPORTS,
        sa.Column("id", _big_id(), nullable=False),
        sa.Column("subproject_id", _big_id(), nullable=False),
        sa.Column("month", sa.Integer(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=True),
        sa.Column("qualifier", _qualifier(), nullable=True),
        sa.Column("evidence", sa.String(length=1000), nullable=True),
        sa.Column("link", sa.String(length=300), nullable=True),
        sa.Column("problems", sa.String(length=1000), nullable=True),
        sa.Column("remedies", sa.String(length=1000), nullable=True),
        sa.Column("state", _one_of("state", "draft", "submitted", "locked"), nullable=False),
        sa.Column("entered_by", _big_id(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_by", _big_id(), nullable=True),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returned_because", sa.String(length=300), nullable=True),
        sa.CheckConstraint("month BETWEEN 1 AND 12", name=op.f("ck_monthly_reports_month")),
        sa.CheckConstraint("value >= 0 AND value <= 1000000000000000", name=op.f("ck_monthly_reports_value")),
        sa.CheckConstraint(
            "qualifier IS NULL OR value IS NOT NULL", name=op.f("ck_monthly_reports_qualifier_of_a_value")
        ),
        sa.CheckConstraint(
            "state = 'draft' OR (evidence IS NOT NULL AND evidence <> '')",
            name=op.f("ck_monthly_reports_submitted_with_evidence"),
        ),
        sa.CheckConstraint(
            "(state = 'locked') = (reviewed_at IS NOT NULL)", name=op.f("ck_monthly_reports_locked_by_a_review")
        ),
        sa.CheckConstraint(
            "(reviewed_at IS NULL) = (reviewed_by IS NULL)", name=op.f("ck_monthly_reports_reviewed_by_somebody")
        ),
        sa.CheckConstraint("reviewed_by <> entered_by", name=op.f("ck_monthly_reports_reviewed_by_another")),
        sa.ForeignKeyConstraint(
            ["subproject_id"], ["subprojects.id"], name=op.f("fk_monthly_reports_subproject_id_subprojects")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_monthly_reports")),
        sa.UniqueConstraint("subproject_id", "month", name=op.f("uq_monthly_reports_subproject_id_month")),
    )
    op.create_index("ix_monthly_reports_state", REPORTS, ["state"], unique=False)
    _lock()
    op.create_table(
        "reported_figures",
        sa.Column("id", _big_id(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("heading", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("unit", sa.String(length=20), nullable=True),
        sa.Column("as_printed", sa.String(length=60), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("qualifier", _qualifier(), nullable=True),
        sa.Column("quote", sa.String(length=300), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.Column("measure", sa.String(length=40), nullable=True),
        sa.Column("subproject_id", _big_id(), nullable=True),
        sa.CheckConstraint(
            "qualifier IS NULL OR number IS NOT NULL", name=op.f("ck_reported_figures_qualifier_of_a_number")
        ),
        sa.ForeignKeyConstraint(["year"], ["project_years.year"], name=op.f("fk_reported_figures_year_project_years")),
        sa.ForeignKeyConstraint(
            ["subproject_id"], ["subprojects.id"], name=op.f("fk_reported_figures_subproject_id_subprojects")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reported_figures")),
        sa.UniqueConstraint("year", "code", name=op.f("uq_reported_figures_year_code")),
        sa.UniqueConstraint("subproject_id", name=op.f("uq_reported_figures_subproject_id")),
    )
