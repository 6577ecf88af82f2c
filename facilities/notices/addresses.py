"""Where messages lead: the page of what they are about."""

from flask import current_app

# What a message is about → the page that shows it, and what that page calls its number.
PAGES = {"booking": ("bookings.booked", "booking_id"), "draw": ("draws.draw", "draw_id"),
         "reservation": ("reservations.reserved", "reservation_id"), "resident": ("households.member", "resident_id")}
OF_A_KIND = {  # where that is another one
    "feedback": ("feedback.give", "booking_id"),
    **dict.fromkeys(("no_show_warned", "no_show_paused", "no_show_pause_lifted", "appeal_answered"),
                    ("no_shows.one", "booking_id"))}


def page_about(kind: str, about_kind: str) -> tuple[str, str] | None:
    """Endpoint and argument; None where there is none."""
    found = OF_A_KIND.get(kind) or PAGES.get(about_kind)
    return found if found and found[0] in current_app.view_functions else None
