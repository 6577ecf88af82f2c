"""Sign-in over the API: tokens and their ends, passwords, failures, staff; and the order in which checks come."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from facilities.kernel import clock
from tests.client import PREFIX, Caller
from tests.conftest import NOW
from tests.world import PASSWORD, World

REGISTRATION = {
    "phone": "13912345678",
    "password": PASSWORD,
    "name": "李敏",
    "birth_date": "1990-01-31",
    "sex": "female",
    "consent": True,
}


def sign_in(anyone: Caller, login: str, password: str = PASSWORD, status: int = 201) -> Any:
    return anyone.post("/tokens", {"login": login, "password": password}, status=status)


def lives(app: Flask, token: str) -> bool:
    return Caller(app, token).call("GET", "/me").status_code == 200


# -- registering


def test_who_registers_is_signed_in_and_has_one_resident_oneself(app: Flask, anyone: Caller) -> None:
    answer = anyone.post("/accounts", REGISTRATION)
    assert answer["user"] == {"id": answer["user"]["id"], "display_name": "李敏", "grants": []}
    me = Caller(app, answer["token"]).get("/me")
    assert me["user"] == answer["user"]
    (resident,) = me["residents"]
    assert (resident["name"], resident["birth_date"], resident["sex"], resident["relation"]) == (
        "李敏",
        "1990-01-31",
        "female",
        "self",
    )
    assert isinstance(resident["id"], str)
    assert isinstance(me["user"]["id"], str)


@pytest.mark.parametrize("typed", ["13912345678", "139 1234 5678", "+86 139-1234-5678", "１３９１２３４５６７８"])
def test_a_known_phone_is_refused_however_it_is_written(anyone: Caller, typed: str) -> None:
    anyone.post("/accounts", REGISTRATION)
    assert anyone.post("/accounts", {**REGISTRATION, "phone": typed}, status=409)["code"] == "phone_taken"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"phone": "12345"}, "phone", id="five digits"),
        pytest.param({"phone": "23912345678"}, "phone", id="begins with 2"),
        pytest.param({"phone": "139123456789"}, "phone", id="twelve digits"),
        pytest.param({"password": "7 chars"}, "password", id="seven characters"),
        pytest.param({"password": "password123"}, "password", id="on the list of common ones"),
        pytest.param({"password": "PassWord123"}, "password", id="a common one in other letters"),
        pytest.param({"consent": False}, "consent", id="no consent"),
        pytest.param({"birth_date": "2026-09-17"}, "birth_date", id="born tomorrow"),
        pytest.param({"birth_date": "1890-01-01"}, "birth_date", id="136 years old"),
        pytest.param({"sex": "other"}, "sex", id="a sex that the register does not know"),
    ],
)
def test_a_registration_that_cannot_be_names_the_field(anyone: Caller, change: dict[str, Any], field: str) -> None:
    assert set(anyone.post("/accounts", {**REGISTRATION, **change}, status=422)["fields"]) == {field}
    anyone.post("/accounts", REGISTRATION)  # and nothing of it was kept: the phone is still free


@pytest.mark.parametrize("password", ["eight ch", "12 34 ab", "密码密码密码密码", "    spaces"])
def test_a_password_needs_eight_characters_and_no_composition(anyone: Caller, password: str) -> None:
    anyone.post("/accounts", {**REGISTRATION, "password": password})
    sign_in(anyone, REGISTRATION["phone"], password)


def test_born_today_is_old_enough_for_an_account(anyone: Caller) -> None:
    """Today is the district's day: at 02:00Z it is the 16th there."""
    anyone.post("/accounts", {**REGISTRATION, "birth_date": "2026-09-16"})


# -- tokens


def test_a_token_says_when_it_ends_and_who_holds_it(world: World, anyone: Caller) -> None:
    facility = world.facility()
    manager = world.manager(facility)
    answer = sign_in(anyone, manager.login)
    assert answer["user"] == {
        "id": str(manager.user.id),
        "display_name": manager.login,
        "grants": [{"role": "manager", "scope": {"facility_id": str(facility.id)}}],
    }
    assert answer["expires_at"] == "2026-12-15T10:00:00+08:00"  # 90 days
    administrator = sign_in(anyone, world.administrator().login)
    assert administrator["user"]["grants"] == [{"role": "administrator", "scope": {}}]


