"""What calendars say of bookings, reservations and sessions, in the reader's language.

Calendars are copied to servers of others: no person's name is in them, no purpose of a reservation, and where a place
says something about somebody's health, not the place either.
"""

from collections.abc import Mapping

from flask_babel import gettext as _

from facilities.bookings.models import LIVE, Booking, BookingState
from facilities.calendars.ical import Entry
from facilities.places.models import DISCREET_KINDS, Facility, Space
from facilities.programmes.models import ActivitySession
from facilities.reservations.models import Reservation, ReservationState
from facilities.web.addresses import whole_address
from facilities.web.language import in_language

# Within one version of its session a booking goes only upwards.
_RANK: Mapping[BookingState, int] = {BookingState.WAITLISTED: 0, BookingState.OFFERED: 1}
_CONFIRMED, _OVER, _STEPS = 2, 3, 4
_TENTATIVE = (BookingState.WAITLISTED, BookingState.OFFERED)


def of_booking(booking: Booking) -> Entry:
    session = booking.session
    discreet = session.facility.kind in DISCREET_KINDS
    is_live = booking.state in LIVE
    rank = _RANK.get(booking.state, _CONFIRMED) if is_live else _OVER
    status = "CANCELLED" if not is_live else "TENTATIVE" if booking.state in _TENTATIVE else "CONFIRMED"
    return Entry(
        f"booking-{booking.id}", _STEPS * session.version + rank, booking.starts_at, booking.ends_at,
        _("Your booking") if discreet else in_language(session, "title"), status,
        "" if discreet else _place(session.facility, session.space), _said(booking.state, booking.reference),
        whole_address("bookings.booked", booking_id=booking.id), reminds=status == "CONFIRMED")


def _said(state: BookingState, reference: str) -> str:
    if state is BookingState.WAITLISTED:
        return _("You are on the waiting list.")
    if state is BookingState.OFFERED:
        return _("A place is offered to you. Please answer.")
    return _("Code for the door: %(code)s", code=reference)


def of_reservation(reservation: Reservation) -> Entry:
    cancelled = reservation.state is ReservationState.CANCELLED
    discreet = reservation.facility.kind in DISCREET_KINDS
    return Entry(
        f"reservation-{reservation.id}", 2 * reservation.moves + cancelled, reservation.starts_at, reservation.ends_at,
        _("Your reservation") if discreet else in_language(reservation.space),
        "CANCELLED" if cancelled else "CONFIRMED",
        "" if discreet else _place(reservation.facility, reservation.space),
        _("Code for the door: %(code)s", code=reservation.reference),
        whole_address("reservations.reserved", reservation_id=reservation.id), reminds=True)


def of_session(session: ActivitySession) -> Entry:
    """As everybody sees it."""
    said = session.details or ""
    if session.is_cancelled and session.cancel_reason:
        said = session.cancel_reason
    return Entry(
        f"session-{session.id}", 2 * session.version + session.is_cancelled, session.starts_at, session.ends_at,
        in_language(session, "title"), "CANCELLED" if session.is_cancelled else "CONFIRMED",
        _place(session.facility, session.space), said, whole_address("bookings.session", session_id=session.id))


def _place(facility: Facility, space: Space | None) -> str:
    names = [in_language(facility), in_language(space) if space else "", facility.address]
    return ", ".join(name for name in names if name)
