"""What time alone brings about, done by whoever runs `bin/manage worker`: twice at once does nothing twice."""

from collections.abc import Iterator
from functools import partial

from facilities.bookings import queries as bookings
from facilities.bookings.services import settle_session
from facilities.draws.services import hold_due
from facilities.infra.db import unit_of_work
from facilities.infra.idempotency import forget_old
from facilities.kernel import clock


def do_what_is_due() -> Iterator[tuple[str, int]]:
    """(what, how many). Each thing in a unit of work of its own, so that one that fails keeps no other from it."""
    yield "sessions settled", _settle()
    yield "draws held", hold_due()
    yield "keys forgotten", unit_of_work(forget_old)


def _settle() -> int:
    due = unit_of_work(lambda: bookings.sessions_to_settle(clock.now()))
    for session_id in due:
        unit_of_work(partial(settle_session, session_id))
    return len(due)
