"""Answered from a message, without signing in: once, by whoever holds the code, and only what it is for."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from facilities.accounts.models import User
from facilities.bookings.models import Booking
from facilities.engine.messages import ANSWERS, Answer, Channel
from facilities.infra.db import db, unit_of_work
from facilities.kernel import clock
from facilities.notices import answers
from facilities.notices.models import AnswerLink
from facilities.programmes.models import ActivitySession
from tests.client import Page
from tests.notices.test_preferences import with_email
from tests.notices.ways import Kept, out
from tests.world import Someone, World

ADDRESS = "https://huimin.example.org"
BOTH = (Channel.SMS, Channel.EMAIL)


@pytest.fixture(autouse=True)
def address(app: Flask, tmp_path: object) -> Iterator[None]:
    before = app.config["HUIMIN_SETTINGS"]
    app.config["HUIMIN_SETTINGS"] = replace(before, address=ADDRESS, notice_dir=tmp_path)
    yield
    app.config["HUIMIN_SETTINGS"] = before


def code_of(someone: Someone) -> str:
    """That stands in the last text message to them."""
    way = Kept()
    out(way, Channel.SMS, BOTH)
    text = [m.text for m in way.sent if m.recipient == someone.login][-1]
    return re.findall(r"[2-9A-HJ-NP-Z]{10}", text)[-1]


def tap(world: World, code: str, answer: str | None = None, status: int = 200) -> Page:
    """Somebody who is not signed in opens the page, and perhaps says yes or no."""
    browser = world.browser()
    if answer is None:
        return browser.get(f"/a/{code}", status=status)
    return browser.send(f"/a/{code}", status=status, token_from="/sign-in", answer=answer)


def buttons(page: Page) -> list[str]:
    return [str(v) for v in page.tree.xpath("//main//button[@name='answer']/@value")]


def booked(world: World) -> tuple[Someone, ActivitySession, str, str]:
    someone, session = world.resident(name="罗玉兰"), world.session(title="太极")
    booking = someone.ask(session)["items"][0]["id"]
    return someone, session, booking, code_of(someone)


def test_a_booking_is_cancelled_from_its_message(world: World) -> None:
    someone, session, booking, code = booked(world)
    page = tap(world, code)
    assert buttons(page) == ["cancel"]
    assert "罗" not in page.text, "whoever holds the code learns what, and not whose"
    assert someone.state(booking) == "confirmed", "looking changes nothing"
    page = tap(world, code, "cancel")
    assert "Cancelled" in page.text
    assert buttons(page) == []
    assert someone.state(booking) == "cancelled"
    assert world.fresh(session).places_taken == 0


def test_it_opens_once(world: World) -> None:
    someone, session, booking, code = booked(world)
    tap(world, code, "cancel")
    someone.ask(session)
    tap(world, code, "cancel")
    assert someone.api.get("/bookings")["items"][-1]["status"] == "confirmed", "the new one is another one"
    assert someone.state(booking) == "cancelled"


def test_an_offer_is_taken_or_passed_on(world: World) -> None:
    session, ((first, held),) = world.full_session(waitlist_mode="offer", offer_minutes=60)
    takes, passes = world.resident(), world.resident()
    (_,), (later,) = takes.wait(session), passes.wait(session)
    first.cancel(held)
    code = code_of(takes)
    page = tap(world, code)
    assert buttons(page) == ["accept", "decline"]
    tap(world, code, "decline")
    code = code_of(passes)
    assert "yours" in tap(world, code, "accept").text
    assert passes.state(later) == "confirmed"
    assert tap(world, code, "decline", status=409).tree is not None
    assert passes.state(later) == "confirmed", "one answer"


def test_an_offer_that_ran_out_is_said_to_have(world: World, now: datetime) -> None:
    session, ((first, held),) = world.full_session(waitlist_mode="offer", offer_minutes=60)
    takes = world.resident()
    (turn,) = takes.wait(session)
    first.cancel(held)
    code = code_of(takes)
    with clock.frozen(now + timedelta(minutes=61)):
        assert buttons(tap(world, code)) == []
        assert "answered" in tap(world, code, "accept", status=409).text
    assert takes.state(turn) != "confirmed"


def test_whoever_says_that_they_come_is_seen_on_the_roster(world: World, now: datetime) -> None:
    manager = world.manager(facility := world.facility())
    session, ((first, held),) = world.full_session(facility=facility)
    someone = world.resident()
    (turn,) = someone.wait(session)
    first.cancel(held)
    code = code_of(someone)
    assert buttons(tap(world, code)) == ["coming", "cancel"]
    tap(world, code, "coming")
    assert db.session.get_one(Booking, int(turn)).coming_at == now
    (row,) = manager.api.get(f"/sessions/{session.id}/roster")["items"]
    assert row["coming"] is True


def test_a_code_that_is_none_is_not_found_and_typing_it_helps(world: World) -> None:
    _, _, _, code = booked(world)
    tap(world, "AAAAAAAAAA", status=404)
    tap(world, "AAAAAAAAAA", "cancel", status=404)
    tap(world, code.lower())
    browser = world.browser()
    assert "not right" in browser.send("/a", status=422, code="AAAAAAAAAA").text
    assert buttons(browser.send("/a", code=f" {code[:5].lower()} {code[5:]} ")) == ["cancel"]
    tap(world, code, "burn")
    assert buttons(tap(world, code)) == ["cancel"]


@pytest.mark.parametrize("answer", ["accept", "decline", "coming"])
def test_only_what_the_message_asks_can_be_answered(world: World, answer: str) -> None:
    someone, _, booking, code = booked(world)
    tap(world, code, answer, status=409)
    assert someone.state(booking) == "confirmed"


def test_nobody_answers_for_whom_they_no_longer_act_for(world: World) -> None:
    someone = world.resident()
    child = world.member(someone)
    other = world.resident()
    world.also_acts_for(other, child)
    session = world.session()
    booking = someone.ask(session, child)["items"][0]["id"]
    code = code_of(other)
    other.api.delete(f"/residents/{child}")
    tap(world, code, status=404)
    tap(world, code, "cancel", status=404)
    assert someone.state(booking) == "confirmed"


def test_a_disabled_account_answers_nothing(world: World) -> None:
    someone, _, booking, code = booked(world)
    unit_of_work(lambda: db.session.execute(update(User).where(User.id == someone.user.id).values(disabled=True)))
    tap(world, code, "cancel", status=404)
    db.session.rollback()
    assert db.session.get_one(Booking, int(booking)).is_live


def test_a_deadline_holds_here_too(world: World, now: datetime) -> None:
    someone = world.resident()
    session = world.session(cancellation_closes_at=now + timedelta(hours=1))
    booking = someone.ask(session)["items"][0]["id"]
    code = code_of(someone)
    with clock.frozen(now + timedelta(hours=2)):
        tap(world, code, "cancel", status=409)
    assert someone.state(booking) == "confirmed"
    link = db.session.scalars(select(AnswerLink)).one()
    assert link.used_at is None, "what was refused was not an answer"


def test_a_letter_has_the_link_and_the_same_code_when_it_is_sent_again(world: World) -> None:
    someone = world.resident()
    with_email(someone)
    someone.ask(world.session())
    letters, texts = Kept(), Kept()
    out(letters, Channel.EMAIL, BOTH)
    out(texts, Channel.SMS, BOTH)
    (letter,), (text,) = letters.sent, texts.sent
    assert letter.html is not None
    (link,) = set(re.findall(rf"{ADDRESS}/a/([2-9A-Z]{{10}})", letter.html))
    assert f"{ADDRESS}/a/{link}" in letter.text
    assert link in text.text
    assert f"{ADDRESS}/bookings/" in letter.text


def test_the_code_is_kept_nowhere_as_it_is(world: World) -> None:
    *_, code = booked(world)
    link = db.session.scalars(select(AnswerLink)).one()
    assert code not in (link.code_hash, link.sealed)


def test_without_an_address_of_its_own_an_installation_offers_no_answers(app: Flask, world: World) -> None:
    app.config["HUIMIN_SETTINGS"] = replace(app.config["HUIMIN_SETTINGS"], address=None)
    someone = world.resident()
    someone.ask(world.session())
    way = Kept()
    out(way, Channel.SMS, BOTH)
    assert "/a" not in way.sent[0].text
    assert db.session.scalars(select(AnswerLink)).all() == []


def test_many_who_tap_at_once_cancel_once(app: Flask, world: World) -> None:
    """The code is locked before anything hangs on it: of several, one gives the answer, the others see it given."""
    someone, session, booking, code = booked(world)
    others = [world.resident() for _ in range(3)]
    for other in others:
        other.ask(session)
    db.session.rollback()

    def answer(_: int) -> str:
        with app.app_context():
            found = unit_of_work(lambda: answers.give(code, Answer.CANCEL))
            return found.state.value

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(answer, range(4))) == {"cancelled"}
    assert world.fresh(session).places_taken == len(others)
    assert someone.state(booking) == "cancelled"


def test_every_answer_has_a_word_and_a_verb() -> None:
    assert {answer for kinds in ANSWERS.values() for answer in kinds} == set(Answer)
