"""Joining by invitation: a code that is said once, confirmed by the other side, and useless to anybody else."""

from datetime import date, timedelta

from sqlalchemy import select

from facilities.households.invitations import LASTS, MOST_OPEN
from facilities.households.models import Consent, ConsentKind, Guardianship, Invitation, PastGuardianship, Relation
from facilities.households.services import LARGEST_HOUSEHOLD
from facilities.infra.db import db, unit_of_work
from facilities.infra.idempotency import IdempotencyKey
from facilities.kernel import clock
from tests.conftest import NOW
from tests.world import Someone, World

WRONG = "AAAA2222"


def invite(someone: Someone, resident_id: int) -> str:
    return str(someone.api.post(f"/residents/{resident_id}/invitations")["code"])


def accept(someone: Someone, code: str, relation: str = "child", status: int = 201) -> str | None:
    """The refusal's code, or the resident's id."""
    answer = someone.api.post("/invitations/accept", {"code": code, "relation": relation}, status=status)
    return str(answer.get("code") or answer["id"])


def kinds(someone: Someone) -> list[str]:
    return [notice["kind"] for notice in someone.api.get("/notices")["items"]]


def test_a_second_parent_joins_with_the_code_and_both_may_act(world: World) -> None:
    mother, father = world.resident(), world.resident(name="陈建国")
    child = world.member(mother)
    made = mother.api.post(f"/residents/{child}/invitations")
    assert len(made["code"]) == 8
    assert clock.parse_instant(made["expires_at"]) == NOW + LASTS
    assert accept(father, made["code"]) == str(child)
    assert [row["name"] for row in father.api.get("/residents")["items"]] == ["陈建国", "陈子轩"]
    father.ask(world.session(), child)
    assert kinds(mother)[-1] == "guardian_joined"
    assert "guardian_joined" in kinds(father)
    rows = mother.api.get(f"/residents/{child}/guardians")["items"]
    assert [(row["name"], row["relation"], row["may_end"]) for row in rows] == [
        ("陈晓梅", "child", False),
        ("陈建国", "child", False),
    ]
    assert mother.api.get(f"/residents/{child}/invitations")["items"] == []


def test_the_code_itself_is_kept_nowhere(world: World) -> None:
    mother = world.resident()
    child = world.member(mother)
    path = f"/residents/{child}/invitations"
    code = mother.api.post(path, headers={"Idempotency-Key": "once"})["code"]
    db.session.rollback()
    assert code not in str(db.session.scalars(select(Invitation.code_hash)).all())
    assert code not in str(db.session.scalars(select(IdempotencyKey.body)).all())


def test_a_code_is_read_however_it_is_typed(world: World) -> None:
    mother = world.resident()
    child = world.member(mother)
    full_width = {number: number + 0xFEE0 for number in range(0x21, 0x7F)}
    code = invite(mother, child)
    accept(world.resident(), code.lower())
    code = invite(mother, child)
    accept(world.resident(), f" {code[:4]}-{code[4:]} ")
    code = invite(mother, child)
    accept(world.resident(), code.translate(full_width))


def test_wrong_used_withdrawn_and_ended_are_all_alike(world: World) -> None:
    mother, father, stranger = world.resident(), world.resident(), world.resident()
    child = world.member(mother)
    used, ended = invite(mother, child), invite(mother, child)
    accept(father, used)
    withdrawn = mother.api.post(f"/residents/{child}/invitations")
    mother.api.delete(f"/invitations/{withdrawn['id']}")
    mother.api.delete(f"/invitations/{withdrawn['id']}")
    answers = [
        stranger.api.post("/invitations/accept", {"code": code, "relation": "child"}, status=409)
        for code in (WRONG, used, withdrawn["code"], "不是代码", "x" * 40)
    ]
    with clock.frozen(NOW + LASTS):
        answers.append(stranger.api.post("/invitations/accept", {"code": ended, "relation": "child"}, status=409))
    assert {answer["code"] for answer in answers} == {"invitation_unknown"}
    assert len({answer["detail"] for answer in answers}) == 1
    assert len(stranger.api.get("/residents")["items"]) == 1