@pytest.mark.parametrize("typed", ["{} ", "+86{}", "\u3000{}"])
def test_a_phone_signs_in_however_it_is_written(world: World, anyone: Caller, typed: str) -> None:
    resident = world.resident()
    assert sign_in(anyone, typed.format(resident.login))["user"]["id"] == str(resident.user.id)


def test_staff_sign_in_whatever_the_case_of_their_login(world: World, anyone: Caller) -> None:
    staff = world.administrator()
    assert sign_in(anyone, staff.login.upper())["user"]["id"] == str(staff.user.id)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(None, id="none"),
        pytest.param("", id="empty"),
        pytest.param("Bearer", id="no token"),
        pytest.param("Bearer ", id="an empty token"),
        pytest.param("Bearer nonsense", id="nonsense"),
        pytest.param("Bearer 令牌", id="not ASCII"),
        pytest.param("Basic {token}", id="another scheme"),
        pytest.param("{token}", id="no scheme"),
        pytest.param("Bearer {token}x", id="one letter more"),
        pytest.param("Bearer {token} {token}", id="twice"),
    ],
)
def test_no_or_a_bad_token_is_401(app: Flask, world: World, header: str | None) -> None:
    token = world.resident().token
    headers = {} if header is None else {"Authorization": header.format(token=token).encode().decode("latin-1")}
    assert Caller(app).call("GET", "/me", headers=headers, status=401).get_json()["code"] == "unauthorized"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_may_be_written_in_any_case(app: Flask, world: World, scheme: str) -> None:
    Caller(app).call("GET", "/me", headers={"Authorization": f"{scheme} {world.resident().token}"}, status=200)


def test_a_token_is_dead_at_once_on_sign_out_and_no_other_is(app: Flask, world: World, anyone: Caller) -> None:
    resident = world.resident()
    other = sign_in(anyone, resident.login)["token"]
    resident.api.delete("/tokens/current")
    assert not lives(app, resident.token)
    assert lives(app, other)
    resident.api.delete("/tokens/current", status=401)


def test_a_new_password_kills_every_other_token_and_the_cookies(app: Flask, world: World, anyone: Caller) -> None:
    resident, neighbour = world.resident(), world.resident()
    other = sign_in(anyone, resident.login)["token"]
    browser = world.browser(resident)
    resident.api.call(
        "POST", "/me/password", status=204, json={"password": PASSWORD, "new_password": "quite another one"}
    )
    assert lives(app, resident.token)
    assert not lives(app, other)
    assert lives(app, neighbour.token)
    assert browser.raw("/my/bookings").status_code == 302
    sign_in(anyone, resident.login, PASSWORD, status=401)
    sign_in(anyone, resident.login, "quite another one")


@pytest.mark.parametrize(
    ("password", "new_password", "field"),
    [
        pytest.param("not the present one", "quite another one", "password", id="the present one is wrong"),
        pytest.param(PASSWORD, "7 chars", "new_password", id="too short"),
        pytest.param(PASSWORD, "password123", "new_password", id="too common"),
        pytest.param(PASSWORD, "x" * 129, "new_password", id="too long"),
    ],
)
def test_a_password_change_that_is_refused_changes_nothing(
    app: Flask, world: World, anyone: Caller, password: str, new_password: str, field: str
) -> None:
    resident = world.resident()
    other = sign_in(anyone, resident.login)["token"]
    refused = resident.api.post("/me/password", {"password": password, "new_password": new_password}, status=422)
    assert set(refused["fields"]) == {field}
    assert lives(app, other)
    sign_in(anyone, resident.login)


def test_staff_cannot_change_to_a_password_of_eleven_characters(world: World) -> None:
    staff = world.administrator()
    staff.api.post("/me/password", {"password": PASSWORD, "new_password": "eleven char"}, status=422)
    staff.api.call("POST", "/me/password", status=204, json={"password": PASSWORD, "new_password": "twelve chars"})


@pytest.mark.parametrize(
    ("used_on_days", "asked_on_day", "alive"),
    [
        pytest.param([], 29, True, id="29 days idle"),
        pytest.param([], 30, False, id="30 days idle"),
        pytest.param([20], 49, True, id="used in between"),
        pytest.param([20], 50, False, id="30 days after the last use"),
        pytest.param([25, 50, 75], 89, True, id="in use for 89 days"),
        pytest.param([25, 50, 75], 90, False, id="90 days are the end"),
    ],
)
def test_a_token_lives_30_days_idle_and_90_at_most(
    app: Flask, world: World, used_on_days: list[int], asked_on_day: int, alive: bool
) -> None:
    token = world.resident().token
    for day in used_on_days:
        with clock.frozen(NOW + timedelta(days=day)):
            assert lives(app, token)
    with clock.frozen(NOW + timedelta(days=asked_on_day)):
        assert lives(app, token) is alive


