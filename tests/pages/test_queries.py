"""The number of queries of each page is fixed and does not grow with what is on it."""

from datetime import timedelta

import pytest

from facilities.background import publish_open_data
from facilities.closures import services as closures
from facilities.closures.services import Closing
from facilities.draws import services as draws
from facilities.draws.models import Draw
from facilities.engine.draws import WeightRule
from facilities.engine.roll_call import Counts, EventKind
from facilities.feedback import services as feedback
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.people import services as people
from facilities.places.models import AccessFeature, Space
from facilities.series import services as series
from facilities.series.services import Plan
from tests.client import Caller, Counter
from tests.world import Someone, World


class Town:
    """A facility with everything on it, which can grow."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.facility = world.facility(access=[AccessFeature.LIFT], community="桥口社区")
        self.programme = world.programme()
        self.session = world.session(self.facility, self.programme, starts_in=timedelta(minutes=30), capacity=50)
        self.resident, self.manager = world.resident(), world.manager(self.facility)
        self.administrator = world.administrator()
        self.booking = world.book(self.resident, self.session)
        self.attended = self.attend()
        self.space = world.space(self.facility)
        self.reservation = self.reserve(self.space)
        self.first = clock.now() + timedelta(weeks=1)
        plan = Plan(self.programme.id, self.facility.id, "书法", "FREQ=DAILY;COUNT=2", self.first, 60, 8)
        self.series = unit_of_work(lambda: series.announce_series(self.manager.actor, plan))
        self.draw = self.open_draw()
        self.manager.api.get(f"/sessions/{self.session.id}/roster")  # noted once a day: later looks only find the note
        self.grow(1)

    def path(self, address: str) -> str:
        return address.format(
            facility=self.facility.id,
            session=self.session.id,
            booking=self.booking.id,
            attended=self.attended,
            series=self.series.id,
            draw=self.draw.id,
            ticket=self.ticket.id,
            space=self.space.id,
            reservation=self.reservation,
            self=self.resident.resident_id,
        )

    def open_draw(self) -> Draw:
        """With a ticket of the resident's, which is drawn among those that come with growing."""
        drawn = self.world.session(self.facility, self.programme, starts_in=timedelta(days=9), capacity=50)
        closes = clock.now() + timedelta(days=1)
        draw = unit_of_work(
            lambda: draws.open_draw(self.manager.actor, [drawn.id], "书法", closes, WeightRule(halve_per_win=True))
        )
        self.ticket = unit_of_work(lambda: draws.enter(self.resident.actor, draw.id, [self.resident.resident_id]))
        return draw

    def attend(self) -> int:
        """Yesterday; and something was said of it."""
        with clock.frozen(clock.now() - timedelta(days=1)):
            session = self.world.session(self.facility, self.programme, starts_in=timedelta(minutes=30))
            booking = self.world.book(self.resident, session)
            self.world.record(self.manager, session, EventKind.PRESENT, self.resident.resident_id)
            self.say(self.resident, booking.id)
        return booking.id

    @staticmethod
    def say(someone: Someone, booking_id: int) -> None:
        unit_of_work(lambda: feedback.give(someone.actor, booking_id, 4, "老师很耐心"))

    def reserve(self, space: Space) -> str:
        """On a day of its own, so that the resident's reservations are all kept apart."""
        day = clock.now() + timedelta(days=self.world.number())
        wish = {"space_id": str(space.id), "resident_id": str(self.resident.resident_id), "purpose": "排练"}
        wish |= {"starts_at": day.isoformat(), "ends_at": (day + timedelta(hours=1)).isoformat()}
        return str(self.resident.api.post("/reservations", wish)["id"])

    def grow(self, by: int) -> None:
        world = self.world
        for _ in range(by):
            number = world.number()
            other = world.facility(access=[AccessFeature.LIFT], community=f"社区{number}")
            space = world.space(self.facility)
            session = world.session(other, world.programme(), starts_in=timedelta(hours=3 * number))
            world.session(self.facility, self.programme, starts_in=timedelta(hours=1), space_id=space.id)
            self.reserve(space)
            self.reserve(world.space(other, parent=world.space(other)))
            occurs_at = self.first + timedelta(weeks=number)
            world.session(
                self.facility, self.programme, starts_at=occurs_at, series_id=self.series.id, occurs_at=occurs_at
            )
            closing = Closing(self.facility.id, space.id, occurs_at, occurs_at + timedelta(hours=1))
            unit_of_work(lambda what=closing: closures.close(self.manager.actor, what, "装修"))  # type: ignore[misc]
            guest = world.resident()
            member = world.member(self.resident, name=f"家人{number}")
            unit_of_work(lambda one=member: draws.enter(self.resident.actor, self.draw.id, [one]))  # type: ignore[misc]
            unit_of_work(lambda who=guest: draws.enter(who.actor, self.draw.id, [who.resident_id]))  # type: ignore[misc]
            twins = world.resident().resident_id, world.resident().resident_id
            unit_of_work(lambda pair=twins: people.merge(self.administrator.actor, *pair, "重复"))  # type: ignore[misc]
            world.book(self.resident, session)
            place = world.book(guest, self.session)
            world.record(self.manager, self.session, EventKind.PRESENT, guest.resident_id)
            self.say(guest, place.id)
            world.record(self.manager, self.session, EventKind.WALK_IN, world.resident().resident_id)
            world.record(
                self.administrator, session, EventKind.WALK_IN, guest.resident_id, occurred_at=session.starts_at
            )
            world.record(self.manager, self.session, EventKind.HEAD_COUNT, counts=Counts(women=number))


