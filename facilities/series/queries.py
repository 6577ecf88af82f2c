"""Reads about repetitions."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select

from facilities.infra.db import db
from facilities.kernel import clock
from facilities.places.models import Occupancy
from facilities.programmes.models import ActivitySession, LeftOutDate, Series, SessionStatus


def series(series_id: int) -> Series | None:
    return db.session.get(Series, series_id)


def left_out(series_id: int) -> list[LeftOutDate]:
    return list(db.session.scalars(
        select(LeftOutDate).where(LeftOutDate.series_id == series_id).order_by(LeftOutDate.starts_at)))


def spans_held(leaves: Collection[int], start: datetime, end: datetime) -> set[tuple[datetime, datetime]]:
    """When one of these spaces is held, as far as it touches the span."""
    rows = db.session.execute(
        select(Occupancy.starts_at, Occupancy.ends_at)
        .where(Occupancy.space_id.in_(leaves), Occupancy.starts_at < end, Occupancy.ends_at > start).distinct())
    return set(rows.tuples().all())


def coming_for_update(series: Series, since: datetime | None) -> list[ActivitySession]:
    """What a change of the series is about, locked in id order: its occurrences that have not begun, from `since` on.

    What was called off stays called off; what was taken to another facility is no longer this one's to change.
    """
    found = (select(ActivitySession)
             .where(ActivitySession.series_id == series.id, ActivitySession.facility_id == series.facility_id,
                    ActivitySession.status == SessionStatus.SCHEDULED, ActivitySession.starts_at > clock.now())
             .order_by(ActivitySession.id).with_for_update().execution_options(populate_existing=True))
    if since is not None:
        found = found.where(ActivitySession.starts_at >= since)
    return list(db.session.scalars(found))


def places_in_series(series_id: int) -> set[datetime]:
    """`occurs_at` of all its occurrences, whatever became of them: each is taken once."""
    return {moment for moment in db.session.scalars(
        select(ActivitySession.occurs_at).where(ActivitySession.series_id == series_id)) if moment is not None}


def session_at(series_id: int, starts_at: datetime) -> ActivitySession | None:
    return db.session.scalar(
        select(ActivitySession).where(ActivitySession.series_id == series_id, ActivitySession.starts_at == starts_at)
        .order_by(ActivitySession.id).limit(1))
