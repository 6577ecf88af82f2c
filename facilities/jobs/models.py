"""What the background work did, and when. Instants are the machine's own, whatever 'now' was set to."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from facilities.infra.columns import BigId, UtcDateTime
from facilities.infra.db import Model


class Job(Model):
    """The last run of each job. `slot` is its turn: whoever moves it on has the run, however many workers there are."""

    __tablename__ = "jobs"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    every_seconds: Mapped[int]
    slot: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    took_ms: Mapped[int | None]
    done: Mapped[int | None]
    failed: Mapped[int | None]


class JobRun(Model):
    """A run that did something, or failed; those that found nothing to do leave no row."""

    __tablename__ = "job_runs"
    __table_args__ = (Index("ix_job_runs_started", "started_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    job: Mapped[str] = mapped_column(String(40))
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    took_ms: Mapped[int]
    done: Mapped[int]
    failed: Mapped[int]
    failure: Mapped[str | None] = mapped_column(String(60))  # the kind of exception, never its words
