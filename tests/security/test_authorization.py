"""The authorization matrix: every route and method, for every kind of actor, on what is theirs and what is not.

It is made from the app's own map of addresses: a route that has no line in `RULES` fails. A line says who may; what the
others are told follows from it (401 or the door, 403, 404), and that nothing is written meanwhile is looked at after
each refusal. What is allowed is asked too where asking changes nothing.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from facilities.background import publish_open_data
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.web.guards import OPEN_ENDPOINTS
from tests.conftest import NOW
from tests.security.district import ACCOUNTS, ACTORS, HOUSEHOLDS, MANAGERS, PLACES, STAFF, District
from tests.security.watching import Watch
from tests.world import World

Who = Callable[[str, str], bool]  # actor, place


@dataclass(frozen=True)
class Rule:
    """`told`: the status for those who are signed in and may not. `body`, `query`: what would do it, if they might."""

    who: Who
    told: Callable[[str, str], int] = lambda _actor, _place: 403
    body: dict[str, Any] = field(default_factory=dict)
    query: str = ""
    shows: int = 200  # to whoever may look
    is_refused: Callable[[TestResponse], bool] = lambda _answer: True

    def but(self, told: Callable[[str, str], int]) -> "Rule":
        return replace(self, told=told)

    def asked(self, query: str = "", **body: Any) -> "Rule":
        return replace(self, query=query, body=body)


def is_staff(actor: str, _place: str) -> bool:
    return actor in STAFF


def not_found(_actor: str, _place: str) -> int:
    return 404


def staff_not_found(actor: str, _place: str) -> int:
    """A page for staff says so to whoever is none; what is not theirs, staff do not find."""
    return 404 if actor in STAFF else 403


def seen_by_household(actor: str, place: str) -> int:
    return 403 if actor in HOUSEHOLDS[place] else 404


PUBLIC = Rule(lambda _actor, _place: True)
SIGNED_IN = Rule(lambda actor, _place: actor != "anonymous")
ANY_STAFF = Rule(is_staff)
ADMINISTRATOR = Rule(lambda actor, _place: actor == "administrator")
# Who acts for the resident whom it is about; to everybody else it is not there.
HOUSEHOLD = Rule(lambda actor, place: actor in HOUSEHOLDS[place], not_found)
# One's own, and not of others who act for the same resident.
ACCOUNT = Rule(lambda actor, place: actor in ACCOUNTS[place], not_found)
# Who runs the facility; that it exists is no secret.
MANAGER = Rule(lambda actor, place: actor in MANAGERS[place])
COUNTER = Rule(lambda actor, _place: actor in ("manager", "other facility's manager", "administrator"))
# A child's guardians do not end each other's right: each leaves, and a grown-up ends rights over oneself.
NOBODY_OF_A_CHILD = Rule(
    lambda _actor, _place: False,
    lambda actor, place: 403 if actor in HOUSEHOLDS[place] - ACCOUNTS[place] else 404,
)
# The second step of something: who has not taken the first is sent there.
BEGUN_ELSEWHERE = replace(PUBLIC, shows=302)

SESSION = {
    "programme_id": "{programme}",
    "facility_id": "{facility}",
    "title": "竹编",
    "starts_at": "2026-10-20T09:00:00+08:00",
    "ends_at": "2026-10-20T10:30:00+08:00",
    "capacity": 12,
}
SERIES = {
    "programme_id": "{programme}",
    "facility_id": "{facility}",
    "title": "书法",
    "rrule": "FREQ=WEEKLY;COUNT=2",
    "starts_at": "2026-11-02T09:00:00+08:00",
    "duration_minutes": 90,
    "capacity": 8,
}
SESSION_FORM = {
    "programme_id": "{programme}",
    "title": "竹编",
    "day": "2026-10-20",
    "starts": "09:00",
    "ends": "10:30",
    "space_id": "0",
    "capacity": "12",
    "sex": "",
    "waitlist_mode": "confirm",
}
CLOSURE_FORM = {
    "space_id": "0",
    "first_day": "2026-12-01",
    "starts": "08:00",
    "last_day": "2026-12-02",
    "ends": "18:00",
    "reason": "装修",
    "step": "close",
}
TIME = {"starts_at": "2026-12-21T09:00:00+08:00", "ends_at": "2026-12-21T10:30:00+08:00"}
PERIOD = "from=2026-01-01&to=2026-12-31"
AT = "start=2026-12-21T09:00&minutes=60"
AT_FACILITY = "facility={facility}"
PERSON = {"name": "王桂芳", "sex": "female", "birth_date": "1950-01-31"}
EVENT = {"kind": "walk_in", "occurred_at": "2026-09-16T10:30:00+08:00", "device": "tablet", "session_id": "{session}"}


def _each_is_refused(answer: TestResponse) -> bool:
    return [result["outcome"] for result in answer.get_json()["results"]] == ["refused"]


RULES: dict[str, Rule] = {
    # accounts
    "accounts.ask_for_code": PUBLIC,
    "accounts.choose_appearance": PUBLIC,
    "accounts.choose_language": PUBLIC,
    "accounts.end_other_sign_ins": SIGNED_IN,
    "accounts.end_sign_in": ACCOUNT,
    "accounts.enter_code": BEGUN_ELSEWHERE,
    "accounts.enter_sent_code": PUBLIC,
    "accounts.forgot": PUBLIC,
    "accounts.remove_second_factor": ANY_STAFF.asked(password="x"),
    "accounts.reset": PUBLIC,
    "accounts.second_factor": ANY_STAFF.asked(code="123456"),
    "accounts.sign_in": PUBLIC,
    "accounts.sign_ins": SIGNED_IN,
    "accounts.sign_out": SIGNED_IN,
    "accounts.start_second_factor": ANY_STAFF,
    "accounts_api.change_password": SIGNED_IN.asked(password="x", new_password="another horse battery"),
    "accounts_api.change_staff": ADMINISTRATOR.asked(disabled=True),
    "accounts_api.create_staff": ADMINISTRATOR.asked(
        login="wang.li", password="twelve or more", display_name="王丽", grants=[{"role": "administrator"}]
    ),
    "accounts_api.create_token": PUBLIC,
    "accounts_api.end_one_sign_in": ACCOUNT,
    "accounts_api.end_token": SIGNED_IN,
    "accounts_api.forget_second_factor": ADMINISTRATOR,
    "accounts_api.sign_ins": SIGNED_IN,
    # staff and their rights
    "staff.add": ADMINISTRATOR.asked(login="li.wang", password="twelve or more", display_name="王丽", role="reviewer"),
    "staff.disable": ADMINISTRATOR,
    "staff.end": ADMINISTRATOR,
    "staff.everybody": ADMINISTRATOR,
    "staff.forget_second_factor": ADMINISTRATOR,
    "staff.give": ADMINISTRATOR.asked(role="reviewer"),
    "staff.one": ADMINISTRATOR,
    "staff.set_password": ADMINISTRATOR.asked(password="twelve or more of them"),
    # households
    "family.consents": SIGNED_IN,
    "family.leave": HOUSEHOLD,
    "family.withdraw_consent": HOUSEHOLD,
    "family_api.leave": HOUSEHOLD,
    "family_api.withdraw_consent": HOUSEHOLD,
    "households.add_member": SIGNED_IN.asked(**PERSON, relation="parent"),
    "households.confirm": BEGUN_ELSEWHERE,
    "households.end_right": NOBODY_OF_A_CHILD,
    "households.guardians": HOUSEHOLD,
    "households.join": SIGNED_IN.asked(code="ABCD2345"),
    "households.me": SIGNED_IN,
    "households.member": HOUSEHOLD.asked(name="王桂芳", sex="female", birth_date="2018-05-01", relation="child"),
    "households.register": PUBLIC,
    "households.withdraw_invitation": HOUSEHOLD,
    "households_api.accept_invitation": SIGNED_IN.asked(code="ABCD2345", relation="child"),
    "households_api.add_resident": SIGNED_IN.asked(**PERSON, relation="parent"),
    "households_api.change_resident": HOUSEHOLD.asked(name="王桂芳"),
    "households_api.confirm": PUBLIC,
    "households_api.end_right": NOBODY_OF_A_CHILD,
    "households_api.find_resident": COUNTER.asked(phone="13800138000"),
    "households_api.guardians": HOUSEHOLD,
    "households_api.invite": HOUSEHOLD,
    "households_api.me": SIGNED_IN,
    "households_api.open_invitations": HOUSEHOLD,
    "households_api.register": PUBLIC,
    "households_api.resident": HOUSEHOLD,
    "households_api.residents": SIGNED_IN,
    "households_api.withdraw_invitation": HOUSEHOLD,
    # one's own data, and records of one person
    "people.compare": ADMINISTRATOR.asked(first="{kept}", second="{gone}"),
    "people.merge": ADMINISTRATOR.asked(reason="同一人"),
    "people.merges": ADMINISTRATOR,
    "people.undo": ADMINISTRATOR,
    "privacy.data": SIGNED_IN.asked(password="x"),
    "privacy.erase": SIGNED_IN.asked(password="x", understood="y"),
    "privacy.looked_at": SIGNED_IN,
    "privacy.overview": SIGNED_IN,
    "privacy_api.data": SIGNED_IN,
    "privacy_api.download": SIGNED_IN.asked(password="x"),
    "privacy_api.erase": SIGNED_IN.asked(password="x"),
    "privacy_api.looked_at": SIGNED_IN,
    # places
    "places.facilities": PUBLIC,
    "places_api.add_facility": ADMINISTRATOR.asked(
        kind="yuxin_home", name="渝馨家园", address="春晖路街道", sub_district_code="500104005"
    ),
    "places_api.add_space": ADMINISTRATOR.asked(name="大厅", kind="hall"),
    "places_api.calendar": SIGNED_IN.asked("from=2026-01-01&to=2026-01-31"),
    "places_api.facilities": PUBLIC,
    "places_api.facility": PUBLIC,
    "places_api.set_day": ADMINISTRATOR.asked(kind="rest", name="调休"),
    # programmes and sessions
    "programmes.announce": MANAGER.asked(AT_FACILITY, **SESSION_FORM),
    "programmes.facility": PUBLIC,
    "programmes.week": PUBLIC,
    "programmes_api.add_programme": ADMINISTRATOR.asked(name="书法", facility_kind="yuhao_space"),
    "programmes_api.announce": MANAGER.asked(**SESSION),
    "programmes_api.programmes": PUBLIC,
    "programmes_api.session": PUBLIC,
    "programmes_api.sessions": PUBLIC,
    # bookings
    "bookings.answer": HOUSEHOLD.asked(answer="decline"),
    "bookings.book": HOUSEHOLD.asked(resident_id="{resident}"),
    "bookings.booked": HOUSEHOLD,
    "bookings.call_off": MANAGER.asked(reason="停电"),
    "bookings.cancel": HOUSEHOLD,
    "bookings.change_session": MANAGER.asked(**SESSION_FORM),
    "bookings.desk_bookings": MANAGER.asked(**PERSON, override="登记"),
    "bookings.mine": SIGNED_IN,
    "bookings.promote_by_hand": MANAGER.but(staff_not_found).asked(reason="特殊情况"),
    "bookings.session": PUBLIC,
    "bookings_api.accept": HOUSEHOLD,
    "bookings_api.book": HOUSEHOLD.asked(session_id="{free}", resident_ids=["{resident}"]),
    "bookings_api.book_at_desk": MANAGER.asked(resident=PERSON),
    "bookings_api.booking": HOUSEHOLD,
    "bookings_api.bookings": SIGNED_IN,
    "bookings_api.cancel": HOUSEHOLD,
    "bookings_api.code": HOUSEHOLD,
    "bookings_api.cancel_session": MANAGER.asked(reason="停电"),
    "bookings_api.change_session": MANAGER.asked(title="竹编"),
    "bookings_api.decline": HOUSEHOLD,
    "bookings_api.delete_session": MANAGER,
    "bookings_api.promote": MANAGER.but(seen_by_household).asked(reason="特殊情况"),
    "bookings_api.roster": MANAGER,
    # attendance
    "attendance.by_code": MANAGER.asked(code="{reference}"),
    "attendance.desk": ANY_STAFF,
    "attendance.everybody": MANAGER.asked(kind="present"),
    "attendance.newcomer": MANAGER.asked(name="王桂芳", sex="female"),
    "attendance.head_count": MANAGER.asked(women="3"),
    "attendance.roll_call": MANAGER,
    "attendance.tick": MANAGER.asked(kind="present", resident_id="{resident}"),
    "attendance.walk_in": MANAGER,
    "attendance_api.attendance": MANAGER,
    "attendance_api.check_in": HOUSEHOLD.asked(poster="{poster}"),
    "attendance_api.history": MANAGER,
    "attendance_api.reopen": ADMINISTRATOR.asked(day="2026-09-01", reason="补录"),
    "corrections.close": ADMINISTRATOR,
    "corrections.history": MANAGER,
    "corrections.reopened": ADMINISTRATOR.asked(facility_id="{facility}", day="2026-09-01", days="3", reason="补录"),
    "corrections.set_limit": ADMINISTRATOR.asked(manager_days="20"),
    "corrections.take_back": MANAGER.asked(reason="mistake"),
    "devices.desk_pass": ANY_STAFF,
    "devices.manifest": PUBLIC,
    "devices.record": ANY_STAFF,
    "devices.service_worker": PUBLIC,
    "devices.waiting": PUBLIC,
    "posters.check_in": HOUSEHOLD,
    "posters.here": SIGNED_IN,
    "posters.make": MANAGER.but(staff_not_found),
    "posters.show": MANAGER.but(staff_not_found),
    "attendance_api.record": replace(
        MANAGER.but(lambda actor, _place: 200 if actor in STAFF else 403).asked(events=[EVENT]),
        is_refused=_each_is_refused,
    ),
    # feedback
    "feedback.give": HOUSEHOLD.asked(rating="4"),
    "feedback.of_session": MANAGER,
    "feedback_api.feedback": HOUSEHOLD,
    "feedback_api.give": HOUSEHOLD.asked(rating=4, comment="很好"),
    # no-shows
    "no_shows.answer": MANAGER.but(staff_not_found).asked(reply="已核实", answer="accepted"),
    "no_shows.appeals": COUNTER,
    "no_shows.end_exemption": ADMINISTRATOR,
    "no_shows.exempt": ADMINISTRATOR.asked(resident_id="{exempted}", ground="illness", from_day="2026-09-16"),
    "no_shows.look_up": ADMINISTRATOR.asked(sought="13800138000"),
    "no_shows.mine": SIGNED_IN,
    "no_shows.one": HOUSEHOLD.asked(words="我在场"),
    "no_shows.rule": ADMINISTRATOR.asked(
        is_on="y", within_days="90", warn_at="2", pause_at="3", pause_days="30", exempt_disabled="y"
    ),
    "no_shows_api.answer": MANAGER.but(seen_by_household).asked(answer="accepted", reply="已核实"),
    "no_shows_api.appeal": HOUSEHOLD.asked(words="我在场"),
    "no_shows_api.appeals": COUNTER,
    "no_shows_api.change_rule": ADMINISTRATOR.asked(is_on=True),
    "no_shows_api.no_shows": SIGNED_IN,
    "no_shows_api.rule": ADMINISTRATOR,
    # closures
    "closures.close": MANAGER.asked(AT_FACILITY, **CLOSURE_FORM),
    "closures.closures": MANAGER.asked(AT_FACILITY),
    "closures.lift": MANAGER,
    "closures_api.close": MANAGER.asked(
        starts_at="2026-12-10T18:00:00+08:00", ends_at="2026-12-18T18:00:00+08:00", reason="装修"
    ),
    "closures_api.closures": PUBLIC,
    "closures_api.lift": MANAGER,
    "closures_api.preview": MANAGER.asked(ends_at="2026-12-18T18:00:00+08:00"),
    # series
    "series.announce": MANAGER.asked(
        AT_FACILITY, **SESSION_FORM, repeat="weekly", times="2", on_rest_days="hold", step="announce"
    ),
    "series.cancel": MANAGER.asked(reason="停电"),
    "series.change": MANAGER.asked(**SESSION_FORM | {"day": "2026-09-23", "starts": "10:00", "ends": "11:00"}),
    "series.remove": MANAGER,
    "series.series": MANAGER,
    "series_api.announce": MANAGER.asked(**SERIES),
    "series_api.cancel": MANAGER.asked(reason="停电"),
    "series_api.change": MANAGER.asked(title="国画"),
    "series_api.preview": MANAGER.asked(**SERIES),
    "series_api.remove": MANAGER.asked(starts_at="2026-09-28T10:00:00+08:00"),
    "series_api.series": PUBLIC,
    # draws
    "draws.check": PUBLIC,
    "draws.draw": PUBLIC,
    "draws.enter": HOUSEHOLD.asked(resident_ids="{resident}"),
    "draws.hold": MANAGER,
    "draws.open_draw": MANAGER.asked(
        AT_FACILITY, session_ids="{to_draw}", title="书法", day="2026-09-20", time="20:00"
    ),
    "draws.recompute": PUBLIC,
    "draws.ticket": HOUSEHOLD,
    "draws.withdraw": HOUSEHOLD,
    "draws_api.draw": PUBLIC,
    "draws_api.enter": HOUSEHOLD.asked(resident_ids=["{resident}"]),
    "draws_api.entries": SIGNED_IN,
    "draws_api.hold": MANAGER,
    "draws_api.open_draw": MANAGER.asked(
        session_ids=["{to_draw}"], title="书法", entries_close_at="2026-09-20T20:00:00+08:00"
    ),
    "draws_api.recompute": PUBLIC,
    "draws_api.withdraw": HOUSEHOLD,
    # reservations
    "reservations.cancel": HOUSEHOLD,
    "reservations.find": PUBLIC,
    "reservations.mine": SIGNED_IN,
    "reservations.move": HOUSEHOLD.asked(AT),
    "reservations.reserve": HOUSEHOLD.asked(AT, resident_id="{resident}", purpose="排练"),
    "reservations.reserved": HOUSEHOLD,
    "reservations.space": PUBLIC,
    "reservations_api.cancel": HOUSEHOLD,
    "reservations_api.free_spaces": PUBLIC.asked("minutes=60"),
    "reservations_api.move": HOUSEHOLD.asked(**TIME),
    "reservations_api.reservation": HOUSEHOLD,
    "reservations_api.reservations": SIGNED_IN,
    "reservations_api.reserve": HOUSEHOLD.asked(space_id="{space}", resident_id="{resident}", purpose="排练", **TIME),
    "reservations_api.space_availability": PUBLIC.asked("from=2026-09-17&to=2026-09-20"),
    # messages, figures, the rest
    "notices.add_carer": SIGNED_IN.asked(phone="13800138000"),
    "notices.answer": PUBLIC,
    "notices.confirm_carer": SIGNED_IN.asked(**{"carer-code": "123456"}),
    "notices.confirm_email": SIGNED_IN.asked(code="123456"),
    "notices.enter_answer": PUBLIC,
    "notices.mark_read": SIGNED_IN,
    "notices.mine": SIGNED_IN,
    "notices.preferences": SIGNED_IN.asked(language="en", quiet_from="21:00", quiet_until="08:00"),
    "notices.remove_carer": ACCOUNT,
    "notices.remove_email": SIGNED_IN,
    "notices.send_again": ADMINISTRATOR.asked(delivery_id="{delivery}"),
    "notices.set_email": SIGNED_IN.asked(email="chen@example.org"),
    "notices.undelivered": ADMINISTRATOR,
    "notices_api.add_carer": SIGNED_IN.asked(phone="13800138000"),
    "notices_api.agree": SIGNED_IN.asked(kinds=["promoted"]),
    "notices_api.change_notifications": SIGNED_IN.asked(language="en"),
    "notices_api.confirm_carer": SIGNED_IN.asked(code="123456"),
    "notices_api.confirm_email": SIGNED_IN.asked(code="123456"),
    "notices_api.deliveries": ADMINISTRATOR,
    "notices_api.link_wechat": SIGNED_IN.asked(code="x"),
    "notices_api.mark_read": ACCOUNT.asked(ids=["{notice}"]),
    "notices_api.notices": SIGNED_IN,
    "notices_api.notifications": SIGNED_IN,
    "notices_api.receipt": PUBLIC,
    "notices_api.remove_carer": ACCOUNT,
    "notices_api.remove_email": SIGNED_IN,
    "notices_api.send_again": ADMINISTRATOR.asked(ids=["{delivery}"]),
    "notices_api.set_email": SIGNED_IN.asked(email="chen@example.org"),
    "notices_api.unlink_wechat": SIGNED_IN,
    "jobs.overview": ADMINISTRATOR,
    "calendars.booking": HOUSEHOLD,
    "calendars.facility": PUBLIC,
    "calendars.feed": PUBLIC,
    "calendars.follow": SIGNED_IN.asked(language="zh"),
    "calendars.mine": SIGNED_IN,
    "calendars.reservation": HOUSEHOLD,
    "calendars.revoke": SIGNED_IN,
    "calendars_api.booking": HOUSEHOLD,
    "calendars_api.follow": SIGNED_IN.asked(language="zh"),
    "calendars_api.following": SIGNED_IN,
    "calendars_api.reservation": HOUSEHOLD,
    "calendars_api.revoke": SIGNED_IN,
    "projects.form": ADMINISTRATOR,
    "projects.manage": ADMINISTRATOR,
    "projects.overview": PUBLIC,
    "projects.report": ADMINISTRATOR.asked(month="6", value="5", evidence="验收单", answer="submit"),
    "projects.review": ADMINISTRATOR.asked(answer="lock", because=""),
    "projects.set_target": ADMINISTRATOR.asked(set_by="municipal", from_day="2024-01-01", target="6"),
    "projects.set_thresholds": ADMINISTRATOR.asked(yellow="5", red="20"),
    "projects.subproject": ADMINISTRATOR.asked(name="口袋公园", kind="cumulative", unit="个"),
    "projects_api.projects": PUBLIC.asked("year=2024"),
    "reports.correct": ADMINISTRATOR,
    "reports.file": ADMINISTRATOR.asked("format=xlsx"),
    "reports.report": ADMINISTRATOR,
    "reports.reports": ADMINISTRATOR.asked(
        period="month:2026-07-01", signed_name="周敏", signed_position="区民生实事办 主任"
    ),
    "reports_api.close": ADMINISTRATOR.asked(
        kind="month", first="2026-06-01", signed_name="周敏", signed_position="区民生实事办 主任"
    ),
    "reports_api.correct": ADMINISTRATOR,
    "reports_api.report": ADMINISTRATOR,
    "reports_api.reports": ADMINISTRATOR,
    "quality.accept": MANAGER.asked(why="open_event"),
    "quality.complete": ADMINISTRATOR.asked(birth_date="1988-04-12", sex="female"),
    "quality.listed": COUNTER,
    "quality.overview": COUNTER,
    "quality.tell_apart": ADMINISTRATOR,
    "quality_api.quality": COUNTER,
    "statistics.beneficiaries": MANAGER.asked(AT_FACILITY),
    "statistics.on_paper": MANAGER.asked(AT_FACILITY),
    "statistics.picture": MANAGER.asked(AT_FACILITY),
    "statistics_api.beneficiaries": MANAGER.asked(f"{PERIOD}&{AT_FACILITY}"),
    "statistics_api.sessions": MANAGER.asked(f"{PERIOD}&{AT_FACILITY}"),
    "statistics_api.attendance": MANAGER,
    "figures_behind.sessions": MANAGER.asked(AT_FACILITY),
    "figures_behind.everybody": MANAGER,
    "statistics_api.open_beneficiaries": PUBLIC.asked("from=2026-01-01&to=2026-08-31"),
    "open_data.feed": PUBLIC,
    "open_data.page": PUBLIC,
    "pages.find": PUBLIC,
    "pages.healthz": PUBLIC,
    "pages.home": PUBLIC,
    "pages.readyz": PUBLIC,
}
# Where looking is everyone's and doing is not, or the other way round.
BY_METHOD: dict[tuple[str, str], Rule] = {
    ("reservations.reserve", "GET"): SIGNED_IN.asked(AT),
}
# What stands for an argument of an address, where that is not its name without `_id`.
ARGUMENTS = {
    ("households.end_right", "user_id"): "guardian",
    ("households_api.end_right", "user_id"): "guardian",
    ("bookings.answer", "booking_id"): "turn",
    ("bookings_api.accept", "booking_id"): "turn",
    ("bookings_api.decline", "booking_id"): "turn",
    ("bookings_api.promote", "booking_id"): "turn",
    ("bookings.promote_by_hand", "booking_id"): "turn",
    ("feedback.give", "booking_id"): "attended",
    ("feedback_api.feedback", "booking_id"): "attended",
    ("feedback_api.give", "booking_id"): "attended",
    ("no_shows.answer", "booking_id"): "appealed",
    ("no_shows.one", "booking_id"): "missed",
    ("no_shows_api.answer", "booking_id"): "appealed",
    ("no_shows_api.appeal", "booking_id"): "missed",
    ("reports.file", "report_id"): "closed",
    ("reports.report", "report_id"): "closed",
    ("reports_api.correct", "report_id"): "closed",
    ("reports_api.report", "report_id"): "closed",
    ("quality.complete", "resident_id"): "ageless",
    ("quality.tell_apart", "first_id"): "kept",
    ("quality.tell_apart", "second_id"): "ageless",
    ("bookings.book", "session_id"): "free",
    ("bookings.call_off", "session_id"): "free",
    ("bookings_api.cancel_session", "session_id"): "free",
}


@dataclass(frozen=True)
class Door:
    endpoint: str
    method: str
    path: str
    rule: Rule

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")

    @property
    def places(self) -> tuple[str, ...]:
        """All three where the address, the question or the body names something."""
        names_something = "{" in self.path or "{" in self.rule.query or "{" in str(list(self.rule.body.values()))
        return PLACES if names_something else PLACES[:1]


def doors(app: Flask) -> Iterator[Door]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint in OPEN_ENDPOINTS or rule.endpoint not in RULES:
            continue
        path = rule.rule
        for argument in rule.arguments:
            name = ARGUMENTS.get((rule.endpoint, argument), argument.removesuffix("_id"))
            path = path.replace(f"<{argument}>", "{" + name + "}")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Door(rule.endpoint, method, path, BY_METHOD.get((rule.endpoint, method), RULES[rule.endpoint]))


def knock(district: District, door: Door, actor: str, place: str) -> TestResponse:
    path = district.filled(door.path + (f"?{door.rule.query}" if door.rule.query else ""), place)
    assert "{" not in path, f"nothing stands for it in tests/security/district.py: {path}"
    body = district.filled(door.rule.body, place) if door.method != "GET" else {}
    if not door.is_api:
        client = district.browsers[actor].client
        if door.method != "GET":
            body = {**body, "csrf_token": district.tokens[actor]}
        return client.open(path, method=door.method, data=body or None, headers={"Accept-Language": "en"})
    for event in body.get("events", ()):
        event["id"] = str(uuid4())
    someone = district.people.get(actor)
    headers = {"Authorization": f"Bearer {someone.token}"} if someone else {}
    return district.world.app.test_client().open(path, method=door.method, json=body or None, headers=headers)


def is_told(door: Door, answer: TestResponse, actor: str, place: str) -> str | None:
    """What is wrong with the answer to somebody who may not; None where it is as it should be."""
    if actor == "anonymous":
        status = 401 if door.is_api else 302
        if status == 302 and not answer.headers.get("Location", "").startswith("/sign-in"):
            return f"is sent to {answer.headers.get('Location')}"
    else:
        status = door.rule.told(actor, place)
    if answer.status_code != status:
        return f"{answer.status_code} instead of {status}"
    return None if status >= 300 or door.rule.is_refused(answer) else "not refused"


@pytest.fixture
def district(world: World, monkeypatch: pytest.MonkeyPatch) -> District:
    monkeypatch.setitem(world.app.config, "ANSWER_UNEXPECTED", True)  # as in production: a 500 is seen as a 500
    publish_open_data()
    return District.of(world)


def test_v8_1_1_and_v8_2_1_every_route_says_who_may(app: Flask) -> None:
    here = {rule.endpoint for rule in app.url_map.iter_rules()} - OPEN_ENDPOINTS
    assert here - set(RULES) == set(), "each of these needs a line in RULES"
    assert set(RULES) - here == set(), "these routes are gone"
    for endpoint, rule in RULES.items():
        is_public = app.view_functions[endpoint].__guard__ == "public"  # type: ignore[attr-defined]
        assert (rule is PUBLIC or rule.who is PUBLIC.who) is is_public, endpoint


def test_v3_5_3_and_v8_2_2_nobody_does_or_sees_what_is_not_theirs_and_trying_changes_nothing(
    district: District,
) -> None:
    watch, wrong, refused, shown = Watch(db.engine), [], 0, 0
    try:
        for door in doors(district.world.app):
            for place in door.places:
                for actor in ACTORS:
                    may = door.rule.who(actor, place)
                    if may and door.method != "GET":
                        continue
                    answer = knock(district, door, actor, place)
                    problem = None
                    if may:
                        shown += 1
                        if answer.status_code != door.rule.shows:
                            problem = f"{answer.status_code} instead of {door.rule.shows}"
                    else:
                        refused += 1
                        problem = is_told(door, answer, actor, place)
                    if changed := watch.changed():
                        problem = f"{problem or answer.status_code}, writes {sorted(changed)}"
                    if problem:
                        wrong.append(f"{actor} × {door.method} {door.endpoint} × {place}: {problem}")
    finally:
        watch.close()
    assert not wrong, "\n".join(wrong)
    assert (refused > 1000, shown > 500) == (True, True), (refused, shown)


def test_the_watch_sees_a_single_row(district: District) -> None:
    """The matrix would be worth nothing if it could not see what was written."""
    watch = Watch(db.engine)
    try:
        assert watch.changed() == set()
        district.people["resident"].cancel(district.ids["own"]["booking"])
        assert {"bookings", "activity_sessions"} <= watch.changed()
        assert watch.changed() == set()
        with clock.frozen(NOW + timedelta(hours=13)):
            district.browsers["resident"].raw("/me")  # is seen
        assert watch.changed() == set()
    finally:
        watch.close()


# What is done late, because it takes away what others are about, and what is done last, because it puts somebody out.
LATE = re.compile("decline|answer|cancel|lift|withdraw|hold|call_off|delete|leave")
LAST = re.compile("series.*cancel|leave|withdraw_consent|change_staff|staff|end_.*sign_in|end_token|sign_out")

NOT_DONE = {
    "accounts.remove_second_factor",  # the password is a wrong one
    "accounts.second_factor",  # and so is the code
    "accounts_api.change_password",
    "accounts_api.end_one_sign_in",  # the page has ended it
    "family_api.withdraw_consent",  # and this was given by somebody else
    "households.join",
    "households_api.accept_invitation",
    "privacy.data",
    "privacy.erase",
    "privacy_api.download",
    "privacy_api.erase",
    "notices.confirm_carer",  # the code is a wrong one
    "notices.confirm_email",
    "notices_api.link_wechat",  # this installation has none
    "notices_api.remove_carer",  # the page has removed it
    "draws_api.withdraw",  # there is one ticket, which has been withdrawn by its page
}


def test_what_is_refused_to_others_is_done_for_those_who_may(district: District) -> None:
    """So that each refusal above is one for who asks, and not for a body that nobody could send."""
    found = [door for door in doors(district.world.app) if door.method != "GET" and door.rule.who is not PUBLIC.who]
    found.sort(key=lambda door: (bool(LAST.search(door.endpoint)), bool(LATE.search(door.endpoint)), door.endpoint))
    wrong = []
    for door in sorted(found, key=lambda door: "end_token" in door.endpoint or "end_other" in door.endpoint):
        may = [actor for actor in ACTORS if door.rule.who(actor, "own")]
        if not may:
            continue
        actor = may[-1 if door.is_api else 0]
        answer = knock(district, door, actor, "own")
        done = answer.status_code in (200, 201, 202, 204, 302, 409)  # 409: they might, were it not done or full already
        if not done and door.endpoint not in NOT_DONE:
            wrong.append(f"{actor} × {door.method} {door.endpoint}: {answer.status_code} {said(answer)}")
    assert not wrong, "\n".join(wrong)


def said(answer: TestResponse) -> str:
    """Of a problem its text; of a page what it objects to."""
    objections = " ".join(re.findall(r'class="(?:wrong|refused).*?</p>', answer.text, re.DOTALL))
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", objections or answer.text))[-300:]
