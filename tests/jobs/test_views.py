"""The page about the work behind the scenes: what ran, when, how long, and what failed."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from facilities.background import Job, run
from facilities.infra.db import db, unit_of_work
from facilities.jobs.models import Job as Row
from facilities.jobs.services import Outcome
from facilities.kernel import clock
from tests.client import Counter, Page
from tests.world import World


def done(name: str, done: int = 0, failed: int = 0, slot: int = 1) -> None:
    run(Job(name, timedelta(minutes=1), lambda: Outcome(done, failed)), slot)


def page_of(world: World) -> Page:
    return world.browser(world.administrator()).get("/staff/jobs")


def test_it_says_what_ran_and_what_failed(world: World) -> None:
    done("reminders", 7)
    done("sessions_settled", 1, 2)
    done("draws_held")
    page = page_of(world)
    rows = {row.findtext(".//h3"): row.text_content() for row in page.tree.xpath("//ul[contains(@class, 'jobs')]/li")}
    assert "On time" in rows["Reminders"]
    assert "7 done" in rows["Reminders"]
    assert "Failed" in rows["Offers that run out, and places for those who wait"]
    assert "2 failed" in rows["Offers that run out, and places for those who wait"]
    assert "0 done" in rows["Draws"]
    assert "Nobody is at work" not in page.text
    lately = [heading.text for heading in page.tree.xpath("//ul[contains(@class, 'messages')]//h3")]
    assert sorted(lately) == ["Offers that run out, and places for those who wait", "Reminders"]


@pytest.mark.parametrize("ever", [True, False])
def test_it_says_when_nobody_is_at_work(world: World, ever: bool) -> None:
    if ever:
        done("reminders", 7)
        long_ago = update(Row).values(started_at=clock.machine_time() - timedelta(hours=1))
        unit_of_work(lambda: db.session.execute(long_ago))
    page = page_of(world)
    assert "Nobody is at work" in page.text
    assert ("Late" in page.text) is ever


def test_a_nightly_job_is_not_late_yet_but_nobody_is_at_work(world: World) -> None:
    """Nor does a row stand in the way that another version left behind."""
    run(Job("figures_checked", timedelta(days=1), lambda: Outcome(1)), 1)
    done("reminders", 7)
    hour_ago = update(Row).values(started_at=clock.machine_time() - timedelta(hours=1))
    unit_of_work(lambda: db.session.execute(hour_ago))
    page = page_of(world)
    assert "On time" in page.text
    assert "Nobody is at work" in page.text


def test_a_job_of_another_version_is_shown_by_its_name(world: World) -> None:
    done("pigeons_released", 3)
    assert "pigeons_released" in page_of(world).text


def test_it_asks_no_more_because_there_is_more(world: World, queries: Counter) -> None:
    browser, counts = world.browser(world.administrator()), []
    for slots in (1, 20):
        for slot in range(slots):
            done("reminders", 1, slot=100 * slots + slot)
        queries.clear()
        browser.get("/staff/jobs")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 7
