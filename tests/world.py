"""People and places for a test, made through the services that everybody uses."""

import itertools
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import select, update

from facilities.accounts import devices
from facilities.accounts import services as accounts
from facilities.accounts.models import Grant, SignInKind, User
from facilities.attendance import services as attendance
from facilities.attendance.services import Entry, Result
from facilities.bookings import services as bookings
from facilities.bookings.models import Booking
from facilities.engine.eligibility import Audience, Sex
from facilities.engine.limits import Limits
from facilities.engine.roll_call import Counts, EventKind
from facilities.households import services as households
from facilities.households.models import Guardianship, Relation
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.kernel.actors import Actor, Granted, Role
from facilities.places import services as places
from facilities.places.models import Facility, FacilityKind, Space, SpaceKind
from facilities.programmes import services as programmes
from facilities.programmes.models import ActivitySession, Programme
from facilities.programmes.services import Offer
from tests.client import Browser, Caller

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)

PASSWORD = "correct horse battery"


CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # whoever stole it could try a million a second


@cache
def _hash() -> str:
    return CHEAP.hash(PASSWORD)


@dataclass
class Someone:
    """A user with what a test needs to act as them."""

    user: User
    actor: Actor
    token: str
    api: Caller
    resident_id: int = 0

    @property
    def login(self) -> str:
        return self.user.login

    def ask(self, session: ActivitySession, *resident_ids: int, status: int = 201, **more: Any) -> Any:
        """Places over the API: for these residents, or for oneself."""
        ids = [str(resident_id) for resident_id in resident_ids or (self.resident_id,)]
        return self.api.post("/bookings", {"session_id": str(session.id), "resident_ids": ids, **more}, status=status)

    def wait(self, session: ActivitySession, *resident_ids: int) -> list[str]:
        """Places, or turns on the list; the bookings' ids."""
        return [item["id"] for item in self.ask(session, *resident_ids, if_full="waitlist")["items"]]

    def cancel(self, booking_id: int | str, status: int = 200) -> Any:
        return self.api.post(f"/bookings/{booking_id}/cancel", status=status)

    def state(self, booking_id: int | str) -> str:
        return str(self.api.get(f"/bookings/{booking_id}")["status"])


