"""What staff may do: roles, dates, who gives them, what ends them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from facilities import background
from facilities.accounts import grants, queries, services
from facilities.accounts.grants import LAPSES_AFTER, Wanted
from facilities.accounts.models import Grant
from facilities.infra.audit import AuditEntry, verify
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.kernel.actors import Granted, Role
from facilities.kernel.refusals import Refused
from tests.client import Caller
from tests.conftest import NOW
from tests.world import PASSWORD, Someone, World

DAY = timedelta(days=1)
REVIEWER = {"role": "reviewer", "scope": {"sub_district_code": "500104004"}}


def shown(instant: datetime) -> str:
    return clock.local(instant).isoformat()


def grant(world: World, someone: Someone, *granted: dict[str, Any], status: int = 200) -> Any:
    return world.administrator().api.patch(f"/users/{someone.user.id}", {"grants": list(granted)}, status=status)


def rows_of(someone: Someone) -> list[Grant]:
    db.session.rollback()
    return queries.grant_rows(someone.user.id)


def verbs_about(someone: Someone) -> list[str]:
    db.session.rollback()
    found = select(AuditEntry.verb).where(AuditEntry.about_kind == "user", AuditEntry.about_id == someone.user.id)
    return list(db.session.scalars(found.order_by(AuditEntry.id)))


def roles_at(someone: Someone, moment: datetime) -> list[str]:
    with clock.frozen(moment):
        return [g.role.value for g in queries.grants_of(someone.user.id)]


def test_every_role_can_be_granted_and_is_shown_with_scope_and_dates(world: World) -> None:
    facility, someone = world.facility(), world.manager(world.facility())
    at = {"facility_id": str(facility.id)}
    until = shown(NOW + 30 * DAY)
    asked = [
        {"role": "manager", "scope": at},
        {"role": "guard", "scope": at, "ends_at": until},
        REVIEWER,
        {"role": "administrator"},
    ]
    answer = grant(world, someone, *asked)
    assert [(g["role"], g["scope"], g["starts_at"], g["ends_at"]) for g in answer["grants"]] == [
        ("manager", at, shown(NOW), None),
        ("guard", at, shown(NOW), until),
        ("reviewer", REVIEWER["scope"], shown(NOW), None),
        ("administrator", {}, shown(NOW), None),
    ]


@pytest.mark.parametrize(
    "granted",
    [
        pytest.param({"role": "guard"}, id="a guard of nothing"),
        pytest.param({"role": "reviewer", "scope": {"facility_id": "{facility}"}}, id="a reviewer of a facility"),
        pytest.param({"role": "administrator", "scope": {"sub_district_code": "500104004"}}, id="of a sub-district"),
        pytest.param({"role": "reviewer", "scope": {"sub_district_code": "999999999"}}, id="a sub-district unknown"),
        pytest.param({**REVIEWER, "ends_at": "2026-09-15T10:00:00+08:00"}, id="over before it begins"),
        pytest.param(
            {**REVIEWER, "starts_at": "2026-10-02T10:00:00+08:00", "ends_at": "2026-10-02T10:00:00+08:00"},
            id="ends as it begins",
        ),
        pytest.param({"role": "resident"}, id="everyone is a resident"),
    ],
)
def test_a_grant_that_cannot_be_is_refused_and_changes_nothing(world: World, granted: dict[str, Any]) -> None:
    facility = world.facility()
    someone = world.manager(facility)
    if granted.get("scope", {}).get("facility_id"):
        granted = {**granted, "scope": {"facility_id": str(facility.id)}}
    grant(world, someone, granted, status=422)
    assert [row.role for row in rows_of(someone)] == [Role.MANAGER]
    someone.api.get("/me")


def test_the_same_twice_is_one_grant_and_with_other_dates_a_contradiction(world: World) -> None:
    someone = world.manager(world.facility())
    assert len(grant(world, someone, REVIEWER, REVIEWER)["grants"]) == 1
    grant(world, someone, REVIEWER, {**REVIEWER, "ends_at": shown(NOW + DAY)}, status=422)


def test_a_grant_holds_from_its_start_until_its_end_and_not_longer(world: World) -> None:
    someone = world.manager(world.facility())
    grant(world, someone, {**REVIEWER, "starts_at": shown(NOW + DAY), "ends_at": shown(NOW + 2 * DAY)})
    second = timedelta(seconds=1)
    assert roles_at(someone, NOW) == []
    assert roles_at(someone, NOW + DAY - second) == []
    assert roles_at(someone, NOW + DAY) == ["reviewer"]
    assert roles_at(someone, NOW + 2 * DAY - second) == ["reviewer"]
    assert roles_at(someone, NOW + 2 * DAY) == []


def test_a_sign_in_that_goes_on_loses_a_right_at_its_end(world: World, anyone: Caller, app: Flask) -> None:
    facility, someone = world.facility(), world.manager(world.facility())
    session = world.session(facility)
    held = {"role": "manager", "scope": {"facility_id": str(facility.id)}, "ends_at": shown(NOW + DAY)}
    grant(world, someone, held)
    token = anyone.post("/tokens", {"login": someone.login, "password": PASSWORD})["token"]
    Caller(app, token).get(f"/sessions/{session.id}/roster")
    with clock.frozen(NOW + DAY):
        Caller(app, token).get(f"/sessions/{session.id}/roster", status=403)
        assert Caller(app, token).get("/me")["user"]["grants"] == []


def test_who_granted_is_kept_and_every_change_is_in_the_chain_of_the_audit(world: World) -> None:
    administrator, someone = world.administrator(), world.manager(world.facility())
    administrator.api.patch(f"/users/{someone.user.id}", {"grants": [REVIEWER]})
    (row,) = [row for row in rows_of(someone) if row.role is Role.REVIEWER]
    assert row.granted_by == administrator.user.id
    administrator.api.patch(f"/users/{someone.user.id}", {"disabled": True})
    assert verbs_about(someone) == ["granted", "grant_ended", "granted", "disabled"]
    assert not verify().faults


def test_what_stays_as_it_is_keeps_its_row_its_use_and_the_sign_ins(world: World) -> None:
    facility = world.facility()
    someone, administrator = world.manager(facility), world.administrator()
    (before,) = rows_of(someone)
    assert before.last_used_at == NOW
    for body in (
        {"grants": [{"role": "manager", "scope": {"facility_id": str(facility.id)}}]},
        {"grants": [{k: v for k, v in g.items() if k != "last_used_at"} for g in staff_grants(administrator, someone)]},
    ):
        administrator.api.patch(f"/users/{someone.user.id}", body)
        (after,) = rows_of(someone)
        assert (after.id, after.last_used_at) == (before.id, NOW)
        someone.api.get("/me")


def staff_grants(administrator: Someone, someone: Someone) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = administrator.api.patch(f"/users/{someone.user.id}", {})["grants"]
    return found


def test_a_change_of_rights_ends_every_sign_in_of_the_user_and_of_nobody_else(world: World) -> None:
    someone, administrator = world.manager(world.facility()), world.administrator()
    browser = world.browser(someone)
    assert browser.raw("/me").status_code == 200
    administrator.api.patch(f"/users/{someone.user.id}", {"grants": [REVIEWER]})
    someone.api.get("/me", status=401)
    assert browser.raw("/me").status_code == 302
    administrator.api.get("/me")


def test_who_changes_their_own_rights_signs_in_again(world: World) -> None:
    world.administrator()
    administrator = world.administrator()
    administrator.api.patch(f"/users/{administrator.user.id}", {"grants": [{"role": "administrator"}, REVIEWER]})
    administrator.api.get("/me", status=401)


@pytest.mark.parametrize(
    "body",
    [
        {"grants": []},
        {"grants": [{"role": "administrator", "ends_at": "2027-01-01T00:00:00+08:00"}]},
        {"disabled": True},
    ],
    ids=["no rights", "an end", "disabled"],
)
def test_the_last_administrator_cannot_be_taken_away(world: World, body: dict[str, Any]) -> None:
    first, second = world.administrator(), world.administrator()
    first.api.patch(f"/users/{first.user.id}", body)
    problem = second.api.patch(f"/users/{second.user.id}", body, status=409)
    assert problem["code"] == "last_administrator"
    second.api.get("/me")


def test_one_who_administers_until_a_day_is_not_enough_to_let_the_last_one_go(world: World) -> None:
    someone, administrator = world.manager(world.facility()), world.administrator()
    until = {"role": "administrator", "ends_at": shown(NOW + 30 * DAY)}
    administrator.api.patch(f"/users/{someone.user.id}", {"grants": [until]})
    administrator.api.patch(f"/users/{administrator.user.id}", {"grants": []}, status=409)


def test_of_two_who_dismiss_each_other_at_once_one_stays(world: World) -> None:
    first, second = world.administrator(), world.administrator()
    barrier = threading.Barrier(2)

    def dismiss(by: Someone, whom: Someone) -> str:
        with world.app.app_context():
            barrier.wait(timeout=10)
            try:
                user = queries.user_by_id(whom.actor.user_id)
                assert user is not None
                unit_of_work(lambda: services.replace_grants(user, [], by.actor))
            except Refused as refused:
                return refused.refusal.code
            finally:
                db.session.remove()
        return "done"

    db.session.rollback()
    with ThreadPoolExecutor(2) as pool:
        outcomes = pool.map(dismiss, (first, second), (second, first))
        assert sorted(outcomes) == ["done", "last_administrator"]
    assert len(queries.lasting_administrators()) == 1


# -- what nobody uses


def worker() -> int:
    return {name: done for name, done, _ in background.do_what_is_due()}["grants_lapsed"]


def test_a_grant_that_nobody_used_for_ninety_days_lapses(world: World) -> None:
    someone = world.manager(world.facility())
    world.administrator()
    with clock.frozen(NOW + LAPSES_AFTER - timedelta(seconds=1)):
        assert worker() == 0
    with clock.frozen(NOW + LAPSES_AFTER):
        assert worker() == 1
        assert worker() == 0
        assert queries.grants_of(someone.user.id) == []
    (row,) = rows_of(someone)
    assert row.ends_at == NOW + LAPSES_AFTER
    assert verbs_about(someone)[-1] == "grant_lapsed"
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.verb == "grant_lapsed")).one()
    assert entry.user_id is None
    assert not verify().faults


def test_a_grant_to_come_lapses_ninety_days_after_its_start(world: World) -> None:
    someone = world.manager(world.facility())
    starts = NOW + 60 * DAY
    unit_of_work(lambda: services.replace_grants(someone.user, [Wanted(Granted(Role.REVIEWER), starts)]))
    with clock.frozen(starts + LAPSES_AFTER - DAY):
        worker()
        assert len(queries.grants_of(someone.user.id)) == 1
    with clock.frozen(starts + LAPSES_AFTER):
        worker()
        assert queries.grants_of(someone.user.id) == []


def test_use_by_a_sign_in_that_is_open_keeps_a_grant_alive(world: World) -> None:
    someone = world.manager(world.facility())
    for days in (20, 40, 60, 80):
        with clock.frozen(NOW + days * DAY):
            someone.api.get("/me")
    assert rows_of(someone)[0].last_used_at == NOW + 80 * DAY
    with clock.frozen(NOW + 100 * DAY):
        assert worker() == 0


def test_last_used_is_kept_at_most_once_in_twelve_hours(world: World) -> None:
    someone = world.manager(world.facility())
    for hours, kept in ((5, 0), (11, 0), (13, 13), (20, 13)):
        with clock.frozen(NOW + timedelta(hours=hours)):
            world.browser(someone).raw("/me")
        assert rows_of(someone)[0].last_used_at == NOW + timedelta(hours=kept)


def test_the_last_administrators_grant_never_lapses(world: World) -> None:
    first, second = world.administrator(), world.administrator()
    with clock.frozen(NOW + LAPSES_AFTER):
        worker()
        assert len(queries.lasting_administrators() & {first.user.id, second.user.id}) == 1
        assert worker() == 0


def test_what_lapsed_can_be_granted_again(world: World) -> None:
    facility = world.facility()
    someone, administrator = world.manager(facility), world.administrator()
    with clock.frozen(NOW + LAPSES_AFTER):
        administrator.api.get("/me", status=401)  # their token is idle as well
        worker()
        again = Wanted(Granted(Role.MANAGER, facility.id))
        unit_of_work(lambda: services.give_grant(someone.user, again, administrator.actor))
        (row,) = rows_of(someone)
        assert (row.starts_at, row.ends_at, row.last_used_at) == (NOW + LAPSES_AFTER, None, None)


def test_only_who_is_no_longer_needed_can_be_disabled(world: World) -> None:
    last = world.administrator()
    with pytest.raises(Refused, match="last_administrator"):
        unit_of_work(lambda: services.set_disabled(last.user, disabled=True))
    assert grants.due_to_lapse(NOW + LAPSES_AFTER) == []


# -- passwords of staff


def test_an_administrator_sets_the_password_of_staff_and_every_sign_in_is_dead(world: World, anyone: Caller) -> None:
    someone, administrator = world.manager(world.facility()), world.administrator()
    administrator.api.patch(f"/users/{someone.user.id}", {"password": "eleven char"}, status=422)
    someone.api.get("/me")
    administrator.api.patch(f"/users/{someone.user.id}", {"password": "quite another one"})
    someone.api.get("/me", status=401)
    anyone.post("/tokens", {"login": someone.login, "password": PASSWORD}, status=401)
    anyone.post("/tokens", {"login": someone.login, "password": "quite another one"})
    assert verbs_about(someone)[-1] == "password_set"


def test_nobody_sets_the_password_of_a_resident_but_the_resident(world: World, anyone: Caller) -> None:
    resident = world.resident()
    world.administrator().api.patch(f"/users/{resident.user.id}", {"password": "quite another one"}, status=403)
    anyone.post("/tokens", {"login": resident.login, "password": PASSWORD})
