"""The number of queries of each page is fixed and does not grow with what is on it."""

from datetime import timedelta

import pytest

from facilities.engine.roll_call import Counts, EventKind
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.places.models import AccessFeature
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
        self.grow(1)

    def grow(self, by: int) -> None:
        world = self.world
        for _ in range(by):
            number = world.number()
            other = world.facility(access=[AccessFeature.LIFT], community=f"社区{number}")
            space = world.space(self.facility)
            session = world.session(other, world.programme(), starts_in=timedelta(hours=3 * number))
            world.session(self.facility, self.programme, starts_in=timedelta(hours=1), space_id=space.id)
            guest = world.resident()
            world.member(self.resident, name=f"家人{number}")
            world.book(self.resident, session)
            world.book(guest, self.session)
            world.record(self.manager, self.session, EventKind.PRESENT, guest.resident_id)
            world.record(self.manager, self.session, EventKind.WALK_IN, world.resident().resident_id)
            world.record(
                self.administrator, session, EventKind.WALK_IN, guest.resident_id, occurred_at=session.starts_at
            )
            world.record(self.manager, self.session, EventKind.HEAD_COUNT, counts=Counts(women=number))


PAGES = {
    # who, address, queries: one for the sign-in where somebody is signed in, the rest the page's own
    "home": (None, "/", 3),
    "home, signed in": ("resident", "/", 5),
    "find": (None, "/find", 1),
    "find a kind": (None, "/find?kind=yuhao_space", 5),
    "search": (None, "/find?q=桥口", 5),
    "week": (None, "/week", 4),
    "places": (None, "/facilities", 5),
    "facility": (None, "/facilities/{facility}", 6),
    "session": (None, "/sessions/{session}", 1),
    "session, signed in": ("resident", "/sessions/{session}", 4),
    "sign in": (None, "/sign-in", 0),
    "register": (None, "/register", 0),
    "me": ("resident", "/me", 2),
    "a booking": ("resident", "/bookings/{booking}", 2),
    "add a person": ("resident", "/me/family/new", 1),
    "call a session off": ("manager", "/desk/sessions/{session}/cancel", 2),
    "my bookings": ("resident", "/my/bookings", 2),
    "desk": ("manager", "/desk", 5),
    "roll-call": ("manager", "/desk/sessions/{session}/roll", 6),
    "new session": ("manager", "/desk/sessions/new", 7),
    "change a session": ("manager", "/desk/sessions/{session}/edit", 5),
    "figures": ("administrator", "/statistics", 9),
    "figures by facility": ("administrator", "/statistics?by=facility", 10),
    "API: facilities": (None, "/api/v1/facilities", 4),
    "API: sessions": (None, "/api/v1/sessions", 1),
    "API: bookings": ("resident", "/api/v1/bookings", 2),
    "API: residents": ("resident", "/api/v1/residents", 2),
    "API: roster": ("manager", "/api/v1/sessions/{session}/roster", 3),
    "API: attendance": ("manager", "/api/v1/sessions/{session}/attendance", 4),
    "API: figures": (
        "administrator",
        "/api/v1/statistics/beneficiaries?from=2026-01-01&to=2026-12-31&by=facility,month",
        4,
    ),
}


def test_no_page_asks_more_because_there_is_more_to_show(world: World, queries: Counter) -> None:
    town = Town(world)
    few = {name: cost(town, queries, *page[:2]) for name, page in PAGES.items()}
    town.grow(4)
    many = {name: cost(town, queries, *page[:2]) for name, page in PAGES.items()}
    assert many == few
    assert few == {name: queries for name, (_, _, queries) in PAGES.items()}


def cost(town: Town, queries: Counter, who: str | None, address: str) -> int:
    someone: Someone | None = getattr(town, who) if who else None
    path = address.format(facility=town.facility.id, session=town.session.id, booking=town.booking.id)
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
        path = address.format(facility=town.facility.id, session=town.session.id, booking=town.booking.id)
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
