"""What has been kept long enough goes, a day before it stays."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from facilities import background
from facilities.accounts.models import KnownDevice, OneTimeCode, SignIn, SignInFailures
from facilities.bookings.models import BookingPause
from facilities.engine.eligibility import Sex
from facilities.engine.roll_call import EventKind
from facilities.feedback.models import Feedback
from facilities.households import services as households
from facilities.households.models import Invitation, Resident
from facilities.infra.db import Model, db, unit_of_work
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.no_shows.models import Appeal, Exemption
from facilities.privacy import retention
from facilities.privacy.retention import PERIODS, forget_all
from facilities.privacy.terms import Kept
from tests.conftest import NOW
from tests.privacy.people import family
from tests.world import World

DAY = timedelta(days=1)


def count(model: type[Model]) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.parametrize(
    ("what", "model", "ends_after"),
    [
        pytest.param(Kept.FAILURES, SignInFailures, timedelta(0), id="wrong passwords"),
        pytest.param(Kept.CODES, OneTimeCode, DAY, id="codes"),
        pytest.param(Kept.INVITATIONS, Invitation, timedelta(0), id="invitations"),
        pytest.param(Kept.NOTICES, Notice, timedelta(0), id="messages"),
        pytest.param(Kept.DEVICES, KnownDevice, timedelta(0), id="devices"),
        pytest.param(Kept.FEEDBACK, Feedback, timedelta(0), id="feedback"),
        pytest.param(Kept.NO_SHOWS, BookingPause, DAY, id="pauses"),
        pytest.param(Kept.NO_SHOWS, Appeal, timedelta(0), id="what was said to a missed session"),
        pytest.param(Kept.EXEMPTIONS, Exemption, timedelta(0), id="exemptions"),
    ],
)
def test_what_is_over_its_time_goes_and_no_day_earlier(
    world: World, what: Kept, model: type[Model], ends_after: timedelta
) -> None:
    family(world)
    before = count(model)
    assert before
    with clock.frozen(NOW + ends_after + PERIODS[what] - DAY):
        forget_all(what)
        assert count(model) >= 1
    with clock.frozen(NOW + ends_after + PERIODS[what] + timedelta(minutes=1)):
        forget_all(what)
        assert count(model) == 0
        assert forget_all(what) == 0


def test_a_sign_in_is_forgotten_half_a_year_after_it_ended(world: World) -> None:
    someone = world.resident()  # with a token, which runs out after 90 days
    browser = world.browser(someone)
    browser.send("/sign-out", token_from="/me")
    assert count(SignIn) == 2
    with clock.frozen(NOW + timedelta(days=179)):
        assert forget_all(Kept.SIGN_INS) == 0
    with clock.frozen(NOW + timedelta(days=181)):
        assert forget_all(Kept.SIGN_INS) == 1
    with clock.frozen(NOW + timedelta(days=269)):
        assert forget_all(Kept.SIGN_INS) == 0
    with clock.frozen(NOW + timedelta(days=271)):
        assert forget_all(Kept.SIGN_INS) == 1


def test_it_goes_batch_by_batch(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    someone, session = world.resident(), world.session()
    for _ in range(5):
        booking = world.book(someone, session)
        someone.cancel(booking.id)
    monkeypatch.setattr(retention, "AT_A_TIME", 2)
    assert count(Notice) == 5
    with clock.frozen(NOW + timedelta(days=366)):
        assert unit_of_work(lambda: retention.forget(Kept.NOTICES)) == 2
        assert forget_all(Kept.NOTICES) == 3


def at_desk(name: str) -> int:
    return unit_of_work(lambda: households.register_at_desk(name, Sex.FEMALE, None, "13700000055")).id


def test_who_was_registered_at_a_desk_and_never_came_again_is_nobody_after_three_years(world: World) -> None:
    never, came = at_desk("何人来"), at_desk("时常来")
    with_account = world.resident().resident_id
    facility = world.facility()
    administrator = world.administrator()
    with clock.frozen(NOW + timedelta(days=400)):
        session = world.session(facility, starts_in=timedelta(minutes=10))
        world.record(administrator, session, EventKind.WALK_IN, came)

    def erased() -> list[int]:
        db.session.rollback()
        return sorted(db.session.scalars(select(Resident.id).where(Resident.erased_at.is_not(None))))

    with clock.frozen(NOW + PERIODS[Kept.PERSON] - DAY):
        assert forget_all(Kept.PERSON) == 0
    with clock.frozen(NOW + PERIODS[Kept.PERSON] + DAY):
        assert forget_all(Kept.PERSON) == 1
        assert erased() == [never]
        person = db.session.get_one(Resident, never)
        assert (person.name, person.phone) == ("—", None)
    with clock.frozen(NOW + timedelta(days=402) + PERIODS[Kept.PERSON]):
        assert forget_all(Kept.PERSON) == 1
        assert erased() == [never, came]
    assert with_account not in erased()


def test_a_place_that_was_booked_while_its_holder_was_erased_is_freed(world: World) -> None:
    someone, session = world.resident(), world.session(capacity=1)
    world.book(someone, session)
    unit_of_work(lambda: setattr(db.session.get_one(Resident, someone.resident_id), "erased_at", NOW))
    assert forget_all(Kept.PERSON) == 0
    assert world.fresh(session).places_taken == 0


def test_one_kind_that_fails_keeps_no_other_from_going(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    family(world)

    def stumbles(kind: Kept) -> int:
        if kind is Kept.SIGN_INS:
            raise ZeroDivisionError("somebody's name")
        return forget_all(kind)

    monkeypatch.setattr(background, "forget_all", stumbles)
    with clock.frozen(NOW + timedelta(days=366)):
        done = {name: (well, failed) for name, well, failed in background.do_what_is_due()}
    went, failed = done["data_forgotten"]
    assert failed == 2, "twice: as long as anything goes, everything is looked at again"
    assert went > 0
    assert count(Notice) <= 2, "those of the day itself"
    assert "somebody's name" not in caplog.text