def test_a_cookie_is_not_accepted_by_the_api(app: Flask, world: World) -> None:
    browser = world.browser(world.resident())
    assert browser.raw("/my/bookings").status_code == 200
    assert browser.client.get("/api/v1/me").status_code == 401
    answer = browser.client.post("/api/v1/residents", json={"name": "x"})
    assert answer.status_code == 401
    assert answer.get_json()["code"] == "unauthorized"


def test_a_browsers_secret_is_no_bearer_token_and_the_other_way_round(app: Flask, world: World) -> None:
    resident = world.resident()
    browser = world.browser(resident)
    with browser.client.session_transaction() as session:
        secret = session["_user_id"]
        session["_user_id"] = resident.token
    assert not lives(app, secret)
    assert lives(app, resident.token)
    assert browser.raw("/my/bookings").status_code == 302


# -- too many failures

MOST_FAILURES = 10


@pytest.mark.parametrize("known", [True, False], ids=["a known login", "a login that nobody has"])
def test_after_too_many_failures_the_answer_is_429_until_they_are_forgotten(
    world: World, anyone: Caller, known: bool
) -> None:
    login = world.resident().login if known else "13800000000"
    for _ in range(MOST_FAILURES):
        assert sign_in(anyone, login, "wrong wrong", status=401)["code"] == "bad_credentials"
    response = anyone.call("POST", "/tokens", json={"login": login, "password": PASSWORD}, status=429)
    assert response.get_json()["code"] == "too_many_attempts"
    wait = int(response.headers["Retry-After"])
    assert 0 < wait <= 3600
    with clock.frozen(NOW + timedelta(seconds=wait + 1)):
        sign_in(anyone, login, status=201 if known else 401)


def test_the_answers_for_known_and_unknown_logins_are_alike(world: World, anyone: Caller) -> None:
    logins = (world.resident().login, "13800000000")
    for _ in range(MOST_FAILURES + 2):
        seen = []
        for login in logins:
            response = anyone.call("POST", "/tokens", json={"login": login, "password": "wrong wrong"})
            problem = response.get_json()
            problem.pop("request_id")
            seen.append((response.status_code, problem, response.headers.get("Retry-After")))
        assert seen[0] == seen[1]
    assert seen[0][0] == 429


def test_failures_lock_no_other_login_and_a_success_forgets_them(world: World, anyone: Caller) -> None:
    resident, neighbour = world.resident(), world.resident()
    for _ in range(MOST_FAILURES - 1):
        sign_in(anyone, resident.login, "wrong wrong", status=401)
    sign_in(anyone, resident.login)
    for _ in range(MOST_FAILURES):
        sign_in(anyone, resident.login, "wrong wrong", status=401)
    sign_in(anyone, resident.login, status=429)
    sign_in(anyone, neighbour.login)


def test_other_writings_of_a_login_count_together(world: World, anyone: Caller) -> None:
    login = world.resident().login
    for n in range(MOST_FAILURES):
        sign_in(anyone, f"+86 {login}" if n % 2 else f" {login}", "wrong wrong", status=401)
    sign_in(anyone, login, status=429)


def test_a_token_that_is_open_works_on_while_its_login_is_locked(app: Flask, world: World, anyone: Caller) -> None:
    resident = world.resident()
    for _ in range(MOST_FAILURES):
        sign_in(anyone, resident.login, "wrong wrong", status=401)
    assert lives(app, resident.token)


# -- staff