PAGES = {
    # who, address, queries: of a page one for the sign-in and one for unread messages where somebody is signed in
    "home": (None, "/", 3),
    "home, signed in": ("resident", "/", 6),
    "find": (None, "/find", 1),
    "find a kind": (None, "/find?kind=yuhao_space", 5),
    "search": (None, "/find?q=桥口", 5),
    "week": (None, "/week", 4),
    "places": (None, "/facilities", 5),
    "facility": (None, "/facilities/{facility}", 7),
    "session": (None, "/sessions/{session}", 1),
    "session, signed in": ("resident", "/sessions/{session}", 6),
    "sign in": (None, "/sign-in", 0),
    "register": (None, "/register", 0),
    "me": ("resident", "/me", 4),
    "a person": ("resident", "/me/family/{self}", 3),
    "who may act for a person": ("resident", "/me/family/{self}/guardians", 6),
    "enter a code": ("resident", "/me/family/join", 2),
    "consents": ("resident", "/me/consents", 3),
    "forgotten password": (None, "/forgot", 0),
    "new password": (None, "/reset", 0),
    "sign in by message": (None, "/sign-in/message", 0),
    "my sign-ins": ("resident", "/me/sign-ins", 3),
    "second factor": ("manager", "/me/second-factor", 3),
    "staff": ("administrator", "/staff", 6),
    "new staff": ("administrator", "/staff/new", 4),
    "a booking": ("resident", "/bookings/{booking}", 3),
    "how it was": ("resident", "/bookings/{attended}/feedback", 4),
    "what people said": ("manager", "/desk/sessions/{session}/feedback", 4),
    "add a person": ("resident", "/me/family/new", 2),
    "call a session off": ("manager", "/desk/sessions/{session}/cancel", 3),
    "my bookings": ("resident", "/my/bookings", 3),
    "desk": ("manager", "/desk", 6),
    "roll-call": ("manager", "/desk/sessions/{session}/roll", 9),
    "desk's bookings": ("manager", "/desk/sessions/{session}/bookings", 6),
    "merge records": ("administrator", "/people/merge", 5),
    "new session": ("manager", "/desk/sessions/new", 8),
    "change a session": ("manager", "/desk/sessions/{session}/edit", 6),
    "new series": ("manager", "/desk/series/new", 8),
    "a series": ("manager", "/desk/series/{series}", 6),
    "change a series": ("manager", "/desk/series/{series}/change", 5),
    "call off a series": ("manager", "/desk/series/{series}/cancel", 4),
    "closures": ("manager", "/desk/closures", 8),
    "close a place": ("manager", "/desk/closures/new", 7),
    "take a date out": ("manager", "/desk/series/{series}/remove", 4),
    "a draw": (None, "/draws/{draw}", 3),
    "a draw, signed in": ("resident", "/draws/{draw}", 8),
    "a draw's check": (None, "/draws/{draw}/check", 1),
    "a ticket": ("resident", "/draws/entries/{ticket}", 5),
    "new draw": ("manager", "/desk/draws/new", 8),
    "my messages": ("resident", "/my/messages", 4),
    "figures": ("administrator", "/statistics", 25),
    "figures by facility": ("administrator", "/statistics?by=facility", 25),
    "figures on paper": ("administrator", "/statistics/print", 20),
    "what is behind a figure": ("administrator", "/statistics/sessions?from=2026-01-01", 20),
    "figures as a workbook": ("administrator", "/statistics?format=xlsx", 23),
    "a chart": ("administrator", "/statistics/charts/facilities.svg", 10),
    "open data": (None, "/open-data?by=facility", 8),
    "open data, all months": (None, "/open-data.json", 3),
    "API: open data": (None, "/api/v1/public/statistics/beneficiaries?from=2026-01-01&to=2026-08-31&by=facility", 3),
    "rooms": (None, "/rooms", 5),
    "a space": (None, "/spaces/{space}", 5),
    "reserve a space": ("resident", "/spaces/{space}/reserve?start=2026-09-16T11:00&minutes=60", 5),
    "a reservation": ("resident", "/reservations/{reservation}", 3),
    "move a reservation": ("resident", "/reservations/{reservation}/move", 8),
    "my reservations": ("resident", "/my/reservations", 3),
    "API: free spaces": (None, "/api/v1/spaces/free?minutes=60", 5),
    "API: availability": (None, "/api/v1/spaces/{space}/availability?from=2026-09-17&to=2026-09-20", 7),
    "API: reservations": ("resident", "/api/v1/reservations", 2),
    "API: facilities": (None, "/api/v1/facilities", 4),
    "API: sessions": (None, "/api/v1/sessions", 1),
    "API: closures": (None, "/api/v1/facilities/{facility}/closures", 5),
    "API: a series": (None, "/api/v1/series/{series}", 3),
    "API: bookings": ("resident", "/api/v1/bookings", 2),
    "API: how it was": ("resident", "/api/v1/bookings/{attended}/feedback", 3),
    "API: residents": ("resident", "/api/v1/residents", 2),
    "API: a draw": (None, "/api/v1/draws/{draw}", 3),
    "API: own tickets": ("resident", "/api/v1/draws/{draw}/entries", 3),
    "API: notices": ("resident", "/api/v1/notices", 2),
    "API: roster": ("manager", "/api/v1/sessions/{session}/roster", 4),
    "your data": ("resident", "/me/privacy", 2),
    "everything that is kept": ("resident", "/me/data", 42),
    "who looked": ("resident", "/me/looked-at", 6),
    "erase": ("resident", "/me/erase", 2),
    "API: everything that is kept": ("resident", "/api/v1/me/data", 41),
    "API: who looked": ("resident", "/api/v1/me/looked-at", 5),
    "API: attendance": ("manager", "/api/v1/sessions/{session}/attendance", 4),
    "API: figures": (
        "administrator",
        "/api/v1/statistics/beneficiaries?from=2026-01-01&to=2026-12-31&by=facility,month",
        9,
    ),
}


