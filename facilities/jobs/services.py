"""The verbs about runs of jobs: one worker has each, and says what came of it."""

from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from facilities.infra.db import db
from facilities.jobs.models import Job, JobRun
from facilities.kernel import clock

RUNS_KEPT_FOR = timedelta(days=30)


def claim(name: str, every: timedelta, slot: int) -> bool:
    """Whether this run is the caller's: one statement, which only the first who comes for the slot wins."""
    insert = postgresql_insert if db.engine.dialect.name == "postgresql" else sqlite_insert
    began = {"slot": slot, "started_at": clock.machine_time(), "ended_at": None,
             "every_seconds": int(every.total_seconds())}
    won = db.session.execute(
        insert(Job).values(name=name, **began)
        .on_conflict_do_update(index_elements=[Job.name], set_=began, where=Job.slot < slot).returning(Job.name))
    return won.first() is not None


def note_end(name: str, slot: int, started_at: datetime, done: int, failed: int, failure: str | None) -> None:
    """Also of a run that another one has overtaken: the job's row is then the other's."""
    now = clock.machine_time()
    took_ms = int((now - started_at).total_seconds() * 1000)
    db.session.execute(
        update(Job).where(Job.name == name, Job.slot == slot)
        .values(ended_at=now, took_ms=took_ms, done=done, failed=failed))
    if done or failed:
        db.session.add(JobRun(job=name, started_at=started_at, took_ms=took_ms, done=done, failed=failed,
                              failure=failure))
        db.session.flush()


def forget_old_runs() -> int:
    """How many rows went."""
    gone = db.session.execute(
        delete(JobRun).where(JobRun.started_at < clock.machine_time() - RUNS_KEPT_FOR).returning(JobRun.id))
    return len(gone.all())
