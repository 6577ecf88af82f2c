"""That somebody of the staff read what a person said to a no-show, or why they are exempt: on record for them."""

from collections.abc import Collection

from facilities.infra import audit
from facilities.infra.db import unit_of_work
from facilities.kernel import clock
from facilities.no_shows import queries
from facilities.no_shows.queries import LOOKED_AT
from facilities.web.guards import current_actor


def note_looks(resident_ids: Collection[int]) -> bool:
    """Once for each member of staff, person and day: a desk reads its list again and again.

    True where it was written, so that what was read before has to be read again.
    """
    actor = current_actor()
    new = set(resident_ids) - queries.looked_at(actor, resident_ids, clock.at(clock.today()))
    if not new:
        return False
    unit_of_work(lambda: audit.note(actor, LOOKED_AT, "resident", sorted(new), sensitive=True))
    return True
