"""A request that is sent twice is done once, over the API and from a form."""

import json
import threading
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from facilities.accounts.models import SignInFailures
from facilities.background import do_what_is_due
from facilities.bookings.models import Booking
from facilities.engine.waitlist import WaitlistMode
from facilities.infra.db import db, unit_of_work
from facilities.infra.idempotency import IdempotencyKey, forget_old
from facilities.kernel import clock
from facilities.programmes.models import ActivitySession
from tests.client import Caller
from tests.conftest import NOW
from tests.servers import running
from tests.stores import Store
from tests.world import PASSWORD, Someone, World


def count(table: Any) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def keyed(someone: Someone, key: str, path: str, body: Any = None, **kwargs: Any) -> TestResponse:
    kwargs = kwargs or {"json": body}
    return someone.api.call("POST", path, headers={"Idempotency-Key": key}, **kwargs)


def wish(session: ActivitySession, someone: Someone, **more: Any) -> dict[str, Any]:
    return {"session_id": str(session.id), "resident_ids": [str(someone.resident_id)], **more}


def alike(*responses: TestResponse) -> bool:
    first, *others = [(r.status_code, r.mimetype, r.get_data()) for r in responses]
    return all(other == first for other in others)


# -- the same again


def test_the_same_request_again_gets_the_same_answer_and_makes_nothing_more(world: World) -> None:
    someone, session = world.resident(), world.session(capacity=5)
    first, *again = [keyed(someone, "a", "/bookings", wish(session, someone)) for _ in range(4)]
    assert first.status_code == 201
    assert alike(first, *again)
    assert count(Booking) == 1
    assert world.fresh(session).places_taken == 1


def test_without_a_key_a_request_is_a_new_one_each_time(world: World) -> None:
    someone, session = world.resident(), world.session()
    body = wish(session, someone)
    assert [someone.api.call("POST", "/bookings", json=body).status_code for _ in range(2)] == [201, 409]
    assert [keyed(someone, "", "/bookings", body).status_code for _ in range(2)] == [409, 409]
    assert count(IdempotencyKey) == 0


def test_the_answer_stays_what_it_was_when_the_world_has_moved_on(world: World) -> None:
    """A client that never got the answer asks again after the booking was cancelled by another device."""
    someone, session = world.resident(), world.session()
    first = keyed(someone, "a", "/bookings", wish(session, someone))
    someone.cancel(first.get_json()["items"][0]["id"])
    assert alike(first, keyed(someone, "a", "/bookings", wish(session, someone)))
    assert world.fresh(session).places_taken == 0


def test_a_cancel_an_answer_and_a_desk_booking_are_done_once_too(world: World) -> None:
    facility = world.facility()
    session, ((holder, held),) = world.full_session(facility=facility, waitlist_mode=WaitlistMode.OFFER)
    someone, manager = world.resident(), world.manager(facility)
    (turn,) = someone.wait(session)
    assert alike(*(keyed(holder, "c", f"/bookings/{held}/cancel") for _ in range(2)))
    assert alike(*(keyed(someone, "a", f"/bookings/{turn}/accept") for _ in range(2)))
    desk = {"resident": {"name": "王桂芳", "sex": "female"}, "if_full": "waitlist"}
    assert alike(*(keyed(manager, "d", f"/sessions/{session.id}/desk-bookings", desk) for _ in range(2)))
    assert (world.fresh(session).places_taken, world.fresh(session).waiting) == (1, 1)


def test_what_has_no_body_to_answer_is_repeated_as_such(world: World) -> None:
    someone = world.resident()
    body = {"password": PASSWORD, "new_password": "another horse battery"}
    first, again = (keyed(someone, "p", "/me/password", body) for _ in range(2))
    assert (first.status_code, first.get_data()) == (again.status_code, again.get_data()) == (204, b"")


# -- another request


@pytest.mark.parametrize("difference", ["another session", "another field", "another path", "no body", "not JSON"])
def test_the_same_key_for_another_request_is_refused_and_does_nothing(world: World, difference: str) -> None:
    someone, session, other = world.resident(), world.session(), world.session(starts_in=timedelta(days=5))
    first = keyed(someone, "a", "/bookings", wish(session, someone))
    booking_id = first.get_json()["items"][0]["id"]
    second = {
        "another session": lambda: keyed(someone, "a", "/bookings", wish(other, someone)),
        "another field": lambda: keyed(someone, "a", "/bookings", wish(session, someone, if_full="refuse")),
        "another path": lambda: keyed(someone, "a", f"/bookings/{booking_id}/cancel"),
        "no body": lambda: keyed(someone, "a", "/bookings"),
        "not JSON": lambda: keyed(someone, "a", "/bookings", data=b"{", content_type="application/json"),
    }[difference]()
    assert (second.status_code, second.get_json()["code"]) == (422, "idempotency_key_reused")
    assert count(Booking) == 1
    assert someone.state(booking_id) == "confirmed"
    assert alike(first, keyed(someone, "a", "/bookings", wish(session, someone)))