class World:
    """Each method commits: requests of the test client see what it made."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._numbers = itertools.count(1)

    def number(self) -> int:
        return next(self._numbers)

    # -- people

    def resident(self, *, birth_date: date = date(1988, 4, 12), sex: Sex = Sex.FEMALE, name: str = "陈晓梅") -> Someone:
        phone = f"139{self.number():08}"
        user = unit_of_work(lambda: households.register(phone, _hash(), name, birth_date, sex))
        someone = self._someone(user)
        theirs = select(Guardianship.resident_id).where(Guardianship.user_id == user.id)
        someone.resident_id = db.session.execute(theirs).scalar_one()
        db.session.rollback()
        return someone

    def member(
        self,
        of: Someone,
        *,
        birth_date: date = date(2018, 3, 8),
        sex: Sex = Sex.MALE,
        relation: Relation = Relation.CHILD,
        name: str = "陈子轩",
    ) -> int:
        return unit_of_work(lambda: households.add_resident(of.actor, relation, name, birth_date, sex)).resident_id

    def family(self, people: int) -> tuple[Someone, list[int]]:
        """An account and the residents for whom it acts, its owner first."""
        someone = self.resident()
        return someone, [someone.resident_id, *(self.member(someone) for _ in range(people - 1))]

    def also_acts_for(self, someone: Someone, resident_id: int, relation: Relation = Relation.CHILD) -> None:
        """A second account for one resident: the other parent."""
        link = Guardianship(
            user_id=someone.user.id, resident_id=resident_id, relation=relation, consented_at=clock.now()
        )
        unit_of_work(lambda: db.session.add(link))

    def manager(self, *facilities: Facility) -> Someone:
        return self._staff([Granted(Role.MANAGER, f.id) for f in facilities])

    def administrator(self) -> Someone:
        return self._staff([Granted(Role.ADMINISTRATOR)])

    def _staff(self, grants: list[Granted]) -> Someone:
        login = f"staff-{self.number()}"
        user = unit_of_work(lambda: accounts.create_user(login, login, _hash(), grants))
        since = update(Grant).where(Grant.user_id == user.id).values(starts_at=LONG_AGO)  # tests travel back, too
        unit_of_work(lambda: db.session.execute(since))
        return self._someone(user)

    def _someone(self, user: User) -> Someone:
        token, _ = unit_of_work(lambda: accounts.open_sign_in(user, SignInKind.TOKEN))
        found = accounts.find_sign_in(token, SignInKind.TOKEN)
        assert found is not None
        return Someone(user, found.actor, token, Caller(self.app, token))

    def browser(self, someone: Someone | None = None, language: str = "en") -> Browser:
        """Signed in from a browser that is known: of another one its owner would have a message.

        What the page for it does, without the page; `Browser.sign_in` is for tests of that.
        """
        browser = Browser(self.app.test_client(), language)
        if someone is not None:
            device, secret = unit_of_work(lambda: self._remember(someone.user.id))
            browser.client.set_cookie("device", device)
            with browser.client.session_transaction() as session:
                session.permanent = True
                session["_user_id"], session["_fresh"] = secret, True
            db.session.rollback()
        return browser

    @staticmethod
    def _remember(user_id: int) -> tuple[str, str]:
        device, user = devices.remember(user_id, None), db.session.get_one(User, user_id)
        secret, _ = accounts.open_sign_in(user, SignInKind.BROWSER, device=devices.in_words("Werkzeug/3"))
        return device, secret

    # -- places and what is on offer

    def facility(self, kind: FacilityKind = FacilityKind.YUHAO_SPACE, **more: Any) -> Facility:
        name = more.pop("name", f"桥口社区“渝好空间”{self.number()}")
        more.setdefault("name_en", f"Qiaokou Yuhao Space {self.number()}")
        return unit_of_work(lambda: places.add_facility(kind, name, "大渡口区茄子溪街道桥口社区", "500104004", **more))

    def space(self, facility: Facility, name: str | None = None, parent: Space | None = None) -> Space:
        name = name or f"活动室{self.number()}"
        return unit_of_work(
            lambda: places.add_space(facility, name, SpaceKind.ROOM, parent_id=parent.id if parent else None)
        )

    def programme(
        self, audience: Audience | None = None, name: str | None = None, limits: Limits | None = None
    ) -> Programme:
        name = name or f"好育课堂{self.number()}"
        return unit_of_work(
            lambda: programmes.add_programme(
                name, FacilityKind.YUHAO_SPACE, name_en=f"{name} (English)", audience=audience, limits=limits
            )
        )

    def session(
        self,
        facility: Facility | None = None,
        programme: Programme | None = None,
        *,
        starts_in: timedelta = timedelta(days=3),
        lasts: timedelta = timedelta(minutes=90),
        capacity: int = 10,
        **more: Any,
    ) -> ActivitySession:
        facility, programme = facility or self.facility(), programme or self.programme()
        starts_at = more.pop("starts_at", clock.now() + starts_in)
        offer = Offer(
            programme_id=programme.id,
            facility_id=facility.id,
            title=more.pop("title", "非遗竹编"),
            starts_at=starts_at,
            ends_at=starts_at + lasts,
            capacity=capacity,
            **more,
        )
        return unit_of_work(lambda: programmes.announce(None, offer))

    def full_session(self, capacity: int = 1, **more: Any) -> tuple[ActivitySession, list[tuple[Someone, str]]]:
        """A session without a free place, and who holds them with which booking."""
        session = self.session(capacity=capacity, **more)
        people = [self.resident() for _ in range(capacity)]
        return session, [(someone, str(self.book(someone, session).id)) for someone in people]

    # -- what happens

    def book(self, someone: Someone, session: ActivitySession, resident_id: int | None = None) -> Booking:
        booked = unit_of_work(
            lambda: bookings.book_place(someone.actor, session.id, resident_id or someone.resident_id)
        )
        return db.session.get_one(Booking, booked.id)

    def record(
        self,
        someone: Someone,
        session: ActivitySession,
        kind: EventKind,
        resident_id: int | None = None,
        *,
        counts: Counts | None = None,
        voids: UUID | None = None,
        occurred_at: datetime | None = None,
        device: str = "tablet",
        event_id: UUID | None = None,
    ) -> Result:
        entry = Entry(
            event_id or uuid4(),
            session.id,
            kind,
            occurred_at or session.starts_at,
            resident_id,
            counts=counts,
            voids=voids,
            device=device,
        )
        (result,) = unit_of_work(lambda: attendance.record(someone.actor, [entry]))
        return result

    @staticmethod
    def fresh(row: Any) -> Any:
        """The row as the database has it now."""
        db.session.rollback()
        db.session.refresh(row)
        return row