def test_an_invitation_is_worth_nothing_once_who_made_it_has_no_right(world: World) -> None:
    mother, father, uncle = world.resident(), world.resident(), world.resident()
    child = world.member(mother, birth_date=date(2008, 9, 20))
    accept(father, invite(mother, child))
    code = invite(mother, child)
    mother.api.delete(f"/residents/{child}")
    assert accept(uncle, code, status=409) == "invitation_unknown"
    code = invite(father, child)
    with clock.frozen(NOW + timedelta(days=5)):  # 18 now
        assert accept(uncle, code, "other", status=409) == "invitation_unknown"


def test_guesses_are_counted_and_then_nothing_works_for_a_while(world: World) -> None:
    mother, stranger = world.resident(), world.resident()
    code = invite(mother, world.member(mother))
    for _ in range(10):
        assert accept(stranger, WRONG, status=409) == "invitation_unknown"
    assert accept(stranger, code, status=429) == "too_many_attempts"
    accept(world.resident(), code)  # others are not kept out
    with clock.frozen(NOW + timedelta(minutes=16)):
        assert accept(stranger, WRONG, status=409) == "invitation_unknown"


def test_who_acts_already_does_not_join(world: World) -> None:
    mother = world.resident()
    assert accept(mother, invite(mother, world.member(mother)), status=409) == "already_in_household"


def test_a_household_that_is_full_takes_nobody(world: World) -> None:
    mother, father = world.resident(), world.resident()
    for _ in range(LARGEST_HOUSEHOLD - 1):
        world.member(father)
    code = invite(mother, world.member(mother))
    assert accept(father, code, status=409) == "too_many_members"
    father.api.delete(f"/residents/{father.api.get('/residents')['items'][-1]['id']}")
    accept(father, code)  # a refusal does not use it up


def test_at_most_so_many_are_open_at_once(world: World) -> None:
    mother = world.resident()
    child = world.member(mother)
    for _ in range(MOST_OPEN):
        last = mother.api.post(f"/residents/{child}/invitations")
    path = f"/residents/{child}/invitations"
    assert mother.api.post(path, status=409)["code"] == "too_many_invitations"
    assert len(mother.api.get(path)["items"]) == MOST_OPEN
    assert "code" not in mother.api.get(path)["items"][0]
    mother.api.delete(f"/invitations/{last['id']}")
    mother.api.post(path)


def test_for_a_grown_up_with_an_account_only_that_grown_up_invites(world: World) -> None:
    grandmother, daughter = world.resident(birth_date=date(1950, 1, 1), name="罗玉兰"), world.resident()
    accept(daughter, invite(grandmother, grandmother.resident_id), "parent")
    path = f"/residents/{grandmother.resident_id}/invitations"
    daughter.api.post(path, status=403)
    grandmother.api.post(path)
    world.resident().api.post(path, status=404)
    (made,) = daughter.api.get(path)["items"]
    daughter.api.delete(f"/invitations/{made['id']}", status=403)
    world.resident().api.delete(f"/invitations/{made['id']}", status=404)


def test_for_a_grandmother_without_an_account_whoever_acts_for_her_does(world: World) -> None:
    daughter, grandson = world.resident(), world.resident()
    grandmother = world.member(daughter, birth_date=date(1950, 1, 1), relation=Relation.PARENT, name="罗玉兰")
    accept(grandson, invite(daughter, grandmother), "grandparent")
    grandson.ask(world.session(), grandmother)