def test_a_key_belongs_to_its_caller(world: World) -> None:
    one, other, session = world.resident(), world.resident(), world.session()
    first, second = (keyed(someone, "a", "/bookings", wish(session, someone)) for someone in (one, other))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.get_json()["items"][0]["id"] != second.get_json()["items"][0]["id"]
    assert alike(second, keyed(other, "a", "/bookings", wish(session, other)))
    assert count(Booking) == 2


def test_the_same_person_with_another_token_is_the_same_caller(world: World, app: Flask) -> None:
    someone, session = world.resident(), world.session()
    first = keyed(someone, "a", "/bookings", wish(session, someone))
    token = Caller(app).post("/tokens", {"login": someone.login, "password": PASSWORD})["token"]
    again = Caller(app, token).call("POST", "/bookings", json=wish(session, someone), headers={"Idempotency-Key": "a"})
    assert alike(first, again)


@pytest.mark.parametrize(
    "written",
    [
        pytest.param(lambda body: json.dumps(dict(reversed(body.items()))), id="in another order"),
        pytest.param(lambda body: json.dumps(body, indent=4), id="with blanks"),
        pytest.param(lambda body: json.dumps(body, separators=(",", ":")), id="without blanks"),
        pytest.param(lambda body: json.dumps(body).replace("session", "\\u0073ession"), id="with escapes"),
    ],
)
def test_it_is_the_same_request_however_its_json_is_written(world: World, written: Any) -> None:
    someone, session = world.resident(), world.session()
    body = wish(session, someone, party="together")
    first = keyed(someone, "a", "/bookings", body)
    again = keyed(someone, "a", "/bookings", data=written(body), content_type="application/json")
    assert alike(first, again)


def test_a_list_in_another_order_is_another_request(world: World) -> None:
    mother, people = world.family(2)
    session = world.session()
    ids = [str(p) for p in people]
    first, second = (
        keyed(mother, "a", "/bookings", {"session_id": str(session.id), "resident_ids": chosen})
        for chosen in (ids, ids[::-1])
    )
    assert (first.status_code, second.status_code) == (201, 422)


# -- refusals are answers


def test_a_refusal_is_repeated_also_where_it_would_not_be_one_any_more(world: World) -> None:
    session, ((holder, held),) = world.full_session()
    someone = world.resident()
    first = keyed(someone, "a", "/bookings", wish(session, someone))
    assert (first.status_code, first.get_json()["code"]) == (409, "session_full")
    holder.cancel(held)
    again = keyed(someone, "a", "/bookings", wish(session, someone))
    assert alike(first, again)
    assert again.mimetype == "application/problem+json"
    assert keyed(someone, "b", "/bookings", wish(session, someone)).status_code == 201
    assert count(IdempotencyKey) == 2


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        pytest.param("/bookings", {"session_id": "1"}, 422, id="bad input"),
        pytest.param("/bookings", {"session_id": "987654", "resident_ids": ["1"]}, 404, id="not there"),
        pytest.param("/bookings/987654/cancel", None, 404, id="no such booking"),
        pytest.param("/programmes", {"name": "晨练", "facility_kind": "park"}, 403, id="not permitted"),
    ],
)
def test_every_refusal_of_a_caller_is_kept(world: World, path: str, body: Any, status: int) -> None:
    someone = world.resident()
    first, again = (keyed(someone, "a", path, body) for _ in range(2))
    assert first.status_code == status
    assert alike(first, again)
    assert count(IdempotencyKey) == 1


def test_of_the_public_doors_nothing_is_kept(app: Flask, world: World, anyone: Caller) -> None:
    """`/tokens` and `/accounts` would answer with secrets."""
    someone = world.resident()
    credentials = {"login": someone.login, "password": PASSWORD}
    tokens = {
        caller.post("/tokens", credentials, headers={"Idempotency-Key": "a"})["token"]
        for caller in (anyone, anyone, someone.api, someone.api)
    }
    assert len(tokens) == 4
    new = {
        "phone": "13700000001",
        "password": "another horse battery",
        "name": "王小明",
        "birth_date": "1990-01-01",
        "sex": "male",
        "consent": True,
    }
    anyone.post("/accounts", new, headers={"Idempotency-Key": "a"})
    assert anyone.post("/accounts", new, 409, headers={"Idempotency-Key": "a"})["code"] == "phone_taken"
    assert count(IdempotencyKey) == 0


