"""What time alone brings about, as jobs: how often each runs, and what it does.

Two workers at once do nothing twice: a run is claimed in our own database (`jobs.services.claim`), and what a job does
is held by the locks and keys of what it does it to. Whoever adds a job adds a line here and a word in `web.parts`.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock

from flask import current_app

from config import Settings
from facilities.accounts import grants
from facilities.accounts.services import lapse
from facilities.bookings import queries as bookings
from facilities.bookings.roll import close_the_roll
from facilities.bookings.sessions import settle_session
from facilities.draws import queries as draws
from facilities.draws.services import hold
from facilities.engine.messages import Channel
from facilities.feedback import queries as feedback
from facilities.feedback.services import ask
from facilities.households import queries as households
from facilities.households import registration
from facilities.households.services import come_of_age
from facilities.infra.db import db, unit_of_work
from facilities.infra.idempotency import forget_old
from facilities.jobs.services import Outcome, begin_by_hand, claim, forget_old_runs, note_end
from facilities.kernel import clock
from facilities.no_shows import queries as no_shows
from facilities.no_shows.services import follow
from facilities.notices.channels.installed import installed, opened
from facilities.notices.delivery import deliver, dispatch
from facilities.notices.preferences import forget_unconfirmed
from facilities.notices.reminders import remind
from facilities.people import queries as people
from facilities.people.services import gather
from facilities.privacy.retention import CARRIED_OUT, forget_all
from facilities.privacy.terms import Kept
from facilities.reports import queries as reports
from facilities.reports.services import note_correction
from facilities.statistics.pages import refresh, settle
from facilities.statistics.publishing import Statement, looks, periods_over, publish
from facilities.statistics.services import verify, verify_pages

log = logging.getLogger(__name__)

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SOON = timedelta(seconds=5)
NIGHT = timedelta(hours=19)  # three in the morning in the district, from the midnight of UTC
MOST_ROUNDS = 5  # of one job's outcome being another's work: an offer runs out, the next is told


@dataclass(frozen=True, slots=True)
class Job:
    """`offset`: when within its interval it runs. `by_itself`: it asks for much, and runs only when it is its time."""

    name: str
    every: timedelta
    do: Callable[[], Outcome]
    offset: timedelta = timedelta()
    by_itself: bool = False

    def slot(self, moment: datetime) -> int:
        """The number of the run that is due at a moment."""
        return int((moment.timestamp() - self.offset.total_seconds()) // self.every.total_seconds())

    def starts(self, slot: int) -> datetime:
        """When a run is due."""
        seconds = slot * self.every.total_seconds() + self.offset.total_seconds()
        return datetime.fromtimestamp(seconds, UTC)


def jobs(settings: Settings) -> tuple[Job, ...]:
    """In the order in which one's outcome is the next one's work."""
    return (
        Job("sessions_settled", timedelta(seconds=20), _each(bookings.sessions_to_settle, settle_session)),
        Job("draws_held", timedelta(seconds=20), _each(draws.due, hold)),
        Job("grants_lapsed", HOUR, _each(grants.due_to_lapse, lapse)),
        Job("children_come_of_age", HOUR, _each(households.come_of_age, come_of_age)),
        Job("merged_records_followed", 5 * MINUTE, _each(people.to_gather, gather)),
        Job("rolls_closed", HOUR, _each(bookings.rolls_to_close, close_the_roll)),
        Job("no_shows_followed", 10 * MINUTE, _each(no_shows.to_follow, follow)),
        Job("feedback_asked", 10 * MINUTE, _each(feedback.sessions_to_ask, ask)),
        Job("figures_followed", MINUTE, _until_done(refresh)),
        Job("sheets_gathered", HOUR, _until_done(settle)),
        Job("reminders", MINUTE, _whole(remind)),
        Job("messages_planned", SOON, _plan_messages),
        *(Job(f"messages_{channel}", SOON, partial(_send_messages, channel)) for channel in installed(settings)),
        Job("keys_forgotten", 10 * MINUTE, _whole(forget_old)),
        Job("registrations_forgotten", 10 * MINUTE, _whole(registration.forget_old)),
        Job("addresses_forgotten", 10 * MINUTE, _whole(forget_unconfirmed)),
        Job("data_forgotten", HOUR, _forget_what_is_over),
        Job("runs_forgotten", DAY, _whole(forget_old_runs), NIGHT),
        Job("reports_corrected", DAY, _correct_reports, NIGHT),
        Job("figures_checked", DAY, _check_figures, NIGHT, by_itself=True),
        Job("open_data_published", DAY, publish_open_data, NIGHT + HOUR / 2, by_itself=True),
    )


_running: dict[str, Lock] = {}


def run(job: Job, slot: int) -> None:
    """This run, if nobody else has it, and unless the one before is still at it here.

    A run of a worker that was killed keeps nobody from the next one: it holds nothing.
    """
    lock = _running.setdefault(job.name, Lock())
    if not lock.acquire(blocking=False):
        return
    try:
        if unit_of_work(partial(claim, job.name, job.every, slot, job.starts(slot + 1))):
            _carry_out(job, slot)
    finally:
        lock.release()


def _carry_out(job: Job, slot: int) -> Outcome:
    """Whatever goes wrong with a job as a whole, the others have their turn."""
    began, outcomes = clock.machine_time(), list[Outcome]()
    kind = _failure(job.name, lambda: outcomes.append(job.do()))
    outcome = Outcome(failed=1, failure=kind) if kind else outcomes[0]
    unit_of_work(partial(note_end, job.name, slot, began, outcome))
    return outcome


def do_what_is_due() -> Iterator[tuple[str, int, int]]:
    """Everything, here and now, as long as there is more to do: (job, how many were done, how many failed)."""
    every = [job for job in jobs(current_app.config["HUIMIN_SETTINGS"]) if not job.by_itself]
    done, failed = Counter[str](), Counter[str]()
    for _ in range(MOST_ROUNDS):
        before = done.total()
        for job in every:
            slot = job.slot(clock.machine_time())
            unit_of_work(partial(begin_by_hand, job.name, job.every, slot, job.starts(slot + 1)))
            outcome = _carry_out(job, slot)
            done[job.name] += outcome.done
            failed[job.name] += outcome.failed
        if done.total() == before:
            break
    yield from ((job.name, done[job.name], failed[job.name]) for job in every)


def _each(due: Callable[[datetime], list[int]], do: Callable[[int], object]) -> Callable[[], Outcome]:
    """Each thing is a unit of its own: one that fails keeps no other from its turn."""
    def job() -> Outcome:
        numbers = unit_of_work(lambda: due(clock.now()))
        failures = [kind for number in numbers if (kind := _failure_with(do, number))]
        return Outcome(len(numbers) - len(failures), len(failures), failures[-1] if failures else None)

    return job


def _failure(what: str, do: Callable[[], object]) -> str | None:
    """The kind of what went wrong, which is all that is logged; what comes after it has its turn."""
    try:
        do()
    except Exception as error:  # noqa: BLE001 - whatever it is, the others have their turn
        kind = type(error).__name__
        log.error("%s failed with %s", what, kind)  # noqa: TRY400 - a traceback has its words
        return kind
    return None


def _failure_with(do: Callable[[int], object], number: int) -> str | None:
    """Of one of several things, in a unit of its own."""
    return _failure(f"{do.__name__}: {number}", partial(unit_of_work, partial(do, number)))


def _whole(do: Callable[[], int]) -> Callable[[], Outcome]:
    return lambda: Outcome(unit_of_work(do))


def _until_done(do: Callable[[], int]) -> Callable[[], Outcome]:
    """Some at a time, each time a unit of its own, so that nobody waits for long."""
    def job() -> Outcome:
        done = 0
        while some := unit_of_work(do):
            done += some
        return Outcome(done)

    return job


def _plan_messages() -> Outcome:
    channels, done = installed(current_app.config["HUIMIN_SETTINGS"]), 0
    while planned := unit_of_work(partial(dispatch, channels)):
        done += planned
    return Outcome(done)


def _send_messages(channel: Channel) -> Outcome:
    with opened(current_app.config["HUIMIN_SETTINGS"]) as ways:
        done, failed = deliver(channel, ways[channel])
    return Outcome(done, failed, "Undelivered" if failed else None)


def _forget_what_is_over() -> Outcome:
    done = list[int]()

    def forget(kind: Kept) -> None:
        done.append(forget_all(kind))

    failures = [failure for kind in CARRIED_OUT
                if (failure := _failure(f"{kind.value}: forgetting", partial(forget, kind)))]
    return Outcome(sum(done), len(failures), failures[-1] if failures else None)


def _correct_reports() -> Outcome:
    """Each report is a unit of its own. Done are the corrections that were made: none where nothing differs."""
    made: list[int] = []

    def correct(number: int) -> None:
        if note_correction(number) is not None:
            made.append(number)

    failures = [kind for number in unit_of_work(reports.report_ids) if (kind := _failure_with(correct, number))]
    return Outcome(len(made), len(failures), failures[-1] if failures else None)


def _check_figures() -> Outcome:
    """What differs counts as failed: `bin/manage statistics verify` says where.

    Counted again where something differs: a tap may have come between two of the queries.
    """
    looked_at, differences = verify()
    if differences:
        db.session.rollback()
        again = verify()[1]
        differences = [difference for difference in differences if difference in again]
    pages, wrong = verify_pages()
    failed = len({difference.session_id for difference in differences}) + len(wrong)
    return Outcome(looked_at + pages - failed, failed, "Difference" if failed else None)


def publish_open_data(progress: Callable[[int, int], None] = lambda done, of: None) -> Outcome:
    """Months that are over, where nothing is said of them yet or something else is true now; each is a unit of its own.

    What is to be said is worked out before the unit begins: it can take seconds, in which nobody could write.
    """
    periods, done, failures = periods_over(), list[str](), list[str]()

    def say(period: str, look: Callable[[], Statement | None]) -> None:
        statement = look()
        if statement is not None:
            unit_of_work(partial(publish, statement))
            done.append(period)

    for number, (period, look) in enumerate(looks(periods), 1):
        if kind := _failure(f"open data of {period}", partial(say, period, look)):
            failures.append(kind)
            db.session.rollback()
        progress(number, len(periods))
    return Outcome(len(done), len(failures), failures[-1] if failures else None)