def test_somebody_of_14_takes_over_their_own_record_and_who_acts_stays_until_18(world: World) -> None:
    mother = world.resident()
    young, small = (world.member(mother, birth_date=born) for born in (date(2012, 9, 16), date(2012, 9, 17)))
    own = world.resident()
    unit_of_work(lambda: db.session.execute(db.delete(Guardianship).where(Guardianship.user_id == own.user.id)))
    code = invite(mother, small)
    answer = own.api.post("/invitations/accept", {"code": code, "relation": "self"}, status=422)
    assert set(answer["fields"]) == {"relation"}
    accept(own, invite(mother, young), "self")
    assert [row["relation"] for row in own.api.get("/me")["residents"]] == ["self"]
    mother.ask(world.session(), young)
    assert accept(world.resident(), invite(mother, young), "self", status=409) == "self_exists"
    held = set(db.session.execute(select(Consent.user_id, Consent.kind).where(Consent.resident_id == young)).tuples())
    assert held == {(own.user.id, ConsentKind.REGISTRATION)}


def test_who_has_an_own_record_takes_over_no_second_one(world: World) -> None:
    mother, other = world.resident(), world.resident()
    grandmother = world.member(mother, birth_date=date(1950, 1, 1), relation=Relation.PARENT)
    assert accept(other, invite(mother, grandmother), "self", status=409) == "self_exists"


def test_nobody_joins_a_grown_up_as_a_parent_of_a_child(world: World) -> None:
    daughter, other = world.resident(), world.resident()
    code = invite(daughter, world.member(daughter, birth_date=date(1950, 1, 1), relation=Relation.PARENT))
    answer = other.api.post("/invitations/accept", {"code": code, "relation": "child"}, status=422)
    assert set(answer["fields"]) == {"relation"}


def test_who_acted_for_a_child_is_invited_again_by_the_grown_up(world: World) -> None:
    mother, own = world.resident(), world.resident()
    child = world.member(mother, birth_date=date(2008, 9, 20))
    unit_of_work(lambda: db.session.execute(db.delete(Guardianship).where(Guardianship.user_id == own.user.id)))
    accept(own, invite(mother, child), "self")
    with clock.frozen(NOW + timedelta(days=5)):  # before the job has come by
        accept(mother, invite(own, child), "other")
        mother.api.get(f"/residents/{child}")
        assert [p.why for p in db.session.scalars(select(PastGuardianship))] == ["came_of_age"]


def test_who_joins_for_a_small_child_consents_for_it(world: World) -> None:
    mother, father = world.resident(), world.resident()
    child = world.member(mother)
    accept(father, invite(mother, child))
    held = db.session.execute(select(Consent.user_id, Consent.kind).where(Consent.resident_id == child)).tuples().all()
    assert set(held) == {(mother.user.id, ConsentKind.GUARDIAN), (father.user.id, ConsentKind.GUARDIAN)}


def test_a_grown_up_ends_anothers_right_and_keeps_what_was_booked(world: World) -> None:
    grandmother, daughter = world.resident(birth_date=date(1950, 1, 1), name="罗玉兰"), world.resident()
    number = grandmother.resident_id
    accept(daughter, invite(grandmother, number), "parent")
    (booking,) = daughter.ask(world.session(), number)["items"]
    path = f"/residents/{number}/guardians"
    daughter.api.delete(f"{path}/{grandmother.user.id}", status=403)
    daughter.api.delete(f"{path}/{daughter.user.id}", status=404)  # one's own ends by leaving
    world.resident().api.delete(f"{path}/{daughter.user.id}", status=404)
    assert [row["may_end"] for row in grandmother.api.get(path)["items"]] == [False, True]
    grandmother.api.delete(f"{path}/{daughter.user.id}")
    grandmother.api.delete(f"{path}/{daughter.user.id}", status=404)
    assert grandmother.state(booking["id"]) == "confirmed"
    daughter.api.get(f"/residents/{number}", status=404)
    assert kinds(daughter)[0] == "right_ended"
    assert [p.why for p in db.session.scalars(select(PastGuardianship))] == ["withdrawn"]


def test_one_parent_does_not_end_the_others_right_over_a_child(world: World) -> None:
    mother, father = world.resident(), world.resident()
    child = world.member(mother)
    accept(father, invite(mother, child))
    mother.api.delete(f"/residents/{child}/guardians/{father.user.id}", status=403)
    father.api.delete(f"/residents/{child}")
    assert kinds(mother)[0] == "guardian_left"
    mother.api.get(f"/residents/{child}")


