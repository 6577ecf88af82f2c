"""What must never be false of no-shows, tried by raw SQL: the services are not asked."""

from tests.no_shows.misses import District
from tests.truths import name_of_violation
from tests.world import World

AT = "'2026-09-16 02:00:00+00:00'"
LATER = "'2026-10-16 02:00:00+00:00'"


def rule(number: int = 1, is_on: str = "false", numbers: str = "90, 2, 3, 30", since: str = "NULL") -> str:
    return (
        "INSERT INTO no_show_rules "
        "(id, is_on, within_days, warn_at, pause_at, pause_days, exempt_disabled, changed_at, counts_from) "
        f"VALUES ({number}, {is_on}, {numbers}, true, {AT}, {since})"
    )


# What the rule says → the constraint that it breaks; None where it may stand.
RULES = {
    rule(): None,
    rule(is_on="true", since=AT): None,
    rule(2): "ck_no_show_rules_only_one",
    rule(is_on="true"): "ck_no_show_rules_on_since",
    rule(since=AT): "ck_no_show_rules_on_since",
    rule(numbers="6, 2, 3, 30"): "ck_no_show_rules_within_days",
    rule(numbers="181, 2, 3, 30"): "ck_no_show_rules_within_days",
    rule(numbers="90, 3, 3, 30"): "ck_no_show_rules_pause_after_warning",
    rule(numbers="90, 0, 3, 30"): "ck_no_show_rules_pause_after_warning",
    rule(numbers="90, 2, 21, 30"): "ck_no_show_rules_pause_after_warning",
    rule(numbers="90, 2, 3, 0"): "ck_no_show_rules_pause_days",
    rule(numbers="90, 2, 3, 181"): "ck_no_show_rules_pause_days",
}


def test_there_is_one_rule_and_it_is_one_that_can_be(world: World) -> None:
    assert {statement: name_of_violation(statement) for statement in RULES} == RULES


def test_a_pause_has_an_end_after_its_beginning_and_there_is_one_for_each_no_show(world: World) -> None:
    here = District.of(world)
    number = here.miss(3)

    def pause(since: str = AT, until: str = LATER) -> str:
        return (
            "INSERT INTO booking_pauses (resident_id, programme_id, booking_id, since, until) "
            f"VALUES ({here.someone.resident_id}, {here.programme.id}, {number}, {since}, {until})"
        )

    assert name_of_violation(pause()) is None
    assert name_of_violation(pause(LATER, AT)) == "ck_booking_pauses_since_before_until"
    assert name_of_violation(pause(AT, AT)) == "ck_booking_pauses_since_before_until"
    assert name_of_violation(pause(), pause()) == "uq_booking_pauses_booking_id"


def test_nobody_is_told_twice_of_one_no_show(world: World) -> None:
    number = District.of(world).miss(3)
    told = f"INSERT INTO no_shows_told (booking_id, what, at) VALUES ({number}, 'warned', {AT})"
    assert name_of_violation(told) is None
    assert name_of_violation(told, told.replace("warned", "paused")) == "pk_no_shows_told"
    assert name_of_violation(told.replace("warned", "banned")) == "ck_no_shows_told_what"


def test_an_appeal_is_one_and_an_answer_has_its_time(world: World) -> None:
    number = District.of(world).miss(3)

    def appeal(answer: str = "NULL", at: str = "NULL", reply: str = "NULL") -> str:
        return (
            "INSERT INTO no_show_appeals (booking_id, words, made_at, answer, answered_at, reply) "
            f"VALUES ({number}, '我在场', {AT}, {answer}, {at}, {reply})"
        )

    assert name_of_violation(appeal()) is None
    assert name_of_violation(appeal("'accepted'", AT, "'好'")) is None
    assert name_of_violation(appeal(), appeal()) == "pk_no_show_appeals"
    assert name_of_violation(appeal("'accepted'")) == "ck_no_show_appeals_answered_with_its_time"
    assert name_of_violation(appeal(at=AT)) == "ck_no_show_appeals_answered_with_its_time"
    assert name_of_violation(appeal(reply="'好'")) == "ck_no_show_appeals_reply_with_an_answer"
    assert name_of_violation(appeal("'perhaps'", AT)) == "ck_no_show_appeals_answer"


def test_an_exemption_does_not_end_before_it_begins(world: World) -> None:
    someone = world.resident()

    def exemption(until: str) -> str:
        return (
            "INSERT INTO no_show_exemptions (resident_id, ground, from_day, until_day, granted_at) "
            f"VALUES ({someone.resident_id}, 'illness', '2026-09-16', {until}, {AT})"
        )

    assert name_of_violation(exemption("NULL")) is None
    assert name_of_violation(exemption("'2026-09-16'")) is None
    assert name_of_violation(exemption("'2026-09-15'")) == "ck_no_show_exemptions_days_in_order"
