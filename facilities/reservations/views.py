"""Rooms and halls: find one that is free, look at its day, reserve it, move it, give it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from facilities.households import queries as households
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.kernel.ids import read_id
from facilities.kernel.refusals import Invalid, NotVisible, Refused
from facilities.kernel.spans import Span
from facilities.places.models import Space
from facilities.reservations import availability, policy, queries, services
from facilities.reservations.forms import ButtonForm, ReserveForm
from facilities.reservations.models import Reservation, ReservationState
from facilities.reservations.queries import SpaceFilter
from facilities.web.addresses import day_or, filter_id
from facilities.web.guards import current_actor, public, signed_in
from facilities.web.wording import words_for, words_for_input

blueprint = Blueprint("reservations", __name__)

LENGTHS = (30, 60, 90, 120, 180)  # minutes, as the search offers them
USUAL = 60
A_DAY, A_WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, slots=True)
class DayFree:
    """When a space is free on a day, from now on; `too_far` says that it cannot be reserved yet."""

    day: date
    spans: list[Span]
    too_far: bool


@dataclass(frozen=True, slots=True)
class Calendar:
    """A space as one looks at it: a day, how long, the spans that can be had then, and the week that begins there."""

    day: date
    minutes: int
    lengths: list[int]
    times: list[Span]
    week: list[DayFree]

    @property
    def before(self) -> date | None:
        return max(self.day - A_WEEK, clock.today()) if self.day > clock.today() else None

    @property
    def after(self) -> date:
        return self.day + A_WEEK


@blueprint.get("/rooms")
@public
def find() -> ResponseReturnValue:
    """The soonest of each space from `day` on, for `minutes`, narrowed to a `facility`."""
    day, minutes = _day(), _minutes(LENGTHS)
    facility_id = filter_id(request.args.get("facility"))
    every = queries.reservable_spaces(SpaceFilter())
    spaces = [space for space in every if facility_id in (None, space.facility_id)]
    found = availability.first_free(spaces, minutes, clock.at(day), clock.at(day + A_WEEK))
    facilities = {space.facility_id: space.facility for space in every}
    return render_template("reservations/find.html", found=found, day=day, minutes=minutes, lengths=LENGTHS,
                           facilities=facilities.values(), facility_id=facility_id)


def _day() -> date:
    return max(day_or(request.values.get("day"), clock.today()), clock.today())


def _minutes(lengths: Sequence[int], usual: int = USUAL) -> int:
    """One of the lengths that are offered, whatever the address says."""
    text = request.values.get("minutes", "")
    typed = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else usual
    return min(lengths, key=lambda n: (abs(n - typed), n))


@blueprint.get("/spaces/<space_id>")
@public
def space(space_id: str) -> ResponseReturnValue:
    found = _space(space_id)
    return render_template("reservations/space.html", space=found, facility=found.facility, calendar=_calendar(found),
                           can_be_reserved=policy.can_be_reserved(found))


def _space(space_id: str) -> Space:
    found = queries.space(read_id(space_id))
    if found is None:
        raise NotVisible
    return found


def _calendar(space: Space, moving: Reservation | None = None) -> Calendar:
    """`moving`: a reservation whose own span is in no way, and whose day and length come first."""
    day, usual, lengths = _day(), USUAL, availability.lengths_of(space)
    if moving is not None:
        usual = (moving.ends_at - moving.starts_at) // timedelta(minutes=1)
        lengths = sorted({*lengths, usual})
        if "day" not in request.values:
            day = max(clock.local_date(moving.starts_at), day)
    minutes = _minutes(lengths, usual)
    start, end = max(clock.at(day), clock.now()), clock.at(day + A_WEEK)
    free = availability.free(space, start, end + timedelta(minutes=minutes), but_for=moving.id if moving else None)
    times = availability.starts_on(space, day, minutes, free) if policy.can_be_reserved(space) else []
    return Calendar(day, minutes, lengths, times, [_of_day(space, day + n * A_DAY, free) for n in range(7)])


def _of_day(space: Space, day: date, free: Sequence[Span]) -> DayFree:
    start, end = clock.at(day), clock.at(day + A_DAY)
    spans = [Span(max(gap.starts_at, start), min(gap.ends_at, end)) for gap in free
             if gap.starts_at < end and gap.ends_at > start]
    days_ahead = space.rules.days_ahead
    return DayFree(day, spans, days_ahead is not None and day > clock.today() + days_ahead * A_DAY)


@blueprint.route("/spaces/<space_id>/reserve", methods=["GET", "POST"])
@signed_in
def reserve(space_id: str) -> ResponseReturnValue:
    """From `start` for `minutes`, as the button on the space's page said."""
    actor, found, wanted = current_actor(), _space(space_id), _wanted()
    if wanted is None:
        return redirect(url_for("reservations.space", space_id=found.id))
    form, refusal = ReserveForm(), None
    form.offer_choices(households.guardianships_of(actor))
    if form.validate_on_submit():
        try:
            made = unit_of_work(lambda: services.reserve(
                actor, found.id, read_id(form.resident_id.data), wanted.starts_at, wanted.ends_at, form.purpose.data))
        except Refused as refused:
            refusal = words_for(refused.refusal)
        else:
            return redirect(url_for("reservations.reserved", reservation_id=made.id))
        found = _space(space_id)
    page = render_template("reservations/reserve.html", space=found, facility=found.facility, form=form,
                           refusal=refusal, wanted=wanted, minutes=_length(wanted))
    return page, 409 if refusal else 422 if form.errors else 200


