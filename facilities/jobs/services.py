"""The verbs about runs of jobs: one worker has each, and says what came of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from facilities.infra.db import db
from facilities.jobs.models import Job, JobRun
from facilities.kernel import clock

RUNS_KEPT_FOR = timedelta(days=30)


def claim(name: str, every: timedelta, slot: int, next_at: datetime) -> bool:
    """Whether this run is the caller's: one statement, which only the first who comes for the slot wins."""
    return _begin(name, every, slot, next_at, Job.slot < slot)


def begin_by_hand(name: str, every: timedelta, slot: int, next_at: datetime) -> None:
    """A run that somebody asked for, whoever has had the slot."""
    _begin(name, every, slot, next_at, Job.slot <= slot)


def _begin(name: str, every: timedelta, slot: int, next_at: datetime, where: ColumnElement[bool]) -> bool:
    insert = postgresql_insert if db.engine.dialect.name == "postgresql" else sqlite_insert
    began = {"slot": slot, "started_at": clock.machine_time(), "ended_at": None, "next_at": next_at,
             "every_seconds": int(every.total_seconds())}
    won = db.session.execute(
        insert(Job).values(name=name, **began)
        .on_conflict_do_update(index_elements=[Job.name], set_=began, where=where).returning(Job.name))
    return won.first() is not None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`failure`: the kind of the last thing that went wrong; its words can hold what somebody typed."""

    done: int = 0
    failed: int = 0
    failure: str | None = None


def note_end(name: str, slot: int, started_at: datetime, outcome: Outcome) -> None:
    """Also of a run that another one has overtaken: the job's row is then the other's."""
    now = clock.machine_time()
    took_ms = int((now - started_at).total_seconds() * 1000)
    db.session.execute(
        update(Job).where(Job.name == name, Job.slot == slot)
        .values(ended_at=now, took_ms=took_ms, done=outcome.done, failed=outcome.failed))
    if outcome.done or outcome.failed:
        db.session.add(JobRun(job=name, started_at=started_at, took_ms=took_ms, done=outcome.done,
                              failed=outcome.failed, failure=outcome.failure))
        db.session.flush()


def forget_old_runs() -> int:
    """How many rows went."""
    gone = db.session.execute(
        delete(JobRun).where(JobRun.started_at < clock.machine_time() - RUNS_KEPT_FOR).returning(JobRun.id))
    return len(gone.all())
