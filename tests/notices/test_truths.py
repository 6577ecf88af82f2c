"""What must never be false of messages, jobs and calendars, tried by raw SQL on each database."""

import pytest
from sqlalchemy import select

from facilities.infra.db import db
from facilities.infra.outbox import Notice
from tests.truths import name_of_violation
from tests.world import World

AT = "'2026-09-16 02:00:00'"


def delivery(notice: int, reference: str, carer: str = "NULL", state: str = "waiting", ended: str = "NULL") -> str:
    return (
        "INSERT INTO deliveries (notice_id, channel, carer_id, reference, state, attempts, due_at, ended_at) "
        f"VALUES ({notice}, 'sms', {carer}, '{reference}', '{state}', 0, {AT}, {ended})"
    )


@pytest.fixture
def notice(world: World) -> Notice:
    world.resident().ask(world.session())
    return db.session.scalars(select(Notice)).one()


def test_a_message_goes_out_once_on_a_channel_and_once_to_a_carer(notice: Notice) -> None:
    carer = f"INSERT INTO carers (id, user_id, phone) VALUES (7, {notice.user_id}, '13800138000')"
    assert name_of_violation(delivery(notice.id, "a"), delivery(notice.id, "b")) == "uq_deliveries_notice_channel"
    copies = delivery(notice.id, "b", "7"), delivery(notice.id, "c", "7")
    assert name_of_violation(carer, delivery(notice.id, "a"), copies[0]) is None
    assert name_of_violation(carer, *copies) == "uq_deliveries_notice_carer"


def test_a_reference_names_one_message(notice: Notice) -> None:
    carer = f"INSERT INTO carers (id, user_id, phone) VALUES (7, {notice.user_id}, '13800138000')"
    broken = name_of_violation(carer, delivery(notice.id, "a"), delivery(notice.id, "a", "7"))
    assert broken == "uq_deliveries_reference"


@pytest.mark.parametrize(
    ("state", "ended", "allowed"),
    [
        ("waiting", "NULL", True),
        ("accepted", "NULL", True),
        ("accepted", AT, False),
        ("sent", AT, True),
        ("sent", "NULL", False),
        ("dead", "NULL", False),
    ],
)
def test_what_has_ended_says_when(notice: Notice, state: str, ended: str, allowed: bool) -> None:
    broken = name_of_violation(delivery(notice.id, "a", state=state, ended=ended))
    assert broken == (None if allowed else "ck_deliveries_ended_with_its_time")


def test_nobody_is_reminded_twice_of_the_same_hour(world: World) -> None:
    row = f"INSERT INTO reminders (about_kind, about_id, kind, starts_at) VALUES ('booking', 7, 'reminder_day', {AT})"
    assert name_of_violation(row, row) == "pk_reminders"


def test_a_code_that_was_used_says_for_what(notice: Notice) -> None:
    row = (
        "INSERT INTO answer_links (notice_id, code_hash, sealed, ends_at, used_at, answer) "
        f"VALUES ({notice.id}, 'h', 's', {AT}, {AT}, NULL)"
    )
    assert name_of_violation(row) == "ck_answer_links_used_with_its_answer"
    assert name_of_violation(row.replace("NULL)", "'cancel')")) is None


def test_quiet_hours_have_both_ends_and_messages_a_language_that_there_is(notice: Notice) -> None:
    def settings(language: str, until: str) -> str:
        return (
            "INSERT INTO notice_settings (user_id, language, quiet_from, quiet_until) "
            f"VALUES ({notice.user_id}, '{language}', '21:00:00', {until})"
        )

    assert name_of_violation(settings("zh", "NULL")) == "ck_notice_settings_quiet_has_both_ends"
    assert name_of_violation(settings("fr", "'08:00:00'")) == "ck_notice_settings_language"
    assert name_of_violation(settings("en", "'08:00:00'")) is None


def test_nobody_gets_more_on_wechat_than_they_agreed_to(notice: Notice) -> None:
    row = f"INSERT INTO wechat_subscriptions (user_id, kind, remaining) VALUES ({notice.user_id}, 'booked', 0)"
    broken = name_of_violation(row, "UPDATE wechat_subscriptions SET remaining = remaining - 1")
    assert broken == "ck_wechat_subscriptions_remaining"


def test_a_carer_is_named_once_and_a_job_has_one_row(notice: Notice) -> None:
    carer = f"INSERT INTO carers (user_id, phone) VALUES ({notice.user_id}, '13800138000')"
    assert name_of_violation(carer, carer) == "uq_carers_phone"
    job = f"INSERT INTO jobs (name, every_seconds, slot, started_at, next_at) VALUES ('reminders', 60, 1, {AT}, {AT})"
    assert name_of_violation(job, job) == "pk_jobs"
