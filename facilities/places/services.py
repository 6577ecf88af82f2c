"""The verbs about where: open a facility, furnish it, hold a space, keep the calendar."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, time, timedelta

from sqlalchemy import delete, update

from facilities.engine.opening import SpaceRules
from facilities.engine.working_days import Day, DayKind
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.refusals import Invalid, Refused
from facilities.places import queries
from facilities.places.models import (
    AccessFeature,
    CalendarDay,
    Community,
    Facility,
    FacilityAccess,
    FacilityKind,
    Occupancy,
    OpeningHours,
    Space,
    SpaceKind,
)

Hours = Mapping[int, Sequence[tuple[time, time]]]  # Monday is 0; a closing time of 00:00 is the day's end


def add_facility(kind: FacilityKind, name: str, address: str, sub_district_code: str, *, name_en: str | None = None,
                 phone: str | None = None, summary: str | None = None, summary_en: str | None = None,
                 community: str | None = None, hours: Hours | None = None,
                 access: Iterable[AccessFeature] = ()) -> Facility:
    """Refused `name_taken`; Invalid where the sub-district is unknown or hours overlap."""
    if queries.sub_district(sub_district_code) is None:
        raise Invalid(sub_district_code="unknown_sub_district")
    facility = Facility(
        kind=kind, name=name, name_en=name_en, address=address, phone=phone, summary=summary, summary_en=summary_en,
        sub_district_code=sub_district_code,
        community_id=_community(sub_district_code, community).id if community else None,
        hours=_hours(hours or {}), access_features=[FacilityAccess(feature=f) for f in dict.fromkeys(access)])
    db.session.add(facility)
    db.session.flush()
    return facility


def _community(sub_district_code: str, name: str) -> Community:
    found = queries.community_in(sub_district_code, name)
    if found is None:
        found = Community(sub_district_code=sub_district_code, name=name)
        db.session.add(found)
        db.session.flush()
    return found


def _hours(hours: Hours) -> list[OpeningHours]:
    rows = []
    for weekday, intervals in hours.items():
        free_from = 0
        for opens, closes in intervals:
            first, last = _minute(opens), _minute(closes) or 24 * 60
            if first < free_from or first >= last:
                raise Invalid(opening_hours="hours_overlap")
            free_from = last
            rows.append(OpeningHours(weekday=weekday, opens_minute=first, closes_minute=last))
    return rows


def _minute(wall: time) -> int:
    return wall.hour * 60 + wall.minute


def add_space(facility: Facility, name: str, kind: SpaceKind, *, name_en: str | None = None,
              capacity: int | None = None, parent_id: int | None = None, quantity: int = 1,
              reservable: bool = True, rules: SpaceRules | None = None) -> Space:
    """What already holds the parent, or anything around it, holds the new space too from then on."""
    queries.lock_layout(facility.id, to_change=True)
    if parent_id is not None and queries.space_in(facility.id, parent_id) is None:
        raise Invalid(parent_id="unknown_parent")
    space = Space(facility_id=facility.id, parent_id=parent_id, name=name, name_en=name_en, kind=kind,
                  capacity=capacity, quantity=quantity, reservable=reservable, **asdict(rules or SpaceRules()))
    db.session.add(space)
    db.session.flush()
    if parent_id is not None:
        _hand_down(space, parent_id)
    return space


def _hand_down(space: Space, parent_id: int) -> None:
    """Occupancies stand on leaves: the parent is none any more, so its rows move down to the new space."""
    around = _ancestors(space, queries.spaces_of(space.facility_id))
    holders = {(row.session_id, row.reservation_id): row for row in queries.held_under(around)}
    db.session.execute(delete(Occupancy).where(Occupancy.space_id == parent_id))
    db.session.add_all(
        Occupancy(space_id=space.id, held_space_id=row.held_space_id, session_id=row.session_id,
                  reservation_id=row.reservation_id, starts_at=row.starts_at, ends_at=row.ends_at)
        for row in holders.values())
    db.session.flush()


def _ancestors(space: Space, family: Sequence[Space]) -> list[int]:
    by_id = {s.id: s for s in family}
    found, parent_id = [], space.parent_id
    while parent_id is not None:
        found.append(parent_id)
        parent_id = by_id[parent_id].parent_id
    return found


def leaves_of(space_id: int, family: Sequence[Space]) -> list[int]:
    """The innermost spaces within a space, in id order; a space without any is its own."""
    children = [s.id for s in family if s.parent_id == space_id]
    return sorted(leaf for child in children for leaf in leaves_of(child, family)) if children else [space_id]


def hold_space(space: Space, starts_at: datetime, ends_at: datetime, *, session_id: int | None = None,
               reservation_id: int | None = None) -> None:
    """One row for each leaf, in id order, for a session or a reservation.

    Refused `closed`, or `space_taken` by the database where a leaf is held already.
    """
    leaves = prepare_to_hold(space.facility_id, space.id, starts_at, ends_at)
    occupy(space, leaves, starts_at, ends_at, session_id=session_id, reservation_id=reservation_id)


def occupy(space: Space, leaves: Sequence[int], starts_at: datetime, ends_at: datetime, *,
           session_id: int | None = None, reservation_id: int | None = None) -> None:
    """The second half of `hold_space`, for who must look at something else between the two."""
    db.session.add_all(Occupancy(space_id=leaf, held_space_id=space.id, session_id=session_id,
                                 reservation_id=reservation_id, starts_at=starts_at, ends_at=ends_at)
                       for leaf in leaves)
    db.session.flush()


def prepare_to_hold(facility_id: int, space_id: int | None, starts_at: datetime, ends_at: datetime) -> list[int]:
    """Before a space is held, or what holds it moves: its leaves, locked. Refused `closed`.

    Writers who race for one exclusion constraint would wait for each other in a circle (docs/locking.md).
    """
    queries.lock_layout(facility_id, to_change=False)
    leaves = [] if space_id is None else leaves_of(space_id, queries.spaces_of(facility_id))
    queries.lock_spaces(leaves)
    if ends_at > clock.now():
        _refuse_if_closed(facility_id, space_id, starts_at, ends_at)
    return leaves


def _refuse_if_closed(facility_id: int, space_id: int | None, starts_at: datetime, ends_at: datetime) -> None:
    """Refused `closed` where the facility, the space, anything around it or anything inside it is closed then."""
    closures = queries.closures(facility_id, starts_at, ends_at)
    if not closures:
        return
    family = queries.spaces_of(facility_id)
    concerned = {None} if space_id is None else {None, *related(space_id, family)}
    for closure in closures:
        if closure.space_id in concerned:
            raise Refused("closed", until=clock.local(closure.ends_at).isoformat())


def related(space_id: int, family: Sequence[Space]) -> set[int]:
    """A space, what it lies in, and what lies in it: taking any of them takes from the others."""
    by_id = {s.id: s for s in family}
    return {space_id, *_ancestors(by_id[space_id], family), *within(space_id, family)}


def within(space_id: int, family: Sequence[Space]) -> set[int]:
    children = [s.id for s in family if s.parent_id == space_id]
    return {space_id}.union(*(within(child, family) for child in children))


def release_space(*, session_id: int | None = None, reservation_id: int | None = None) -> None:
    holder = (Occupancy.session_id == session_id if session_id is not None
              else Occupancy.reservation_id == reservation_id)
    db.session.execute(delete(Occupancy).where(holder))


def set_calendar_day(day: date, kind: DayKind, name: str | None, *, provisional: bool = False) -> CalendarDay:
    """By an administrator's hand; what the package says later does not undo it."""
    row = queries.calendar_day(day)
    if row is None:
        row = CalendarDay(date=day, kind=kind)
        db.session.add(row)
    row.kind, row.name, row.provisional, row.edited = kind, name, provisional, True
    db.session.flush()
    return row


def fill_calendar(days: Iterable[Day]) -> int:
    """Add and correct days from notices; edited ones stay. Returns how many were added or changed."""
    wanted = {day.date: day for day in days}
    known = {row.date: row for row in queries.calendar_days(min(wanted), max(wanted))} if wanted else {}
    changed = 0
    for day in wanted.values():
        row = known.get(day.date)
        if row is None:
            db.session.add(CalendarDay(date=day.date, kind=day.kind, name=day.name, provisional=day.provisional,
                                       edited=False))
        elif row.edited or (row.kind, row.name, row.provisional) == (day.kind, day.name, day.provisional):
            continue
        else:
            db.session.execute(update(CalendarDay).where(CalendarDay.date == day.date).values(
                kind=day.kind, name=day.name, provisional=day.provisional))
        changed += 1
    db.session.flush()
    return changed


def calendar_horizon() -> date:
    """How far ahead the calendar reaches: to the end of the year after next."""
    return date(clock.today().year + 3, 1, 1) - timedelta(days=1)
