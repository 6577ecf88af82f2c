"""Reads about the background work, for administrators."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, select

from facilities.infra.db import db
from facilities.jobs.models import Job, JobRun
from facilities.kernel import clock

LATE_AFTER = timedelta(minutes=5)  # or three times its interval, where that is longer


class Health(StrEnum):
    FINE = "fine"
    RUNNING = "running"
    LATE = "late"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Seen:
    """A job as an administrator sees it."""

    job: Job
    health: Health


def jobs() -> list[Seen]:
    """By name."""
    now = clock.machine_time()
    return [_seen(row, now) for row in db.session.scalars(select(Job).order_by(Job.name))]


def _seen(job: Job, now: datetime) -> Seen:
    every = timedelta(seconds=job.every_seconds)
    if now - job.started_at > max(every * 3, LATE_AFTER):
        health = Health.LATE
    elif job.ended_at is None:
        health = Health.RUNNING
    else:
        health = Health.FAILED if job.failed else Health.FINE
    return Seen(job, health)


def nobody_works() -> bool:
    """Some job runs every few seconds: where none has begun for minutes, or ever, no worker is there."""
    last = db.session.scalar(select(func.max(Job.started_at)))
    return last is None or clock.machine_time() - last > LATE_AFTER


def runs(limit: int) -> list[JobRun]:
    """Newest first."""
    return list(db.session.scalars(select(JobRun).order_by(JobRun.started_at.desc(), JobRun.id.desc()).limit(limit)))
