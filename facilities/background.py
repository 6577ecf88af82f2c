"""What time alone brings about, done by whoever runs `bin/manage worker`: twice at once does nothing twice."""

import logging
from collections.abc import Callable, Iterator
from functools import partial

from facilities.bookings import queries as bookings
from facilities.bookings.services import settle_session
from facilities.draws import queries as draws
from facilities.draws.services import hold
from facilities.infra.db import unit_of_work
from facilities.infra.idempotency import forget_old
from facilities.kernel import clock
from facilities.people import queries as people
from facilities.people.services import gather

log = logging.getLogger(__name__)


def do_what_is_due() -> Iterator[tuple[str, int, int]]:
    """(what, how many were done, how many failed). Each thing is a unit of its own: one that fails keeps no other."""
    for name, due, do in (
        ("sessions settled", bookings.sessions_to_settle, settle_session),
        ("draws held", draws.due, hold),
        ("late bookings of merged records moved", people.to_gather, gather),
    ):
        ids = unit_of_work(partial(due, clock.now()))
        done = sum(_one(name, do, number) for number in ids)
        yield name, done, len(ids) - done
    yield "keys forgotten", unit_of_work(forget_old), 0


def _one(name: str, do: Callable[[int], object], number: int) -> bool:
    try:
        unit_of_work(partial(do, number))
    except Exception as error:  # noqa: BLE001 - whatever it is, the others have their turn
        # the message of a database error can hold what somebody typed: only the kind is logged
        log.error("%s: %s failed with %s", name, number, type(error).__name__)  # noqa: TRY400
        return False
    return True