def test_no_page_asks_more_because_there_is_more_to_show(world: World, queries: Counter) -> None:
    town = Town(world)
    publish_open_data()
    few = {name: cost(town, queries, *page[:2]) for name, page in PAGES.items()}
    town.grow(4)
    publish_open_data()
    many = {name: cost(town, queries, *page[:2]) for name, page in PAGES.items()}
    assert many == few
    assert few == {name: queries for name, (_, _, queries) in PAGES.items()}


def cost(town: Town, queries: Counter, who: str | None, address: str) -> int:
    someone: Someone | None = getattr(town, who) if who else None
    path = town.path(address)
    if path.startswith("/api/"):
        caller = someone.api if someone else Caller(town.world.app)
        queries.clear()
        caller.get(path.removeprefix("/api/v1"))
        return len(queries)
    browser = town.world.browser(someone)
    queries.clear()
    answer = browser.raw(path)
    assert answer.status_code == 200, path
    return len(queries)


def test_a_page_is_whole_when_it_notes_that_somebody_was_seen(world: World) -> None:
    """Half a day after signing in, the first page of any kind writes; what it shows must not suffer."""
    town = Town(world)
    for name, (who, address, _) in PAGES.items():
        if who and not address.startswith("/api"):
            continue
        path = town.path(address)
        if path.startswith("/api"):
            continue
        browser = world.browser(town.resident)
        with clock.frozen(clock.now() + timedelta(hours=13)):
            assert browser.raw(path).status_code in (200, 302), name


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_told(world: World, path: str) -> None:
    assert world.browser().raw(path).status_code == 200


def test_an_app_whose_schema_is_not_the_codes_is_not_ready(world: World) -> None:
    with db.engine.begin() as connection:
        connection.execute(db.text("UPDATE alembic_version SET version_num = '0001'"))
    assert world.browser().raw("/readyz").status_code == 503
    assert world.browser().raw("/healthz").status_code == 200
