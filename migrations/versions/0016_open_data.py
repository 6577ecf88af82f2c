"""Open data: which months are published, and what may be said of them."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_LABELS = ("sub_district", "facility", "programme", "category", "sex", "age_band")


def upgrade() -> None:
    op.create_table(
        "open_periods",
        sa.Column("name", sa.String(length=7), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_open_periods")),
    )
    op.create_table(
        "open_figures",
        sa.Column("split_by", sa.String(length=60), nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        *(sa.Column(label, sa.String(length=20), nullable=False) for label in _LABELS),
        sa.Column("sessions_held", sa.Integer(), nullable=True),
        sa.Column("person_times", sa.Integer(), nullable=True),
        sa.Column("persons", sa.Integer(), nullable=True),
        sa.Column("unidentified_person_times", sa.Integer(), nullable=True),
        sa.CheckConstraint("person_times >= 5", name=op.f("ck_open_figures_no_small_person_times")),
        sa.CheckConstraint("persons = 0 OR persons >= 5", name=op.f("ck_open_figures_no_small_persons")),
        sa.CheckConstraint(
            "unidentified_person_times = 0 OR unidentified_person_times >= 5",
            name=op.f("ck_open_figures_no_small_unidentified"),
        ),
        sa.CheckConstraint(
            "person_times = unidentified_person_times OR person_times - unidentified_person_times >= 5",
            name=op.f("ck_open_figures_no_small_rest"),
        ),
        sa.CheckConstraint("sessions_held > 0", name=op.f("ck_open_figures_sessions_held")),
        sa.CheckConstraint(
            "person_times IS NOT NULL OR (sessions_held IS NULL AND unidentified_person_times IS NULL)",
            name=op.f("ck_open_figures_hidden_with_person_times"),
        ),
        sa.CheckConstraint(
            "unidentified_person_times IS NOT NULL OR persons IS NULL",
            name=op.f("ck_open_figures_persons_with_unidentified"),
        ),
        sa.ForeignKeyConstraint(["period"], ["open_periods.name"], name=op.f("fk_open_figures_period_open_periods")),
        sa.PrimaryKeyConstraint("split_by", "period", *_LABELS, name=op.f("pk_open_figures")),
    )
    op.create_index(op.f("ix_open_figures_period"), "open_figures", ["period"], unique=False)