def test_an_administrator_makes_staff_who_then_have_their_rights(world: World, anyone: Caller, app: Flask) -> None:
    facility = world.facility()
    made = world.administrator().api.post(
        "/users",
        {
            "login": "wang.li",
            "password": "twelve or more",
            "display_name": "王丽",
            "grants": [{"role": "manager", "scope": {"facility_id": str(facility.id)}}],
        },
    )
    (granted,) = made["grants"]
    assert (granted["role"], granted["scope"]) == ("manager", {"facility_id": str(facility.id)})
    assert "password" not in made
    token = sign_in(anyone, "wang.li", "twelve or more")["token"]
    session = world.session(facility)
    Caller(app, token).get(f"/sessions/{session.id}/roster")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        pytest.param({"login": "{taken}"}, 409, "login_taken", id="a login that is taken"),
        pytest.param({"login": "{TAKEN}"}, 409, "login_taken", id="the same in capitals"),
        pytest.param({"password": "eleven char"}, 422, "invalid", id="eleven characters"),
        pytest.param({"password": "password1234"}, 422, "invalid", id="a common password"),
        pytest.param({"grants": [{"role": "manager"}]}, 422, "invalid", id="a manager of nothing"),
        pytest.param(
            {"grants": [{"role": "administrator", "scope": {"facility_id": "{facility}"}}]},
            422,
            "invalid",
            id="an administrator of one facility",
        ),
        pytest.param(
            {"grants": [{"role": "manager", "scope": {"facility_id": "987654"}}]},
            422,
            "invalid",
            id="a manager of no facility that there is",
        ),
        pytest.param({"grants": [{"role": "resident"}]}, 422, "invalid", id="nobody is granted to be a resident"),
    ],
)
def test_staff_that_cannot_be_are_not_made(
    world: World, change: dict[str, Any], status: int, code: str, anyone: Caller
) -> None:
    administrator, taken, facility = world.administrator(), world.administrator().login, world.facility()
    known = {"{taken}": taken, "{TAKEN}": taken.upper()}
    body = {"login": "wang.li", "password": "twelve or more", "display_name": "王丽", "grants": [], **change}
    body["login"] = known.get(body["login"], body["login"])
    for granted in body["grants"]:
        if granted.get("scope", {}).get("facility_id") == "{facility}":
            granted["scope"] = {"facility_id": str(facility.id)}
    assert administrator.api.post("/users", body, status=status)["code"] == code
    sign_in(anyone, "wang.li", "twelve or more", status=401)


def test_disabling_kills_every_token_at_once_and_keeps_the_door_shut(app: Flask, world: World, anyone: Caller) -> None:
    administrator, staff = world.administrator(), world.manager(world.facility())
    other = sign_in(anyone, staff.login)["token"]
    changed = administrator.api.patch(f"/users/{staff.user.id}", {"disabled": True})
    assert changed["disabled"] is True
    assert not lives(app, staff.token)
    assert not lives(app, other)
    assert sign_in(anyone, staff.login, status=401)["code"] == "bad_credentials"
    administrator.api.patch(f"/users/{staff.user.id}", {"disabled": False})
    assert not lives(app, staff.token), "what was ended does not come back"
    sign_in(anyone, staff.login)


def test_new_grants_hold_for_who_signs_in_again(app: Flask, world: World, anyone: Caller) -> None:
    first, second = world.facility(), world.facility()
    staff, session = world.manager(first), world.session(second)
    staff.api.get(f"/sessions/{session.id}/roster", status=403)
    world.administrator().api.patch(
        f"/users/{staff.user.id}", {"grants": [{"role": "manager", "scope": {"facility_id": str(second.id)}}]}
    )
    staff.api.get(f"/sessions/{session.id}/roster", status=401)
    again = Caller(app, sign_in(anyone, staff.login)["token"])
    again.get(f"/sessions/{session.id}/roster")
    again.get(f"/sessions/{world.session(first).id}/roster", status=403)


# -- the order of checks: 401, 404, 403, 422, 409

BAD_BODY = {"colour": "red"}


@pytest.fixture
def scene(world: World, anyone: Caller) -> dict[str, Any]:
    facility, foreign = world.facility(), world.facility()
    session, foreign_session = world.session(facility), world.session(foreign)
    resident = world.resident()
    booking = world.book(resident, session)
    return {
        "callers": {
            "nobody": anyone,
            "resident": resident.api,
            "manager": world.manager(facility).api,
            "administrator": world.administrator().api,
        },
        "session": session.id,
        "foreign": foreign_session.id,
        "facility": facility.id,
        "foreign_facility": foreign.id,
        "booking": booking.id,
        "self": resident.resident_id,
    }