# -- the pages


def test_a_code_is_made_told_looked_at_and_confirmed(world: World) -> None:
    mother, father = world.resident(name="陈晓梅"), world.resident(name="周建国")
    child = world.member(mother, name="陈子轩")
    path = f"/me/family/{child}/guardians"
    page = world.browser(mother).send(path, token_from=path)
    code = page.tree.xpath("//*[@class='pass-code']")[0].text_content()
    assert code.replace(" ", "") not in world.browser(mother).get(path).text.replace(" ", "")
    browser = world.browser(father)
    look = browser.send("/me/family/join", token_from="/me/family/join", code=code)
    assert "陈**" in look.text
    assert "陈子轩" not in look.text
    assert "agree" in look.text  # a small child: the consent of whoever looks after it
    assert father.api.get("/residents")["items"][1:] == []
    done = browser.send(
        "/me/family/join",
        token_from="/me/family/join",
        code=look.hidden("code"),
        confirmed="yes",
        relation="child",
    )
    assert "陈子轩" in done.text
    assert "May act for this person as well: 陈晓梅" in done.text


def test_a_code_that_does_not_work_is_said_so_and_asked_again(world: World) -> None:
    browser = world.browser(world.resident())
    page = browser.send("/me/family/join", status=422, token_from="/me/family/join", code=WRONG)
    assert "does not work" in page.text
    page = browser.send(
        "/me/family/join", status=422, token_from="/me/family/join", code=WRONG, confirmed="yes", relation="child"
    )
    assert "does not work" in page.text
    assert browser.send("/me/family/join", status=422, token_from="/me/family/join", code="").status == 422


def test_a_relation_that_cannot_be_is_asked_again(world: World) -> None:
    daughter, other = world.resident(), world.resident()
    code = invite(daughter, world.member(daughter, birth_date=date(1950, 1, 1), relation=Relation.PARENT))
    fields = {"code": code, "confirmed": "yes", "relation": "child"}
    page = world.browser(other).send("/me/family/join", status=422, token_from="/me/family/join", **fields)
    assert "Whoever is 18" in page.text
    assert page.hidden("code") == code


def test_an_invitation_and_a_right_are_ended_on_the_page(world: World) -> None:
    grandmother, daughter = world.resident(birth_date=date(1950, 1, 1), name="罗玉兰"), world.resident()
    number = grandmother.resident_id
    accept(daughter, invite(grandmother, number), "parent")
    invite(grandmother, number)
    browser, path = world.browser(grandmother), f"/me/family/{number}/guardians"
    page = browser.get(path)
    (withdraw,) = page.tree.xpath("//form[contains(@action, '/withdraw')]/@action")
    (end,) = page.tree.xpath("//form[contains(@action, '/end')]/@action")
    assert "withdrawn" in browser.send(withdraw, token_from=path).text
    assert "陈晓梅" not in browser.send(end, token_from=path).text
    assert "Make a code" in page.text
    assert world.browser(daughter).get(path, status=404)


def test_who_may_not_invite_is_told_why(world: World) -> None:
    grandmother, daughter = world.resident(birth_date=date(1950, 1, 1), name="罗玉兰"), world.resident()
    accept(daughter, invite(grandmother, grandmother.resident_id), "parent")
    path = f"/me/family/{grandmother.resident_id}/guardians"
    assert "decides who else may act" in world.browser(daughter).get(path).text
    world.browser(daughter).send(path, status=403, token_from="/me")


def test_too_many_open_invitations_are_said_on_the_page(world: World) -> None:
    mother = world.resident()
    child = world.member(mother)
    for _ in range(MOST_OPEN):
        invite(mother, child)
    path = f"/me/family/{child}/guardians"
    assert "Withdraw one first" in world.browser(mother).send(path, status=409, token_from=path).text