def test_who_is_nobody_keeps_nothing(world: World, app: Flask) -> None:
    someone, session = world.resident(), world.session()
    for caller in (Caller(app), Caller(app, "wrong")):
        for _ in range(2):
            caller.call("POST", "/bookings", json=wish(session, someone), headers={"Idempotency-Key": "a"}, status=401)
    assert count(IdempotencyKey) == 0
    assert keyed(someone, "a", "/bookings", wish(session, someone)).status_code == 201


def test_a_limit_is_not_kept_and_guesses_count_with_a_key_too(world: World) -> None:
    """Ten wrong guesses under ten keys, then the limit, which is over a quarter of an hour later."""
    someone = world.resident()
    wrong = {"password": "wrong horse battery", "new_password": "another horse battery"}
    for n in range(10):
        assert keyed(someone, f"guess-{n}", "/me/password", wrong).status_code == 422
    assert db.session.scalar(select(SignInFailures.failures)) == 10
    right = {"password": PASSWORD, "new_password": "another horse battery"}
    for _ in range(2):
        limited = keyed(someone, "a", "/me/password", right)
        assert (limited.status_code, int(limited.headers["Retry-After"]) > 0) == (429, True)
    with clock.frozen(NOW + timedelta(minutes=16)):
        assert keyed(someone, "a", "/me/password", right).status_code == 204