@pytest.mark.parametrize(
    ("caller", "method", "path", "body", "status"),
    [
        pytest.param("nobody", "PATCH", "/sessions/999999", BAD_BODY, 401, id="401 before 404 and 422"),
        pytest.param("nobody", "GET", "/residents?name=%00", None, 401, id="401 before a question that cannot be"),
        pytest.param("nobody", "POST", "/bookings", None, 401, id="401 before a body that is missing"),
        pytest.param("nobody", "PATCH", "/users/999999", BAD_BODY, 401, id="401 for what only administrators do"),
        pytest.param(
            "resident", "PATCH", "/sessions/999999", {"title": "x"}, 404, id="404 before 403: change a session"
        ),
        pytest.param(
            "resident", "POST", "/sessions/999999/cancel", {"reason": "x"}, 404, id="404 before 403: cancel one"
        ),
        pytest.param("resident", "DELETE", "/sessions/999999", None, 404, id="404 before 403: delete one"),
        pytest.param("resident", "GET", "/sessions/999999/roster", None, 404, id="404 before 403: a roster"),
        pytest.param("resident", "GET", "/sessions/999999/attendance", None, 404, id="404 before 403: attendance"),
        pytest.param("resident", "POST", "/facilities/999999/spaces", BAD_BODY, 404, id="404 before 403: add a space"),
        pytest.param("resident", "PUT", "/calendar/days/2026-02-30", BAD_BODY, 404, id="404 before 403: no such day"),
        pytest.param("manager", "PATCH", "/sessions/999999", BAD_BODY, 404, id="404 before 422"),
        pytest.param("resident", "PATCH", "/residents/999999", BAD_BODY, 404, id="404 before 422: a resident"),
        pytest.param(
            "manager",
            "GET",
            "/statistics/beneficiaries?from=x&facility=999999",
            None,
            404,
            id="404 before 422: figures",
        ),
        pytest.param("resident", "PATCH", "/sessions/{session}", BAD_BODY, 403, id="403 before 422: change a session"),
        pytest.param("manager", "PATCH", "/sessions/{foreign}", BAD_BODY, 403, id="403 before 422: another facility's"),
        pytest.param("resident", "POST", "/facilities", BAD_BODY, 403, id="403 before 422: open a facility"),
        pytest.param(
            "manager", "POST", "/facilities/{facility}/spaces", BAD_BODY, 403, id="403 before 422: add a space"
        ),
        pytest.param("manager", "PUT", "/calendar/days/2026-10-01", BAD_BODY, 403, id="403 before 422: the calendar"),
        pytest.param("manager", "POST", "/users", BAD_BODY, 403, id="403 before 422: make staff"),
        pytest.param("manager", "POST", "/programmes", BAD_BODY, 403, id="403 before 422: add a programme"),
        pytest.param("resident", "POST", "/attendance/events", BAD_BODY, 403, id="403 before 422: attendance"),
        pytest.param("resident", "GET", "/statistics/beneficiaries?from=x", None, 403, id="403 before 422: figures"),
        pytest.param(
            "manager",
            "GET",
            "/statistics/beneficiaries?from=x&to=y&facility={foreign_facility}",
            None,
            403,
            id="403 before 422: another facility's figures",
        ),
        pytest.param(
            "manager", "POST", "/sessions/{foreign}/cancel", BAD_BODY, 403, id="403 before 422: cancel a session"
        ),
        pytest.param(
            "manager", "DELETE", "/sessions/{foreign}", None, 403, id="403 where a rule would say 409 or nothing"
        ),
        pytest.param("manager", "PATCH", "/sessions/{session}", {"capacity": 0}, 422, id="422 before 409: capacity"),
        pytest.param(
            "resident",
            "POST",
            "/bookings",
            {"session_id": "{session}", "resident_ids": ["{self}"], "x": 1},
            422,
            id="422 before 409: booked already",
        ),
        pytest.param(
            "resident",
            "POST",
            "/bookings",
            {"session_id": "{session}", "resident_ids": ["{self}"]},
            409,
            id="409 at last",
        ),
    ],
)
def test_checks_come_in_the_contracts_order(
    scene: dict[str, Any], caller: str, method: str, path: str, body: dict[str, Any] | None, status: int
) -> None:
    if body is not None and "session_id" in body:
        body = {**body, "session_id": str(scene["session"]), "resident_ids": [str(scene["self"])]}
    response = scene["callers"][caller].call(method, path.format(**scene), json=body)
    assert response.status_code == status, response.get_data(as_text=True)