def _length(span: Span) -> int:
    return (span.ends_at - span.starts_at) // timedelta(minutes=1)


def _wanted() -> Span | None:
    """`start` on the district's wall clock, like 2026-11-28T09:00, and `minutes`; None where they say nothing."""
    text, minutes = request.values.get("start", ""), request.values.get("minutes", "")
    day = day_or(text[:10], date.min)
    if day == date.min or not (minutes.isascii() and minutes.isdigit() and 0 < len(minutes) < 6 and int(minutes)):
        return None
    try:
        wall = time.fromisoformat(text[11:16])
    except ValueError:
        return None
    start: datetime = clock.at(day, wall.replace(tzinfo=None))
    return Span(start, start + timedelta(minutes=int(minutes)))


@blueprint.get("/reservations/<reservation_id>")
@signed_in
def reserved(reservation_id: str) -> ResponseReturnValue:
    reservation = _own(reservation_id)
    return render_template("reservations/reserved.html", reservation=reservation, form=ButtonForm(),
                           can_change=policy.can_still_change(reservation))


def _own(reservation_id: str) -> Reservation:
    reservation = queries.own_reservation(current_actor(), read_id(reservation_id))
    if reservation is None:
        raise NotVisible
    return reservation


@blueprint.get("/my/reservations")
@signed_in
def mine() -> ResponseReturnValue:
    now = clock.now()
    rows = queries.own_reservations(current_actor())
    coming = [r for r in rows if r.state is ReservationState.CONFIRMED and r.ends_at > now]
    called_off = [r for r in rows if r.cancel_reason and r.ends_at > now]
    past = [r for r in reversed(rows) if r not in coming and r not in called_off]
    return render_template("reservations/mine.html", coming=coming, called_off=called_off, past=past,
                           form=ButtonForm(), can_change=policy.can_still_change)


@blueprint.route("/reservations/<reservation_id>/move", methods=["GET", "POST"])
@signed_in
def move(reservation_id: str) -> ResponseReturnValue:
    actor, reservation, refusal = current_actor(), _own(reservation_id), None
    if request.method == "POST" and (wanted := _wanted()):
        try:
            unit_of_work(lambda: services.move(actor, reservation.id, wanted.starts_at, wanted.ends_at))
        except Refused as refused:
            refusal = words_for(refused.refusal)
        except Invalid as invalid:
            refusal = " ".join(words_for_input(key) for key in invalid.fields.values())
        else:
            flash(_("Moved. It is yours at the new time."))
            return redirect(url_for("reservations.reserved", reservation_id=reservation.id))
        reservation = _own(reservation_id)
    found = _space(str(reservation.space_id))
    page = render_template("reservations/move.html", reservation=reservation, space=found, refusal=refusal,
                           form=ButtonForm(), calendar=_calendar(found, reservation),
                           can_change=policy.can_still_change(reservation))
    return page, 409 if refusal else 200


@blueprint.post("/reservations/<reservation_id>/cancel")
@signed_in
def cancel(reservation_id: str) -> ResponseReturnValue:
    actor, number = current_actor(), read_id(reservation_id)
    unit_of_work(lambda: services.cancel(actor, number))
    flash(_("Cancelled. The space is free for somebody else."))
    return redirect(url_for("reservations.reserved", reservation_id=number))
