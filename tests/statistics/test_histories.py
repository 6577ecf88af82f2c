"""Whatever happens, and in whatever order: every figure, however divided and narrowed, is what a count by hand says."""

import random
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text, update

from facilities.attendance.services import Entry, record
from facilities.bookings.models import Booking
from facilities.bookings.services import cancel_booking
from facilities.bookings.sessions import cancel_session, change_session, settle_session
from facilities.engine.eligibility import Sex
from facilities.engine.roll_call import Counts, EventKind
from facilities.households.models import Merge, Resident
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refused
from facilities.people import services as people
from facilities.places.models import Facility, FacilityKind
from facilities.programmes.models import ActivitySession, Programme, ProviderType
from facilities.statistics import behind, pages, queries, reading
from facilities.statistics.dimensions import OF_PEOPLE, Dimension, Scope
from facilities.statistics.rows import Figures
from facilities.statistics.services import verify, verify_pages
from tests.conftest import NOW
from tests.statistics import counter
from tests.world import Someone, World

BIRTHS = (None, date(2024, 2, 29), date(2019, 9, 20), date(2008, 9, 18), date(1991, 10, 1), date(1966, 9, 16),
          date(1956, 9, 10), date(1940, 1, 1))  # fmt: skip
KINDS = (EventKind.PRESENT,) * 6 + (
    EventKind.WALK_IN,
    EventKind.ABSENT,
    EventKind.ABSENT,
    EventKind.EXCUSED,
    EventKind.LEAVE,
)
REFUSALS = (Refused, Invalid, NotVisible, NotPermitted)


