"""Reads about closures, and about what falls into one."""

from collections.abc import Collection
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, select, true
from sqlalchemy.orm import InstrumentedAttribute, joinedload

from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.spans import Span
from facilities.places.models import Closure
from facilities.programmes.models import ActivitySession, SessionStatus
from facilities.reservations.models import Reservation, ReservationState

Row = TypeVar("Row")


def closure(closure_id: int, *, lock: bool = False) -> Closure | None:
    found = select(Closure).where(Closure.id == closure_id).execution_options(populate_existing=True)
    return db.session.scalar(found.with_for_update() if lock else found)


def closures_ahead(facility_id: int) -> list[Closure]:
    """In force, now or later, soonest first."""
    return list(db.session.scalars(
        select(Closure).where(Closure.facility_id == facility_id, Closure.lifted_at.is_(None),
                              Closure.ends_at > clock.now()).order_by(Closure.starts_at, Closure.id)))


def sessions_inside(facility_id: int, spaces: Collection[int] | None, span: Span, *, lock: bool = False,
                    ) -> list[ActivitySession]:
    """What is announced and would be held then, in id order; `spaces` None: anywhere in the facility.

    What has taken place, or is over, is touched by nothing.
    """
    found = select(ActivitySession).where(
        ActivitySession.facility_id == facility_id, ActivitySession.status == SessionStatus.SCHEDULED,
        ActivitySession.starts_at < span.ends_at, ActivitySession.ends_at > max(span.starts_at, clock.now()),
        _among(ActivitySession.space_id, spaces)).order_by(ActivitySession.id)
    return list(db.session.scalars(_locked(found) if lock else found.options(joinedload(ActivitySession.space))))


def reservations_inside(facility_id: int, spaces: Collection[int] | None, span: Span, *, lock: bool = False,
                        ) -> list[Reservation]:
    """The same of reservations."""
    found = select(Reservation).where(
        Reservation.facility_id == facility_id, Reservation.state == ReservationState.CONFIRMED,
        Reservation.starts_at < span.ends_at, Reservation.ends_at > max(span.starts_at, clock.now()),
        _among(Reservation.space_id, spaces)).order_by(Reservation.id)
    return list(db.session.scalars(_locked(found) if lock else found.options(joinedload(Reservation.space))))


def _among(column: InstrumentedAttribute[Any], spaces: Collection[int] | None) -> ColumnElement[bool]:
    return true() if spaces is None else column.in_(spaces)


def _locked(found: Select[tuple[Row]]) -> Select[tuple[Row]]:
    return found.with_for_update().execution_options(populate_existing=True)
