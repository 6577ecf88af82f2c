"""The demonstration: the district's places, made-up residents, what was held in 2024, and the next four weeks.

Everything is found again by its natural key, so that loading twice changes nothing and loading a week later adds a
week. It runs inside one unit of work.
"""

import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from facilities.accounts.queries import user_by_login
from facilities.accounts.services import create_user, hash_password
from facilities.bookings.models import OCCUPYING, Booking
from facilities.demo.history import write_history
from facilities.demo.people import make_people
from facilities.demo.turnout import Pool, fill_places
from facilities.engine.eligibility import Audience, Sex
from facilities.engine.opening import SpaceRules
from facilities.households.models import Guardianship, Relation, Resident
from facilities.households.services import register, tie
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.actors import Granted, Role
from facilities.places.models import AccessFeature, Facility, FacilityKind, Space, SpaceKind
from facilities.places.schemas import WEEKDAYS
from facilities.places.services import Hours, add_facility, add_space
from facilities.programmes.models import ActivitySession, Programme, ProviderType
from facilities.programmes.services import Offer, add_programme, announce, audience_of
from facilities.projects.loading import load_projects, published_years

Progress = Callable[[str, int, int], None]
Login = tuple[str, str, str]

PLAN = Path(__file__).with_name("district.toml")
WEEKS_AHEAD = 4
SEED = 2024

# Said aloud by bin/demo: they open a demonstration and nothing else.
RESIDENT = ("resident", "13900000001", "riverside-park")
MANAGER = ("manager", "qiaokou", "qiaokou-front-desk")
HOME_MANAGER = ("manager", "gudu", "gudu-front-desk")
ADMINISTRATOR = ("administrator", "district", "dadukou-district-office")
LOGINS: tuple[Login, ...] = (RESIDENT, MANAGER, HOME_MANAGER, ADMINISTRATOR)


def load_demonstration(progress: Progress = lambda step, done, of: None) -> tuple[Login, ...]:
    """Inside a unit of work. Returns (role, login, password) of each demonstration account."""
    plan = tomllib.loads(PLAN.read_text(encoding="utf-8"))
    places = _facilities(plan, progress)
    programmes = _programmes(plan)
    _accounts(places)
    residents = _residents(progress)
    write_history(plan["history"], places, programmes, residents, progress)
    _coming(plan, places, programmes, residents, progress)
    for year in published_years():
        load_projects(year)
    return LOGINS


def _facilities(plan: Mapping[str, Any], progress: Progress) -> dict[str, Facility]:
    known = {f.name: f for f in db.session.scalars(select(Facility))}
    places = {}
    for number, row in enumerate(plan["facility"], start=1):
        places[row["key"]] = known.get(row["name"]) or _facility(row, plan)
        progress("places", number, len(plan["facility"]))
    return places


def _facility(row: Mapping[str, Any], plan: Mapping[str, Any]) -> Facility:
    facility = add_facility(
        FacilityKind(row["kind"]), row["name"], row["address"], row["sub_district"], name_en=row.get("name_en"),
        phone="12345", summary=row.get("summary"), summary_en=row.get("summary_en"), community=row.get("community"),
        hours=_hours(plan["hours"][row["hours"]]) if "hours" in row else None,
        access=[AccessFeature(a) for a in row.get("access", ())])
    for space in row["spaces"]:
        add_space(facility, space["name"], SpaceKind(space["kind"]), name_en=space.get("name_en"),
                  capacity=space.get("capacity"), quantity=space.get("quantity", 1),
                  reservable=space["kind"] not in plan["reserving"]["not_by_residents"],
                  rules=SpaceRules(**plan["reserving"].get(space["kind"], {})))
    return facility


def _hours(week: Mapping[str, str]) -> Hours:
    return {WEEKDAYS.index(day): [_interval(part) for part in parts.split()] for day, parts in week.items()}


def _interval(text: str) -> tuple[time, time]:
    opens, closes = text.split("-")
    return time.fromisoformat(opens), time(0) if closes == "24:00" else time.fromisoformat(closes)


def _programmes(plan: Mapping[str, Any]) -> dict[str, Programme]:
    known = {p.name: p for p in db.session.scalars(select(Programme))}
    return {row["key"]: known.get(row["name"]) or add_programme(
        row["name"], FacilityKind(row["kind"]), name_en=row.get("name_en"), audience=_audience(row),
        records_time=row.get("records_time", False),
        provider_type=ProviderType(row.get("provider_type", "own")), volunteer=row.get("volunteer", False))
        for row in plan["programme"]}


def _audience(row: Mapping[str, Any]) -> Audience:
    return audience_of(row.get("min_age"), row.get("max_age"), row.get("sex"))


