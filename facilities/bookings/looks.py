"""That somebody of the staff looked at who comes to a session: on record for those who are on the list."""

from facilities.bookings import queries
from facilities.bookings.queries import LOOKED_AT_ROSTER
from facilities.infra import audit
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.web.guards import current_actor


def note_look_at_roster(session_id: int) -> bool:
    """Once for each member of staff, session and day: a desk reads its list again and again.

    True where it was written, so that what was read before has to be read again.
    """
    actor = current_actor()
    if queries.has_looked(actor, session_id, clock.at(clock.today())):
        return False
    unit_of_work(lambda: audit.note(actor, LOOKED_AT_ROSTER, "session", [session_id], sensitive=True))
    return True
