"""What time alone brings about, done by whoever runs `bin/manage worker`: twice at once does nothing twice."""

import logging
from collections.abc import Callable, Iterator
from functools import partial

from flask import current_app

from facilities.accounts import grants
from facilities.accounts.services import lapse
from facilities.bookings import queries as bookings
from facilities.bookings.services import settle_session
from facilities.draws import queries as draws
from facilities.draws.services import hold
from facilities.households import queries as households
from facilities.households import registration
from facilities.households.services import come_of_age
from facilities.infra.db import unit_of_work
from facilities.infra.idempotency import forget_old
from facilities.kernel import clock
from facilities.notices.channels.installed import opened
from facilities.notices.delivery import deliver, dispatch
from facilities.notices.reminders import remind
from facilities.people import queries as people
from facilities.people.services import gather
from facilities.privacy.retention import CARRIED_OUT, forget_all

log = logging.getLogger(__name__)


def do_what_is_due() -> Iterator[tuple[str, int, int]]:
    """(what, how many were done, how many failed). Each thing is a unit of its own: one that fails keeps no other."""
    for name, due, do in (
        ("sessions settled", bookings.sessions_to_settle, settle_session),
        ("draws held", draws.due, hold),
        ("grants lapsed", grants.due_to_lapse, lapse),
        ("children come of age", households.come_of_age, come_of_age),
        ("late bookings of merged records moved", people.to_gather, gather),
    ):
        ids = unit_of_work(partial(due, clock.now()))
        done = sum(_one(name, do, number) for number in ids)
        yield name, done, len(ids) - done
    yield "keys forgotten", unit_of_work(forget_old), 0
    yield "registrations forgotten", unit_of_work(registration.forget_old), 0
    yield "reminded", unit_of_work(remind), 0
    with opened(current_app.config["HUIMIN_SETTINGS"]) as ways:
        while unit_of_work(partial(dispatch, tuple(ways))):
            pass
        for channel, way in ways.items():
            yield f"messages sent by {channel}", *deliver(channel, way)


def forget_what_is_over() -> Iterator[tuple[str, int, int]]:
    """The same of what has been kept long enough. It looks at whole tables, so once an hour is often enough."""
    for kind in CARRIED_OUT:
        try:
            yield f"{kind.value} forgotten", forget_all(kind), 0
        except Exception as error:  # noqa: BLE001 - as below
            log.error("%s: forgetting failed with %s", kind.value, type(error).__name__)  # noqa: TRY400
            yield f"{kind.value} forgotten", 0, 1


def _one(name: str, do: Callable[[int], object], number: int) -> bool:
    try:
        unit_of_work(partial(do, number))
    except Exception as error:  # noqa: BLE001 - whatever it is, the others have their turn
        # the message of a database error can hold what somebody typed: only the kind is logged
        log.error("%s: %s failed with %s", name, number, type(error).__name__)  # noqa: TRY400
        return False
    return True