def _accounts(places: Mapping[str, Facility]) -> None:
    for (role, login, password), key, name in ((MANAGER, "qiaokou", "桥口前台"), (HOME_MANAGER, "gudu", "古渡前台"),
                                               (ADMINISTRATOR, None, "区民生实事办")):
        if user_by_login(login) is None:
            create_user(login, name, hash_password(password, staff=True),
                        [Granted(Role(role), places[key].id if key else None)])
    if user_by_login(RESIDENT[1]) is None:
        _family()


def _family() -> None:
    """Three generations behind one account: oneself, a child, a mother."""
    today = clock.today()
    user = register(RESIDENT[1], hash_password(RESIDENT[2], staff=False), "陈晓梅",
                    date(today.year - 38, 4, 12), Sex.FEMALE)
    others = (("陈子轩", Sex.MALE, 8, Relation.CHILD), ("罗玉兰", Sex.FEMALE, 71, Relation.PARENT))
    for name, sex, years, relation in others:
        person = Resident(name=name, sex=sex, birth_date=date(today.year - years, 3, 8), created_at=clock.now())
        db.session.add(person)
        db.session.flush()
        tie(user.id, person, relation)
    db.session.flush()


def _residents(progress: Progress) -> dict[str, Pool]:
    """Made once, and found again as those whom no account acts for."""
    wanted = {"women": (420, Sex.FEMALE, (22, 68)), "children": (420, None, (4, 12)), "men": (120, Sex.MALE, (25, 75))}
    kept = list(db.session.scalars(
        select(Resident).where(~Resident.id.in_(select(Guardianship.resident_id))).order_by(Resident.id)))
    if not kept:
        for number, (count, sex, ages) in enumerate(wanted.values()):
            people = make_people(SEED + number, count, sex, ages, date(2024, 3, 1))
            kept += [Resident(name=p.name, sex=p.sex, birth_date=p.birth_date, created_at=clock.now()) for p in people]
        db.session.add_all(kept)
        db.session.flush()
    progress("residents", len(kept), len(kept))
    pools, start, busy = {}, 0, _busy()
    for name, (count, *_) in wanted.items():
        pools[name] = Pool(kept[start:start + count], busy)
        start += count
    return pools


def _busy() -> dict[int, list[tuple[datetime, datetime]]]:
    """When residents have places already, from an earlier loading or of a visitor's making."""
    busy: dict[int, list[tuple[datetime, datetime]]] = {}
    for resident_id, *span in db.session.execute(
            select(Booking.resident_id, Booking.starts_at, Booking.ends_at).where(Booking.state.in_(OCCUPYING))):
        busy.setdefault(resident_id, []).append((span[0], span[1]))
    return busy


def _coming(plan: Mapping[str, Any], places: Mapping[str, Facility], programmes: Mapping[str, Programme],
            residents: Mapping[str, Pool], progress: Progress) -> None:
    today, dice = clock.today(), Random(SEED)
    known = {(s.facility_id, s.title, s.starts_at) for s in db.session.scalars(
        select(ActivitySession).where(ActivitySession.starts_at >= clock.at(today)))}
    spaces = {(s.facility_id, s.name): s for s in db.session.scalars(select(Space))}
    wanted = [(row, clock.at(day, time.fromisoformat(row["start"])))
              for day in (today + timedelta(days=n) for n in range(WEEKS_AHEAD * 7))
              for row in plan["weekly"] if row["weekday"] == day.weekday()]
    wanted += [(plan["drop_in"], hour) for hour in _next_hours(plan["drop_in"]["coming"])]
    for number, (row, starts_at) in enumerate(wanted, start=1):
        facility = places[row["facility"]]
        if (facility.id, row["title"], starts_at) not in known:
            session = _announce(row, facility, programmes[row["programme"]], spaces, starts_at)
            if session is not None:
                fill_places(session, residents, row.get("fills", 0.0), dice)
        progress("coming sessions", number, len(wanted))


def _next_hours(number: int) -> list[datetime]:
    hour = clock.now().replace(minute=0, second=0, microsecond=0)
    return [hour + timedelta(hours=n) for n in range(1, number + 1)]


def _announce(row: Mapping[str, Any], facility: Facility, programme: Programme, spaces: Mapping[tuple[int, str], Space],
              starts_at: datetime) -> ActivitySession | None:
    """None where a visitor of the demonstration has taken the space for something else."""
    own = _audience(row)
    offer = Offer(
        programme_id=programme.id, facility_id=facility.id, title=row["title"], title_en=row.get("title_en"),
        starts_at=starts_at, ends_at=starts_at + timedelta(minutes=row["minutes"]), capacity=row["capacity"],
        space_id=spaces[facility.id, row["space"]].id if "space" in row else None, details=row.get("details"),
        audience=None if own.is_open_to_all() else own)
    try:
        with db.session.begin_nested():
            return announce(None, offer)
    except IntegrityError:
        return None