def test_what_went_wrong_on_our_side_is_not_kept(app: Flask, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    someone, session = world.resident(), world.session()
    monkeypatch.setitem(app.config, "ANSWER_UNEXPECTED", True)

    def broken(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("facilities.bookings.api.services.book_at_once", broken)
        assert keyed(someone, "a", "/bookings", wish(session, someone)).status_code == 500
    assert count(IdempotencyKey) == 0
    assert keyed(someone, "a", "/bookings", wish(session, someone)).status_code == 201


# -- the key itself


@pytest.mark.parametrize("key", ["a", "a" * 255, "mit Leerzeichen", chr(34) + "quoted" + chr(34), "c3a4"])
def test_a_key_is_any_plain_text_of_up_to_255_characters(world: World, key: str) -> None:
    someone, session = world.resident(), world.session()
    responses = [keyed(someone, key, "/bookings", wish(session, someone)) for _ in range(2)]
    assert responses[0].status_code == 201
    assert alike(*responses)


@pytest.mark.parametrize("key", ["a" * 256, "ä", "a\x7fb", "预约"], ids=["too long", "not ASCII", "control", "Chinese"])
def test_any_other_key_is_bad_input_and_nothing_is_done(world: World, key: str) -> None:
    someone, session = world.resident(), world.session()
    response = keyed(someone, key.encode().decode("latin-1"), "/bookings", wish(session, someone))
    assert response.status_code == 422
    assert list(response.get_json()["fields"]) == ["Idempotency-Key"]
    assert (count(Booking), count(IdempotencyKey)) == (0, 0)


# -- how long


def test_a_key_is_kept_for_a_day_and_forgotten_after_two(world: World) -> None:
    someone, session = world.resident(), world.session()
    first = keyed(someone, "a", "/bookings", wish(session, someone))
    with clock.frozen(NOW + timedelta(hours=24, seconds=1)):
        assert {name: done for name, done, _ in do_what_is_due()}["keys_forgotten"] == 0
        assert alike(first, keyed(someone, "a", "/bookings", wish(session, someone)))
    with clock.frozen(NOW + timedelta(days=2)):
        assert unit_of_work(forget_old) == 0
    with clock.frozen(NOW + timedelta(days=2, seconds=1)):
        keyed(someone, "b", "/bookings", wish(session, someone))
        assert unit_of_work(forget_old) == 1
        assert unit_of_work(forget_old) == 0
        again = keyed(someone, "a", "/bookings", wish(session, someone))
        assert (again.status_code, again.get_json()["code"]) == (409, "already_booked")


def test_keys_go_with_the_account(world: World) -> None:
    someone, session = world.resident(), world.session()
    keyed(someone, "a", "/bookings", wish(session, someone))
    with db.engine.begin() as connection:
        for table in ("notices", "guardianships", "sign_ins", "users"):
            column = "id" if table == "users" else "user_id"
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE {column} = {someone.user.id}")
    assert count(IdempotencyKey) == 0


def test_a_password_cannot_be_guessed_from_what_is_kept(world: World) -> None:
    """Whoever reads the table could try a billion passwords a second; of what is secret nothing should be kept."""
    import hashlib  # noqa: PLC0415 - what somebody who has read the table would do

    someone = world.resident()
    body = {"password": PASSWORD, "new_password": "another horse battery"}
    keyed(someone, "a", "/me/password", body)
    guess = f"POST /api/v1/me/password?\n{json.dumps(body, sort_keys=True)}"
    assert db.session.scalar(select(IdempotencyKey.fingerprint)) != hashlib.sha256(guess.encode()).hexdigest()


# -- forms


def send(browser: Any, path: str, page: Any, **fields: Any) -> TestResponse:
    data = {"csrf_token": page.hidden("csrf_token"), "idempotency_key": page.hidden("idempotency_key"), **fields}
    answer: TestResponse = browser.client.post(path, data=data, headers=browser.headers)
    return answer


def test_a_form_that_is_sent_twice_books_once_and_lands_on_the_same_page(world: World) -> None:
    """A double tap, or the page sent again after the answer got lost."""
    someone, session = world.resident(), world.session()
    browser = world.browser(someone)
    page = browser.get(f"/sessions/{session.id}")
    first, second = (
        send(browser, f"/sessions/{session.id}/book", page, resident_id=someone.resident_id) for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (302, 302)
    assert first.headers["Location"] == second.headers["Location"]
    assert count(Booking) == 1
    assert "See you there" in browser.get(second.headers["Location"]).text


def test_a_desk_form_that_is_sent_twice_registers_one_person(world: World) -> None:
    facility = world.facility()
    session = world.session(facility)
    browser, path = world.browser(world.manager(facility)), f"/desk/sessions/{session.id}/bookings"
    page = browser.send(path, token_from=path, sought="13912345678")
    first, second = (send(browser, path, page, name="王桂芳", sex="female") for _ in range(2))
    assert [first.status_code, second.status_code] == [302, 302]
    assert count(Booking) == 1


def test_each_form_of_a_page_has_a_key_of_its_own_and_each_visit_new_ones(world: World) -> None:
    someone, session = world.resident(), world.session()
    world.member(someone)
    browser = world.browser(someone)
    keys = [
        key
        for _ in range(2)
        for key in browser.get(f"/sessions/{session.id}").tree.xpath("//input[@name='idempotency_key']/@value")
    ]
    assert len(keys) == len(set(keys)) > 2


def test_a_form_that_was_refused_is_corrected_and_sent_again(world: World) -> None:
    """Of pages only a success is kept."""
    session, ((holder, held),) = world.full_session()
    someone = world.resident()
    browser = world.browser(someone)
    page = browser.get(f"/sessions/{session.id}")
    path = f"/sessions/{session.id}/book"
    assert send(browser, path, page, resident_id=someone.resident_id).status_code == 409
    holder.cancel(held)
    assert send(browser, path, page, resident_id=someone.resident_id).status_code == 302
    assert count(Booking) == 2


def test_a_forms_key_for_another_choice_is_refused(world: World) -> None:
    mother, (_, child) = world.family(2)
    session = world.session()
    browser, path = world.browser(mother), f"/sessions/{session.id}/book"
    page = browser.get(f"/sessions/{session.id}")
    assert send(browser, path, page, resident_id=mother.resident_id).status_code == 302
    assert send(browser, path, page, resident_id=child).status_code == 422
    assert count(Booking) == 1


@pytest.mark.parametrize("key", ["a" * 256, "预约"], ids=["too long", "not ASCII"])
def test_a_form_with_an_odd_key_is_not_taken(world: World, key: str) -> None:
    someone, session = world.resident(), world.session()
    browser = world.browser(someone)
    page = browser.get(f"/sessions/{session.id}")
    fields = {"resident_id": someone.resident_id, "idempotency_key": key}
    assert send(browser, f"/sessions/{session.id}/book", page, **fields).status_code == 422
    assert count(Booking) == 0


def test_a_form_that_leads_on_to_a_long_address_is_kept_too(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite does not look at lengths."""
    monkeypatch.setitem(app.config, "ANSWER_UNEXPECTED", True)
    browser = world.browser(world.resident())
    path = f"/me/family/new?next=/sessions/1?from={'a' * 500}"
    page = browser.get(path)
    fields = {"name": "陈子轩", "relation": "child", "birth_date": "2018-03-08", "sex": "male"}
    fields["guardian_consent"] = "y"
    assert send(browser, path, page, **fields).status_code == 302


def test_who_is_told_that_a_request_is_in_progress_is_told_when_to_ask_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is only said where the other request's outcome cannot be seen yet."""
    someone, session = world.resident(), world.session()
    keyed(someone, "a", "/bookings", wish(session, someone))
    monkeypatch.setattr("facilities.web.idempotency.kept", lambda *_: None)
    answer = keyed(someone, "a", "/bookings/1/cancel")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "idempotency_in_progress")
    assert answer.headers.get("Retry-After", "").isdigit()


def test_a_key_of_the_api_and_of_a_form_do_not_mix(world: World) -> None:
    someone, session = world.resident(), world.session()
    browser = world.browser(someone)
    page = browser.get(f"/sessions/{session.id}")
    send(browser, f"/sessions/{session.id}/book", page, resident_id=someone.resident_id)
    answer = keyed(someone, page.hidden("idempotency_key"), "/bookings", wish(session, someone))
    assert (answer.status_code, answer.get_json()["code"]) == (422, "idempotency_key_reused")


# -- at once


def post(address: str, token: str, key: str, body: dict[str, Any]) -> tuple[int, str, bytes]:
    """Status, code of a refusal, body."""
    request = urllib.request.Request(  # noqa: S310 - our own address
        f"{address}/api/v1/bookings",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": key},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own address
            return answer.status, "", answer.read()
    except urllib.error.HTTPError as refused:
        text = refused.read()
        return refused.code, json.loads(text)["code"], text


@pytest.mark.race
def test_several_at_once_under_one_key_make_one_row_and_hear_the_same(
    world: World, store: Store, tmp_path: Path
) -> None:
    """Twelve times each: the same wish, a wish that is refused, and the same key for two different wishes."""
    rounds, callers = 12, 4
    someone, session = world.resident(), world.session(capacity=1)
    world.book(world.resident(), session)
    sessions = [world.session(starts_in=timedelta(days=4 + n)) for n in range(2 * rounds)]
    token, refused = someone.token, wish(session, someone)
    wishes = [wish(s, someone) for s in sessions]
    db.session.remove()
    clock_file = tmp_path / "clock"
    clock_file.write_text(clock.now().isoformat())

    def at_once(address: str, key: str, bodies: list[dict[str, Any]]) -> list[tuple[int, str, bytes]]:
        barrier = threading.Barrier(len(bodies))

        def one(body: dict[str, Any]) -> tuple[int, str, bytes]:
            barrier.wait(timeout=30)
            return post(address, token, key, body)

        with ThreadPoolExecutor(len(bodies)) as pool:
            return list(pool.map(one, bodies))

    with running(store.url, tmp_path, workers=2, HUIMIN_CLOCK_FILE=str(clock_file)) as server:
        for n in range(rounds):
            same = at_once(server.address, f"same-{n}", [wishes[n]] * callers)
            assert {status for status, _, _ in same} <= {201, 409}
            assert {code for status, code, _ in same if status == 409} <= {"idempotency_in_progress"}
            assert len({body for status, _, body in same if status == 201}) == 1
            full = at_once(server.address, f"full-{n}", [refused] * callers)
            assert {code for _, code, _ in full} <= {"session_full", "idempotency_in_progress"}
            assert len({body for _, code, body in full if code == "session_full"}) == 1
            mixed = at_once(server.address, f"mixed-{n}", [wishes[n], wishes[rounds + n]])
            assert sorted(code for _, code, _ in mixed) in (
                ["", "idempotency_key_reused"],
                ["already_booked", "idempotency_key_reused"],
            )
    kept = select(Booking.session_id, func.count()).where(Booking.resident_id == someone.resident_id)
    per_session = dict(db.session.execute(kept.group_by(Booking.session_id)).tuples().all())
    assert set(per_session.values()) == {1}
    assert set(per_session) >= {int(w["session_id"]) for w in wishes[:rounds]}


def test_a_password_change_that_comes_again_and_again_is_no_guess_at_a_password(world: World) -> None:
    someone = world.resident()
    body = {"password": PASSWORD, "new_password": "another horse battery"}
    for _ in range(12):
        assert keyed(someone, "a", "/me/password", body).status_code == 204
    world.browser().sign_in(someone.login, "another horse battery")
