"""The page on which an administrator makes one of two records, and two again."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from facilities.households.models import Merge
from facilities.infra.audit import AuditEntry
from facilities.infra.db import db
from tests.client import Browser
from tests.world import Someone, World

PATH = "/people/merge"
WHY = "同一人登记两次"


@pytest.fixture
def browser(world: World) -> Browser:
    return world.browser(world.administrator())


def merges() -> list[Merge]:
    db.session.rollback()
    return list(db.session.scalars(select(Merge).order_by(Merge.id)))


def twins(world: World) -> tuple[Someone, Someone]:
    kept, gone = world.resident(name="张桂芳"), world.resident(name="张桂方")
    session = world.session(title="非遗竹编")
    world.book(kept, session)
    world.book(gone, session)
    world.book(gone, world.session(starts_in=timedelta(days=8)))
    return kept, gone


def test_two_records_are_found_compared_merged_and_parted_again(world: World, browser: Browser) -> None:
    kept, gone = twins(world)
    assert "No records have been merged yet" in browser.get(PATH).text
    page = browser.send(PATH, token_from=PATH, first=gone.login, second=kept.login)
    assert "张桂芳" in page.text
    assert "张桂方" in page.text
    assert "非遗竹编" in page.text
    assert f"Is kept: record {kept.resident_id}" in page.text, "the older one"
    assert gone.login not in page.html
    (action,) = page.tree.xpath("//main//form/@action")
    assert not merges()
    done = browser.send(str(action), token_from=PATH, step="merge", reason=WHY)
    assert "The two records are one now" in done.text
    assert WHY in done.text
    assert "张桂" not in done.text
    assert [(m.kept_id, m.gone_id) for m in merges()] == [(kept.resident_id, gone.resident_id)]
    (undo,) = done.tree.xpath("//form[contains(@action, '/undo')]/@action")
    assert "Undone on" in browser.send(str(undo), token_from=PATH).text
    assert "has been undone already" in browser.send(str(undo), status=409, token_from=PATH).text


def test_the_other_one_can_be_kept(world: World, browser: Browser) -> None:
    kept, gone = twins(world)
    page = browser.send(PATH, token_from=PATH, first=kept.login, second=gone.login)
    (action,) = page.tree.xpath("//main//form/@action")
    swapped = browser.send(str(action), token_from=PATH, step="swap")
    assert f"Is kept: record {gone.resident_id}" in swapped.text
    (action,) = swapped.tree.xpath("//main//form/@action")
    browser.send(str(action), token_from=PATH, step="merge", reason=WHY)
    assert [m.kept_id for m in merges()] == [gone.resident_id]


def test_a_merge_needs_a_reason(world: World, browser: Browser) -> None:
    kept, gone = twins(world)
    page = browser.send(f"{PATH}/{kept.resident_id}/{gone.resident_id}", 422, token_from=PATH, step="merge", reason=" ")
    assert "This is needed" in page.text
    assert not merges()


def test_both_are_found_by_a_phone_that_they_share(world: World, browser: Browser) -> None:
    mother = world.resident()
    child = world.member(mother)
    mother.api.patch(f"/residents/{child}", {"phone": mother.login})
    page = browser.send(PATH, token_from=PATH, first=mother.login, second=mother.login)
    assert f"record {child}" in page.text
    by_record = browser.send(PATH, token_from=PATH, first=str(child), second=mother.login)
    assert f"record {mother.resident_id}" in by_record.text
    other = world.member(mother)
    mother.api.patch(f"/residents/{other}", {"phone": mother.login})
    several = browser.send(PATH, 422, token_from=PATH, first=mother.login, second=mother.login)
    assert "Several people have this number" in several.text


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        pytest.param("", "", "This is needed", id="nothing"),
        pytest.param("13899999999", "self", "Nobody is registered", id="nobody"),
        pytest.param("self", "self", "one and the same", id="one record twice"),
        pytest.param("self", "abc", "Nobody is registered", id="no number"),
        pytest.param("self", "9" * 40, "Nobody is registered", id="a number too long"),
    ],
)
def test_what_is_not_two_records_is_said(world: World, browser: Browser, first: str, second: str, said: str) -> None:
    phone = world.resident().login
    texts = {"first": first.replace("self", phone), "second": second.replace("self", phone)}
    assert said in browser.send(PATH, 422, token_from=PATH, **texts).text


def test_two_people_are_shown_and_cannot_be_merged(world: World, browser: Browser) -> None:
    people = []
    for number in ("11010519491231002X", "110105194912310046"):
        someone = world.resident(birth_date=date(1949, 12, 31))
        someone.api.patch(f"/residents/{someone.resident_id}", {"id_number": number})
        people.append(someone)
    page = browser.send(PATH, 409, token_from=PATH, first="11010519491231002x", second=people[1].login)
    assert "different identity numbers" in page.text
    assert not page.tree.xpath("//button[@value='merge']")
    assert "19491231" not in page.html
    path = f"{PATH}/{people[0].resident_id}/{people[1].resident_id}"
    browser.send(path, 409, token_from=PATH, step="merge", reason=WHY)
    assert not merges()


def test_looking_at_two_records_is_noted_for_both(world: World, browser: Browser) -> None:
    kept, gone = twins(world)
    browser.send(PATH, token_from=PATH, first=kept.login, second=gone.login)
    noted = db.session.execute(
        select(AuditEntry.verb, AuditEntry.about_id).where(AuditEntry.about_kind == "resident").order_by(AuditEntry.id)
    )
    ids = [kept.resident_id, gone.resident_id]
    assert [tuple(row) for row in noted] == [*(("found", i) for i in ids), *(("viewed", i) for i in ids)]


def test_the_page_is_for_administrators(world: World) -> None:
    kept, gone = twins(world)
    for who in (kept, world.manager(world.facility())):
        browser = world.browser(who)
        browser.get(PATH, status=403)
        browser.send(PATH, 403, first=kept.login, second=gone.login)
        browser.send(f"{PATH}/{kept.resident_id}/{gone.resident_id}", 403, step="merge", reason=WHY)
        assert "Merge records" not in browser.get("/").text
    assert not merges()


@pytest.mark.parametrize("path", ["/people/merge/1/987654", "/people/merge/x/1", "/people/merges/987654/undo"])
def test_what_is_not_there_is_not_found(browser: Browser, path: str) -> None:
    browser.send(path, 404, token_from=PATH, step="merge", reason=WHY)
