"""Who books and who comes: drawn from the made-up residents, by the rules that hold for everybody."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from random import Random

from sqlalchemy import insert, update

from facilities.bookings.models import Booking, BookingState
from facilities.engine.eligibility import Candidate, check_eligible
from facilities.households.models import Resident
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.ids import new_reference
from facilities.programmes.models import ActivitySession


class Pool:
    """Residents of one kind, and when each of them is taken."""

    def __init__(self, residents: Sequence[Resident], busy: Mapping[int, Sequence[tuple[datetime, datetime]]]) -> None:
        self.residents = [(resident, Candidate(resident.birth_date, resident.sex)) for resident in residents]
        self._busy = {r.id: list(busy.get(r.id, ())) for r in residents}

    def draw(self, session: ActivitySession, number: int, dice: Random) -> list[Resident]:
        """Up to `number` residents who may come to the session and are nowhere else at that time."""
        audience, day = session.audience, clock.local_date(session.starts_at)
        fitting = [resident for resident, candidate in self.residents
                   if self._is_free(resident.id, session.starts_at, session.ends_at)
                   and check_eligible(audience, candidate, day) is None]
        chosen = dice.sample(fitting, min(number, len(fitting)))
        for resident in chosen:
            self._busy[resident.id].append((session.starts_at, session.ends_at))
        return chosen

    def _is_free(self, resident_id: int, starts_at: datetime, ends_at: datetime) -> bool:
        return all(end <= starts_at or start >= ends_at for start, end in self._busy[resident_id])


def write_bookings(session: ActivitySession, residents: Iterable[Resident], state: BookingState,
                   created_at: datetime) -> None:
    """Rows as the booking service writes them, many at once; the session's counter with them."""
    rows = [{"reference": new_reference(), "session_id": session.id, "starts_at": session.starts_at,
             "ends_at": session.ends_at, "resident_id": r.id, "state": state, "created_at": created_at}
            for r in residents]
    if rows:
        db.session.execute(insert(Booking), rows)
        db.session.execute(update(ActivitySession).where(ActivitySession.id == session.id)
                           .values(places_taken=ActivitySession.places_taken + len(rows)))


def fill_places(session: ActivitySession, pools: Mapping[str, Pool], share: float, dice: Random) -> None:
    """Book a share of a coming session's places."""
    wanted = round(session.capacity * share)
    chosen: list[Resident] = []
    for name, most in (("children", wanted // 2), ("women", wanted // 2), ("men", wanted), ("children", wanted)):
        chosen += pools[name].draw(session, min(most, wanted - len(chosen)), dice)
    write_bookings(session, chosen, BookingState.CONFIRMED, clock.now())