class History:
    """Two places, four programmes, a dozen people and as many sessions over three months, and what befalls them."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.chance = world, random.Random(seed)
        self.administrator = world.administrator()
        self.places = [world.facility(community="桥口社区"), world.facility()]
        self.programmes = [world.programme() for _ in range(3)]
        self._provide()
        self.people = [world.resident(sex=self.chance.choice(list(Sex))) for _ in range(12)]
        self.sessions: list[int] = []
        self.events: list[tuple[int, UUID]] = []
        for someone in self.people:
            self.correct(someone.resident_id)
        for _ in range(8):
            self.announce()

    def _provide(self) -> None:
        def provide() -> None:
            for programme, provider in zip(self.programmes, ProviderType, strict=False):
                db.session.execute(
                    update(Programme)
                    .where(Programme.id == programme.id)
                    .values(provider_type=provider, volunteer=provider is ProviderType.COMPANY)
                )
            home = update(Facility).where(Facility.id == self.places[1].id)
            db.session.execute(home.values(kind=FacilityKind.YUXIN_HOME))

        unit_of_work(provide)

    def session(self) -> ActivitySession:
        return db.session.get_one(ActivitySession, self.chance.choice(self.sessions))

    def someone(self) -> Someone:
        return self.chance.choice(self.people)

    # -- what can befall

    def announce(self) -> None:
        with clock.frozen(NOW - timedelta(days=80)):
            starts_at = NOW + timedelta(days=self.chance.randrange(-70, 2), hours=self.chance.randrange(0, 15))
            made = self.world.session(
                self.chance.choice(self.places),
                self.chance.choice(self.programmes),
                starts_at=starts_at,
                lasts=timedelta(minutes=self.chance.choice((45, 90, 125))),
                capacity=self.chance.choice((1, 2, 5)),
            )
        self.sessions.append(made.id)

    def book(self) -> None:
        session, someone = self.session(), self.someone()
        with clock.frozen(session.starts_at - timedelta(days=4, minutes=self.chance.randrange(600))):
            someone.api.call(
                "POST",
                "/bookings",
                json={"session_id": str(session.id), "resident_ids": [str(someone.resident_id)], "waitlist": True},
            )

    def cancel(self) -> None:
        booking = db.session.scalars(select(Booking).order_by(Booking.id)).all()
        if booking:
            one = self.chance.choice(booking)
            owner = next((p for p in self.people if p.resident_id == one.resident_id), self.people[0])
            with clock.frozen(one.starts_at - timedelta(days=2)):
                unit_of_work(lambda: cancel_booking(owner.actor, one.id))
                settle_session_soon(one.session_id)

    def tick(self) -> None:
        """Some entries at once, as a device sends them that was without network: in any order, some of them again."""
        session = self.session()
        entries = [self._entry(session) for _ in range(self.chance.randrange(1, 5))]
        self.chance.shuffle(entries)
        with clock.frozen(min(session.ends_at + timedelta(hours=3), NOW + timedelta(days=3))):
            unit_of_work(lambda: record(self.administrator.actor, entries))
            if self.chance.random() < 0.2:
                unit_of_work(lambda: record(self.administrator.actor, entries))
        self.events += [(session.id, entry.id) for entry in entries]

    def _entry(self, session: ActivitySession) -> Entry:
        moment = session.starts_at + timedelta(minutes=self.chance.randrange(-10, 40))
        device = self.chance.choice(("tablet", "phone"))
        if self.chance.random() < 0.2:
            women, children, men = (self.chance.randrange(4) for _ in range(3))
            counts = Counts(
                women,
                children,
                men,
                self.chance.randrange(women + men + 1),
                self.chance.randrange(women + children + men + 1),
            )
            return Entry(uuid4(), session.id, EventKind.HEAD_COUNT, moment, counts=counts, device=device)
        kind = self.chance.choice(KINDS)
        unnamed = kind is EventKind.WALK_IN and self.chance.random() < 0.5
        return Entry(uuid4(), session.id, kind, moment, None if unnamed else self.someone().resident_id, device=device)

    def void(self) -> None:
        if self.events:
            session_id, event_id = self.chance.choice(self.events)
            session = db.session.get_one(ActivitySession, session_id)
            entry = Entry(uuid4(), session_id, EventKind.VOID, session.starts_at, voids=event_id)
            unit_of_work(lambda: record(self.administrator.actor, [entry]))

    def move(self) -> None:
        session = self.session()
        starts_at = session.starts_at + timedelta(days=self.chance.choice((-31, -3, 0, 2, 29)))
        changes = self.chance.choice((
            {"starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=self.chance.choice((60, 95)))},
            {"programme_id": self.chance.choice(self.programmes).id},
            {"capacity": session.capacity + 1}))  # fmt: skip
        with clock.frozen(session.starts_at - timedelta(days=5)):
            unit_of_work(lambda: change_session(self.administrator.actor, session.id, changes))

    def call_off(self) -> None:
        if self.chance.random() < 0.3:
            session = self.session()
            with clock.frozen(session.starts_at - timedelta(days=1)):
                unit_of_work(lambda: cancel_session(self.administrator.actor, session.id, "停电"))

    def correct(self, resident_id: int | None = None) -> None:
        """What is known of somebody changes, by whichever way: this one is not a service at all."""
        disability = self.chance.choice(((None, None), (None, None), (1, 2), (4, 1), (6, 3)))
        values = {
            "birth_date": self.chance.choice(BIRTHS),
            "sex": self.chance.choice(list(Sex)),
            "disability_category": disability[0],
            "disability_grade": disability[1],
        }
        unit_of_work(
            lambda: db.session.execute(
                update(Resident).where(Resident.id == (resident_id or self.someone().resident_id)).values(**values)
            )
        )

    def merge(self) -> None:
        kept, gone = self.chance.sample(self.people, 2)
        unit_of_work(lambda: people.merge(self.administrator.actor, kept.resident_id, gone.resident_id, "重复"))

    def part(self) -> None:
        merges = db.session.scalars(select(Merge.id).where(Merge.undone_at.is_(None))).all()
        if merges:
            unit_of_work(lambda: people.undo(self.administrator.actor, self.chance.choice(merges)))

    def refresh(self) -> None:
        unit_of_work(pages.refresh)
        if self.chance.random() < 0.7:
            unit_of_work(pages.settle)

    def goes_on(self, steps: int) -> None:
        every: tuple[tuple[Callable[[], None], int], ...] = (
            (self.tick, 10), (self.book, 8), (self.void, 3), (self.cancel, 2), (self.move, 2), (self.correct, 2),
            (self.merge, 1), (self.part, 1), (self.call_off, 1), (self.announce, 1), (self.refresh, 4))  # fmt: skip
        for _ in range(steps):
            (step,) = self.chance.choices([do for do, _ in every], [weight for _, weight in every])
            try:
                step()
            except REFUSALS:
                db.session.rollback()

    def question(self) -> tuple[Scope, list[Dimension]]:
        """Any period, any filters, any dimensions."""
        first = NOW.date() + timedelta(days=self.chance.randrange(-110, 20))
        period = self.chance.choice((
            (date(2026, 1, 1), date(2026, 12, 31)),
            (date(2026, 8, 1), date(2026, 9, 30)),
            (date(2026, 9, 1), date(2026, 9, 30)),
            (date(2026, 6, 1), date(2026, 9, 1 + self.chance.randrange(30))),
            (first, first),
            (first, first + timedelta(days=self.chance.randrange(60))),
            (first, first + timedelta(days=self.chance.randrange(200)))))  # fmt: skip
        narrowing = {
            "facility_id": [p.id for p in self.places], "programme_id": [p.id for p in self.programmes],
            "facility_kind": ["yuhao_space", "yuxin_home"],
            "sub_district_code": ["500104004", "500104001"], "community_id": [self.places[0].community_id],
            "provider_type": list(ProviderType), "volunteer": ["yes", "no"],
            "category": ["women", "children", "men", "unknown", "elders", "disabled"],
            "sex": ["female", "male", "unknown"], "age_band": ["18-34", "60-69", "0-2", "unknown"],
            "disability_category": ["4", "unknown"], "disability_grade": ["1", "unknown"],
        }  # fmt: skip
        chosen = self.chance.sample(sorted(narrowing), self.chance.choice((0, 0, 1, 1, 2, 3)))
        values = {name: self.chance.choice(narrowing[name]) for name in chosen}  # type: ignore[arg-type]
        return Scope(*period, **values), self.chance.sample(list(Dimension), self.chance.choice((0, 1, 1, 2, 3)))


def settle_session_soon(session_id: int) -> None:
    unit_of_work(lambda: settle_session(session_id))


def by_hand(scope: Scope, dimensions: list[Dimension]) -> tuple[dict[tuple[str, ...], Figures], Figures]:
    def number(value: int | None) -> str | None:
        return None if value is None else str(value)

    asked = {
        "facility": number(scope.facility_id), "programme": number(scope.programme_id),
        "facility_kind": scope.facility_kind, "sub_district": scope.sub_district_code,
        "community": number(scope.community_id),
        "provider_type": scope.provider_type, "volunteer": scope.volunteer, "sex": scope.sex,
        "age_band": scope.age_band, "disability_category": scope.disability_category,
        "disability_grade": scope.disability_grade,
    }  # fmt: skip
    facts = [fact for fact in counter.all_facts() if scope.first <= fact.day <= scope.last
             and all(value in (None, fact.of(name)) for name, value in asked.items())]  # fmt: skip
    rooms, of_people = counter.rooms(), scope.of_people or bool({*dimensions} & {*OF_PEOPLE})
    names = [d.value for d in dimensions]
    rows = {key: Figures(*counter.counted(some, rooms, of_people=of_people))
            for key, some in counter.by(facts, names, scope.category).items()}  # fmt: skip
    everything = [fact for fact in facts if (scope.category in fact.groups if scope.category else fact.splits)]
    return rows, Figures(*counter.counted(everything, rooms, of_people=scope.of_people))


def is_as_counted(scope: Scope, dimensions: list[Dimension]) -> int:
    """The person-times in it."""
    ledger = queries.Ledger(scope)
    rows = {tuple(row.of[d] for d in dimensions): row.figures for row in ledger.rows(dimensions)}
    expected, total = by_hand(scope, dimensions)
    assert rows == expected, (scope, dimensions)
    assert ledger.total() == total, scope
    sessions = behind.sessions(scope, behind.session_ids(scope))
    assert len(sessions) == total.sessions_held
    assert sum(counted.figures.person_times for counted in sessions) == total.person_times
    return total.person_times


@pytest.mark.parametrize("seed", range(4))
def test_every_figure_is_what_a_count_by_hand_says(
    world: World, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(world, seed)
    seen = 0
    for _ in range(6):
        history.goes_on(25)
        seen += sum(is_as_counted(*history.question()) for _ in range(6))
    assert seen > 100, "a history in which nobody comes shows nothing"
    assert verify()[1] == []
    while unit_of_work(pages.refresh):
        pass
    scope, dimensions = history.question()
    before = queries.beneficiaries(scope, dimensions)
    while unit_of_work(pages.settle):
        pass
    looked_at, wrong = verify_pages()
    assert looked_at > 6
    assert wrong == []
    assert queries.beneficiaries(scope, dimensions) == before, "sheets say what pages say"
    for number in range(20):  # all of it from sheets: of days, dekads, months, quarters, years
        monkeypatch.setattr(reading, "FEW", number % 2 * 6)  # a place or two from their pages, and as many would be
        is_as_counted(*history.question())


def test_the_count_by_hand_sees_a_page_that_is_wrong(world: World) -> None:
    """Otherwise the two could be wrong together: what is written into a page behind its back is told apart."""
    history = History(world, 1)
    history.goes_on(60)
    unit_of_work(pages.refresh)
    year = Scope(date(2026, 1, 1), date(2026, 12, 31))
    assert queries.total(year) == by_hand(year, [])[1]
    unit_of_work(
        lambda: db.session.execute(
            text(
                "UPDATE ledger_pages SET (counts, people) = "
                "(SELECT counts, people FROM ledger_pages ORDER BY length(people) DESC LIMIT 1)"
            )
        )
    )
    assert queries.total(year) != by_hand(year, [])[1]
    _, wrong = verify_pages()
    assert wrong
    assert {key for key in wrong if key[1] and key[2]} <= set(verify_pages(mend=True)[1])
    assert queries.total(year) == by_hand(year, [])[1]
    while unit_of_work(pages.settle):
        pass
    assert verify_pages()[1] == []
    assert queries.total(year) == by_hand(year, [])[1]
