"""One of everything in three places: one's own, another's at the same facility, and a stranger's elsewhere."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from facilities.accounts.models import Grant
from facilities.attendance import days as desk_days
from facilities.background import publish_open_data
from facilities.calendars.services import follow
from facilities.closures import services as closures
from facilities.closures.services import Closing
from facilities.draws import services as draws
from facilities.engine.draws import WeightRule
from facilities.engine.eligibility import Sex
from facilities.engine.messages import Channel
from facilities.engine.official_reports import PeriodKind
from facilities.engine.projects import Kind
from facilities.engine.roll_call import EventKind
from facilities.feedback import services as feedback
from facilities.households.invitations import invite
from facilities.households.services import register_at_desk
from facilities.infra.db import db, unit_of_work
from facilities.infra.encryption import cipher
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.kernel.actors import Role
from facilities.kernel.ids import new_reference
from facilities.no_shows import services as no_shows
from facilities.no_shows.models import Ground
from facilities.notices.models import AnswerLink, Carer, Delivery, DeliveryState
from facilities.people.services import merge
from facilities.places.models import Facility
from facilities.programmes.models import ActivitySession
from facilities.projects import services as projects
from facilities.projects.loading import load_projects
from facilities.projects.models import Subproject
from facilities.projects.services import Details, Entry
from facilities.reports import services as reports
from facilities.reports.services import Signer
from facilities.series import services as series
from facilities.series.services import Plan
from tests.client import Browser
from tests.world import Someone, World

PLACES = ("own", "same facility", "foreign")
ACTORS = (
    "anonymous",
    "resident",
    "other resident",
    "guardian",
    "manager",
    "other facility's manager",
    "reviewer",
    "guard",
    "administrator",
)
STAFF = frozenset(ACTORS[4:])
# Whose child it is about in each place, and who runs the facility. The foreign household is nobody's of the above.
HOUSEHOLDS = {"own": {"resident", "guardian"}, "same facility": {"other resident"}, "foreign": set[str]()}
ACCOUNTS = {"own": {"resident"}, "same facility": {"other resident"}, "foreign": set[str]()}
MANAGERS = {
    "own": {"manager", "administrator"},
    "same facility": {"manager", "administrator"},
    "foreign": {"other facility's manager", "administrator"},
}


@dataclass
class District:
    """`ids[place]`: what stands for `{booking}`, `{session}` … in an address or a body there."""

    world: World
    people: dict[str, Someone] = field(default_factory=dict)
    ids: dict[str, dict[str, str]] = field(default_factory=dict)
    browsers: dict[str, Browser] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)  # of their forms

    @classmethod
    def of(cls, world: World) -> "District":
        here, there = world.facility(), world.facility()
        resident, other, stranger = (world.resident(name=name) for name in ("陈晓梅", "罗玉兰", "向德福"))
        guardian = world.resident(name="陈建国")
        found = cls(world)
        found.people = {
            "resident": resident,
            "other resident": other,
            "guardian": guardian,
            "manager": world.manager(here),
            "other facility's manager": world.manager(there),
            "reviewer": found._granted(Role.REVIEWER),
            "guard": found._granted(Role.GUARD, here),
            "administrator": world.administrator(),
        }
        households = {"own": (resident, here), "same facility": (other, here), "foreign": (stranger, there)}
        for place, (owner, facility) in households.items():
            child = world.member(owner)
            if place == "own":
                world.also_acts_for(guardian, child)
            staff = found.people["manager" if facility is here else "other facility's manager"]
            found.ids[place] = found._everything(owner, child, staff, facility) | found._of_people(owner, child, staff)
        publish_open_data()
        for name in ACTORS:
            found.browsers[name] = world.browser(found.people.get(name))
            found.tokens[name] = found.browsers[name].get("/sign-in").hidden("csrf_token")
        return found

    def _granted(self, role: Role, facility: Facility | None = None) -> Someone:
        """A grant that services of this version may not give yet."""
        someone = self.world._staff([])
        grant = Grant(
            user_id=someone.user.id, role=role, facility_id=facility.id if facility else None, starts_at=clock.now()
        )
        unit_of_work(lambda: db.session.add(grant))
        return someone

    def _everything(self, owner: Someone, child: int, staff: Someone, facility: Facility) -> dict[str, str]:
        world, now = self.world, clock.now()
        programme, space, hall = world.programme(), world.space(facility), world.space(facility)
        session = world.session(facility, programme, starts_in=timedelta(minutes=30))
        free = world.session(facility, programme, starts_in=timedelta(days=4))
        booking = world.book(owner, session, child)
        full, _ = world.full_session(facility=facility, starts_in=timedelta(days=5))
        (turn,) = owner.wait(full, child)
        plan = Plan(programme.id, facility.id, "书法", "FREQ=DAILY;COUNT=9", now + timedelta(weeks=1), 60, 8)
        made = unit_of_work(lambda: series.announce_series(staff.actor, plan))
        drawn, to_draw = (world.session(facility, programme, starts_in=timedelta(days=n)) for n in (20, 21))
        closes = now + timedelta(days=1)
        draw = unit_of_work(lambda: draws.open_draw(staff.actor, [drawn.id], "书法", closes, WeightRule()))
        entry = unit_of_work(lambda: draws.enter(owner.actor, draw.id, [child]))
        day = now + timedelta(days=30)
        wish: dict[str, Any] = {"space_id": str(space.id), "resident_id": str(child), "purpose": "排练"}
        wish |= {"starts_at": day.isoformat(), "ends_at": (day + timedelta(hours=1)).isoformat()}
        reservation = owner.api.post("/reservations", wish)["id"]
        poster = unit_of_work(lambda: desk_days.make_poster(staff.actor, facility.id)).code
        administrator, lasts = self.people["administrator"].actor, timedelta(days=1)
        today = clock.local_date(now)
        reopened = unit_of_work(lambda: desk_days.reopen(administrator, facility.id, today, lasts, "补录")).id
        closing = Closing(facility.id, hall.id, now + timedelta(days=40), now + timedelta(days=41))
        closure = unit_of_work(lambda: closures.close(staff.actor, closing, "装修"))
        return {
            "facility": str(facility.id),
            "programme": str(programme.id),
            "space": str(space.id),
            "session": str(session.id),
            "free": str(free.id),
            "to_draw": str(to_draw.id),
            "booking": str(booking.id),
            "reference": booking.reference,
            "turn": turn,
            "attended": self._attended(owner, child, staff, facility),
            **self._missed(owner, child, staff, facility),
            **self._reported(),
            "closed": self._closed(),
            "series": str(made.id),
            "draw": str(draw.id),
            "entry": str(entry.id),
            "reservation": reservation,
            "closure": str(closure.id),
            "poster": poster,
            "reopened": str(reopened),
            "event": str(self._ticked(staff, session, child)),
            "ageless": str(self._ageless(staff, session)),
            "finding": "no_roll",
            "resident": str(child),
            "user": str(staff.user.id),
            "notice": owner.api.get("/notices")["items"][0]["id"],
            "day": "2026-11-02",
            "name": "trend",
            "picture_kind": "svg",
        } | unit_of_work(lambda: self._of_messages(owner, booking.id))

    def _of_messages(self, owner: Someone, booking_id: int) -> dict[str, str]:
        """A carer who gets copies, a message that was given up, and the code by which one can be answered."""
        carer = Carer(user_id=owner.user.id, phone="13800138001", confirmed_at=clock.now())
        told = (Notice.kind == "booked", Notice.about_id == booking_id, Notice.user_id == owner.user.id)
        notice = db.session.scalars(select(Notice).where(*told)).one()
        given_up = Delivery(
            notice_id=notice.id, channel=Channel.SMS, reference=f"r-{notice.id}", state=DeliveryState.DEAD, attempts=10,
            due_at=clock.now(), ended_at=clock.now(), failure="refused",
        )  # fmt: skip
        code = new_reference(10)
        link = AnswerLink(
            notice_id=notice.id, code_hash=cipher().lookup(code), sealed=cipher().encrypt(code),
            ends_at=clock.now() + timedelta(days=1),
        )  # fmt: skip
        db.session.add_all([carer, given_up, link])
        db.session.flush()
        token = follow(owner.actor, "zh")
        return {"token": token, "carer": str(carer.id), "delivery": str(given_up.id), "code": code}

    def _ticked(self, staff: Someone, session: ActivitySession, child: int) -> UUID:
        """An entry of the roll."""
        event = uuid4()
        self.world.record(staff, session, EventKind.EXCUSED, child, event_id=event)
        return event

    def _ageless(self, staff: Someone, session: ActivitySession) -> int:
        """Somebody who was there and whose birth date nobody knows."""
        number = unit_of_work(lambda: register_at_desk("周四", Sex.FEMALE, None, None)).id
        self.world.record(staff, session, EventKind.WALK_IN, number)
        return number

    def _attended(self, owner: Someone, child: int, staff: Someone, facility: Facility) -> str:
        """A booking of yesterday's, of which something was said."""
        world = self.world
        with clock.frozen(clock.now() - timedelta(days=1)):
            session = world.session(facility, starts_in=timedelta(minutes=30))
            booking = world.book(owner, session, child)
            world.record(staff, session, EventKind.PRESENT, child)
            unit_of_work(lambda: feedback.give(owner.actor, booking.id, 5, "很好"))
        return str(booking.id)

    def _missed(self, owner: Someone, child: int, staff: Someone, facility: Facility) -> dict[str, str]:
        """Two bookings that nobody came to, to one of which something was said; and somebody who is exempt."""
        world, administrator, now = self.world, self.people["administrator"], clock.now()
        with clock.frozen(now - timedelta(days=5)):
            unit_of_work(lambda: no_shows.change_rule(administrator.actor, {"is_on": True}))
        missed = []
        for days in (4, 3):
            with clock.frozen(now - timedelta(days=days)):
                session = world.session(facility, starts_in=timedelta(minutes=30))
                missed.append(world.book(owner, session, child).id)
                world.record(staff, session, EventKind.ABSENT, child)
        unit_of_work(lambda: no_shows.appeal(owner.actor, missed[0], "我在场"))
        administrator.api.post("/desk/residents/find", {"phone": owner.login}, status=200)
        day = clock.local_date(now)
        exemption = unit_of_work(
            lambda: no_shows.exempt(administrator.actor, owner.resident_id, Ground.OTHER, day, None)
        )
        return {
            "appealed": str(missed[0]),
            "missed": str(missed[1]),
            "exemption": str(exemption.id),
            "exempted": str(owner.resident_id),
        }

    def _reported(self) -> dict[str, str]:
        """A part of a livelihood project, and a report of it that another administrator has handed in."""
        unit_of_work(lambda: load_projects(2024))
        free = select(Subproject.id).where(Subproject.name.is_(None)).order_by(Subproject.id)
        number, actor = db.session.scalars(free).first() or 0, self.world.administrator().actor
        entry = Entry(Decimal(3), evidence="验收单")
        unit_of_work(lambda: projects.change_subproject(actor, number, Details(name="口袋公园", kind=Kind.CUMULATIVE)))
        report = unit_of_work(lambda: projects.enter_report(actor, number, 5, entry, submit=True))
        return {"subproject": str(number), "report": str(report.id)}

    def _closed(self) -> str:
        """An official report of a month, another for each place."""
        month, actor = 1 + len(self.ids), self.people["administrator"].actor
        first, signer = date(2026, month, 1), Signer("周敏", "区民生实事办 主任")
        return str(unit_of_work(lambda: reports.close(actor, PeriodKind.MONTH, first, signer)).id)

    def _of_people(self, owner: Someone, child: int, staff: Someone) -> dict[str, str]:
        first, second, third = (
            unit_of_work(lambda name=name: register_at_desk(name, Sex.FEMALE, None, None)).id
            for name in ("周一", "周二", "周三")
        )
        administrator = self.people["administrator"].actor
        done = unit_of_work(lambda: merge(administrator, first, second, "同一人"))
        invitation = unit_of_work(lambda: invite(owner.actor, child)).invitation
        grant = db.session.scalars(select(Grant.id).where(Grant.user_id == staff.user.id)).first()
        return {
            "kept": str(first),
            "gone": str(third),
            "merge": str(done.id),
            "invitation": str(invitation.id),
            "sign_in": str(owner.actor.sign_in_id),
            "guardian": str(owner.user.id),
            "grant": str(grant),
            "kind": "guardian",
        }

    def filled(self, template: Any, place: str) -> Any:
        """A body or an address with `{booking}` and the like replaced, at any depth."""
        if isinstance(template, dict):
            return {key: self.filled(value, place) for key, value in template.items()}
        if isinstance(template, list):
            return [self.filled(value, place) for value in template]
        if isinstance(template, str):
            for name, number in self.ids[place].items():
                template = template.replace("{" + name + "}", number)
        return template
