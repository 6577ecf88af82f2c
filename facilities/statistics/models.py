"""What is published for anyone: a month that is over, and what may be said of it (decision 16).

Nothing that is hidden is in here. Public answers are made of these rows alone, so that what was once said of a month
stays said until the month as a whole is published anew.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from facilities.engine.suppression import THRESHOLD
from facilities.infra.columns import UtcDateTime
from facilities.infra.db import Model
from facilities.infra.exclusion import check


class OpenPeriod(Model):
    """A month (`2026-08`), or a calendar year (`2026`), whose distinct persons are not the sum of its months'.

    `fingerprint`: of the true figures that it was made of, so that a correction is noticed.
    """

    __tablename__ = "open_periods"

    name: Mapped[str] = mapped_column(String(7), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    published_at: Mapped[datetime] = mapped_column(UtcDateTime)


class OpenFigures(Model):
    """One row of a period's figures, of all that it can be divided by. A measure without a value is hidden.

    `split_by`: the dimensions that it is divided by, in the order of `open_data.SPLITS`; the others are empty.
    """

    __tablename__ = "open_figures"
    __table_args__ = (
        check(f"person_times >= {THRESHOLD}", "no_small_person_times"),
        check(f"persons = 0 OR persons >= {THRESHOLD}", "no_small_persons"),
        check(f"unidentified_person_times = 0 OR unidentified_person_times >= {THRESHOLD}", "no_small_unidentified"),
        check(f"person_times = unidentified_person_times OR person_times - unidentified_person_times >= {THRESHOLD}",
              "no_small_rest"),
        check("sessions_held > 0", "sessions_held"),
        check("person_times IS NOT NULL OR (sessions_held IS NULL AND unidentified_person_times IS NULL)",
              "hidden_with_person_times"),
        check("unidentified_person_times IS NOT NULL OR persons IS NULL", "persons_with_unidentified"),
    )

    split_by: Mapped[str] = mapped_column(String(60), primary_key=True)
    period: Mapped[str] = mapped_column(ForeignKey("open_periods.name"), primary_key=True, index=True)
    sub_district: Mapped[str] = mapped_column(String(20), primary_key=True)
    facility: Mapped[str] = mapped_column(String(20), primary_key=True)
    programme: Mapped[str] = mapped_column(String(20), primary_key=True)
    category: Mapped[str] = mapped_column(String(20), primary_key=True)
    sex: Mapped[str] = mapped_column(String(20), primary_key=True)
    age_band: Mapped[str] = mapped_column(String(20), primary_key=True)
    sessions_held: Mapped[int | None]
    person_times: Mapped[int | None]
    persons: Mapped[int | None]
    unidentified_person_times: Mapped[int | None]