def test_a_resident_cannot_tell_which_users_there_are(world: World) -> None:
    resident, staff = world.resident(), world.administrator()
    answers = [
        resident.api.call("PATCH", f"/users/{number}", json={"disabled": True}).status_code
        for number in (staff.user.id, resident.user.id, 999999)
    ]
    assert len(set(answers)) == 1
    assert answers[0] in (403, 404)
    staff.api.get("/me")


@pytest.mark.parametrize("role", ["a resident", "a manager"])
def test_nobody_but_an_administrator_makes_administrators(world: World, anyone: Caller, role: str) -> None:
    someone = world.resident() if role == "a resident" else world.manager(world.facility())
    body = {
        "login": "wang.li",
        "password": "twelve or more",
        "display_name": "王丽",
        "grants": [{"role": "administrator"}],
    }
    assert someone.api.post("/users", body, status=403)["code"] == "not_permitted"
    sign_in(anyone, "wang.li", "twelve or more", status=401)


# -- the document that the API serves of itself, and what it says is public

PUBLIC = {
    ("post", "/accounts"),
    ("post", "/tokens"),
    ("get", "/facilities"),
    ("get", "/facilities/{facility_id}"),
    ("get", "/programmes"),
    ("get", "/sessions"),
    ("get", "/sessions/{session_id}"),
}
SIGNED_IN = {
    ("delete", "/tokens/current"),
    ("get", "/me"),
    ("post", "/me/password"),
    ("get", "/residents"),
    ("post", "/residents"),
    ("get", "/residents/{resident_id}"),
    ("patch", "/residents/{resident_id}"),
    ("delete", "/residents/{resident_id}"),
    ("post", "/bookings"),
    ("get", "/bookings"),
    ("get", "/bookings/{booking_id}"),
    ("post", "/bookings/{booking_id}/cancel"),
    ("post", "/facilities"),
    ("post", "/facilities/{facility_id}/spaces"),
    ("post", "/programmes"),
    ("post", "/users"),
    ("patch", "/users/{user_id}"),
    ("get", "/calendar/days"),
    ("put", "/calendar/days/{day}"),
    ("post", "/sessions"),
    ("patch", "/sessions/{session_id}"),
    ("delete", "/sessions/{session_id}"),
    ("post", "/sessions/{session_id}/cancel"),
    ("get", "/sessions/{session_id}/roster"),
    ("post", "/attendance/events"),
    ("get", "/sessions/{session_id}/attendance"),
    ("get", "/statistics/beneficiaries"),
}
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def document(anyone: Caller) -> dict[str, Any]:
    return anyone.get("/openapi.json")


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path.removeprefix(PREFIX)): operation
        for path, operations_ in document["paths"].items()
        for method, operation in operations_.items()
        if method in METHODS
    }


def test_the_document_names_every_endpoint_of_the_contract(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.")
    assert document["info"]["title"]
    assert set(operations(document)) >= PUBLIC | SIGNED_IN


def test_exactly_the_public_paths_have_no_security(document: dict[str, Any]) -> None:
    assert document["security"] == [{"bearer": []}]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    open_ones = {key for key, operation in operations(document).items() if operation.get("security") == []}
    assert open_ones & (PUBLIC | SIGNED_IN) == PUBLIC
    assert all("security" not in operation for key, operation in operations(document).items() if key not in open_ones)


def test_what_the_document_says_of_security_is_what_the_app_does(document: dict[str, Any], anyone: Caller) -> None:
    for (method, path), operation in operations(document).items():
        for name in ("facility_id", "session_id", "booking_id", "resident_id", "user_id", "day"):
            path = path.replace("{" + name + "}", "1")  # noqa: PLW2901 - filled in step by step
        status = anyone.call(method.upper(), path).status_code
        assert (status == 401) is (operation.get("security") != []), (method, path, status)


def test_every_reference_in_the_document_leads_somewhere(document: dict[str, Any]) -> None:
    def references(part: object) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
            return own + [ref for value in part.values() for ref in references(value)]
        return [ref for value in part for ref in references(value)] if isinstance(part, list) else []

    found = references(document)
    assert found
    for reference in found:
        target: Any = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]


def test_every_parameter_of_a_path_is_described(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        wanted = set(re.findall(r"{(\w+)}", path))
        for method in METHODS & set(item):
            described = [*item.get("parameters", []), *item[method].get("parameters", [])]
            assert {p["name"] for p in described if p["in"] == "path"} == wanted, (method, path)
