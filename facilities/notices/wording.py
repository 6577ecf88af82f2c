"""What a message says, from its kind and its facts, in the reader's language: a heading, and one or two sentences.

Neutral words: no name of a resident, no word about anybody's condition. The facts are as they were when it was written.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from facilities.engine.messages import Answer
from facilities.web.formats import date_time, day, is_chinese, span

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Words:
    heading: Any  # a lazy string
    text: Callable[[Facts], str]


def heading(kind: str) -> str:
    return str(WORDS[kind].heading)


def text(kind: str, facts: Facts) -> str:
    return WORDS[kind].text(facts)


def _name(facts: Facts, field: str) -> str:
    """In the reader's language, as far as it was written down."""
    return str((None if is_chinese() else facts.get(f"{field}_en")) or facts.get(field) or "")


def _what(facts: Facts) -> str:
    """A session or a draw has a title; a reservation is known by its space."""
    return _name(facts, "title") or _where(facts) or _("your booking")


def _when(facts: Facts) -> str:
    """Day and time, as far as the facts go."""
    starts, ends = facts.get("starts_at"), facts.get("ends_at")
    if not starts:
        return ""
    if not ends:
        return date_time(_instant(starts))
    return f"{day(_instant(starts))} {span(_instant(starts), _instant(ends))}"


def _where(facts: Facts) -> str:
    return _listed(_name(facts, "facility"), _name(facts, "space"))


def _when_and_where(facts: Facts) -> str:
    """Of what has a title; a reservation's place is its name already."""
    return _listed(_when(facts), _where(facts) if facts.get("title") else "")


def _listed(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _instant(value: object) -> datetime:
    return datetime.fromisoformat(str(value))


def _simple(sentence: Any) -> Callable[[Facts], str]:  # noqa: ANN401 - lazy strings
    """`sentence` may use %(what)s and %(when)s."""
    return lambda facts: str(sentence) % {"what": _what(facts), "when": _when_and_where(facts)}


def _with_reason(sentence: Any) -> Callable[[Facts], str]:  # noqa: ANN401 - lazy strings
    def say(facts: Facts) -> str:
        said = _simple(sentence)(facts)
        return _("%(said)s Reason: %(reason)s", said=said, reason=facts["reason"]) if facts.get("reason") else said

    return say


def _offered(facts: Facts) -> str:
    if not facts.get("offer_expires_at"):
        return _simple(_l("A place in %(what)s, %(when)s, is kept for you. Please accept or decline it."))(facts)
    return _("A place in %(what)s, %(when)s, is kept for you until %(until)s. Please accept or decline it.",
             what=_what(facts), when=_when_and_where(facts), until=date_time(_instant(facts["offer_expires_at"])))


def _moved(facts: Facts) -> str:
    was = facts.get("was") or {}
    before, after = _when_and_where(was), _when_and_where(facts)
    if not before or before == after:
        return _("%(what)s, %(when)s, is at another place now. Its page says where.", what=_what(facts), when=after)
    return _("%(what)s has moved: from %(before)s to %(after)s. Your place is kept; cancel it if the new time does "
             "not suit you.", what=_what(facts), before=before, after=after)


def _reservation_moved(facts: Facts) -> str:
    was = facts.get("was") or {}
    before, after = _listed(_when(was), _where(was)), _listed(_when(facts), _where(facts))
    if not before:
        return _("The reservation is now: %(after)s.", after=after or _what(facts))
    return _("The reservation has moved: from %(before)s to %(after)s.", before=before, after=after)


def _drawn(facts: Facts) -> str:
    if facts.get("sessions", 1) > 1:
        return _("The draw for %(what)s has been held, and you have places in all its sessions. The first: %(when)s.",
                 what=_what(facts), when=_when(facts))
    return _("The draw for %(what)s has been held, and you have a place: %(when)s.", what=_what(facts),
             when=_when(facts))


def _reminder(facts: Facts) -> str:
    """With the code that is asked for at the door."""
    said = _("%(what)s: %(when)s. If you cannot come, please give the place back.", what=_what(facts),
             when=_when_and_where(facts))
    return _with_code(said, facts)


def _soon(facts: Facts) -> str:
    return _with_code(_("%(what)s begins soon: %(when)s.", what=_what(facts), when=_when_and_where(facts)), facts)


def _with_code(said: str, facts: Facts) -> str:
    if not facts.get("reference"):
        return said
    return _("%(said)s Your code for the door: %(code)s.", said=said, code=facts["reference"])


def _signed_in(facts: Facts) -> str:
    when = date_time(_instant(facts["at"])) if facts.get("at") else _("a day that is not known")
    device = facts.get("device") or _("an unknown device")
    return _("Somebody signed in to your account on %(when)s from a browser that was not known: %(device)s. If it was "
             "not you, change your password at once: that ends every other sign-in.", when=when, device=device)


def _code(facts: Facts) -> str:
    return _("%(code)s is your code. It holds for ten minutes. Tell it to nobody, not even to staff.",
             code=facts.get("code", "······"))


def _paused(facts: Facts) -> str:
    said = _("A place in %(what)s, %(when)s, was kept for you, and we noted that nobody came, as before.",
             what=_what(facts), when=_when_and_where(facts))
    programme = _name(facts, "programme") or _("activities of this kind")
    if not facts.get("until"):
        return _("%(said)s For a while you book %(programme)s only on the day itself.", said=said, programme=programme)
    return _("%(said)s Until %(until)s you book %(programme)s only on the day itself, where a place is free. What you "
             "have booked stays. If this is not right, tell us: somebody looks at it.",
             said=said, programme=programme, until=day(_instant(facts["until"])))


def _answered(facts: Facts) -> str:
    """What staff wrote stands on the page alone: it may be about somebody's health."""
    if facts.get("accepted"):
        return _simple(_l("You told us about %(what)s, %(when)s. Thank you: it does not count."))(facts)
    return _simple(_l("You told us about %(what)s, %(when)s. Somebody has looked at it, and it still counts. You find "
                      "the reason on its page."))(facts)


ANSWERS: dict[Answer, Any] = {
    Answer.CANCEL: _l("I cannot come"), Answer.ACCEPT: _l("I take the place"), Answer.DECLINE: _l("I do not need it"),
    Answer.COMING: _l("I am coming"),
}

ANSWERED: dict[Answer, Any] = {
    Answer.CANCEL: _l("Cancelled. The place is free for somebody else."),
    Answer.ACCEPT: _l("The place is yours. See you there!"),
    Answer.DECLINE: _l("Thank you. The place goes to the next."),
    Answer.COMING: _l("Thank you. See you there!"),
}

WORDS: dict[str, Words] = {
    "booked": Words(_l("Booked"), _simple(_l("A place in %(what)s is booked: %(when)s."))),
    "waitlisted": Words(_l("On the waiting list"), _simple(
        _l("%(what)s, %(when)s, is full. You are on the waiting list and hear from us when a place comes free."))),
    "promoted": Words(_l("A place came free"), _simple(
        _l("You have a place in %(what)s now: %(when)s. If you cannot come, please give it back."))),
    "offered": Words(_l("A place is offered to you"), _offered),
    "offer_expired": Words(_l("The offer has run out"), _simple(
        _l("The time to accept the place in %(what)s, %(when)s, is over, and it has gone to the next."))),
    "moved": Words(_l("The session has moved"), _moved),
    "session_cancelled": Words(_l("The session is cancelled"), _with_reason(
        _l("%(what)s, %(when)s, does not take place, and the booking is cancelled."))),
    "reserved": Words(_l("Reserved"), _simple(_l("%(what)s is reserved: %(when)s."))),
    "reservation_moved": Words(_l("The reservation has moved"), _reservation_moved),
    "reservation_cancelled": Words(_l("The reservation is cancelled"), _with_reason(
        _l("The reservation of %(what)s, %(when)s, is cancelled."))),
    "guardian_joined": Words(_l("One more account"), _simple(
        _l("One more account may book for this person now. Under 'Me' you see who may."))),
    "guardian_left": Words(_l("One account fewer"), _simple(
        _l("An account that could book for this person no longer does. Under 'Me' you see who may."))),
    "right_ended": Words(_l("You no longer book for somebody"), _simple(
        _l("Somebody for whom you could book has ended this. What was booked stays."))),
    "right_ended_by_age": Words(_l("Grown up"), _simple(
        _l("Somebody for whom you booked is 18 now and decides for themselves. What was booked stays. With an account "
           "of their own they can invite you."))),
    "came_of_age": Words(_l("You decide yourself now"), _simple(
        _l("You are 18: who booked for you as a child does so no longer. If you wish, invite somebody under 'Me'. "
           "Without an account of your own, come to the counter."))),
    "drawn": Words(_l("You were drawn"), _drawn),
    "code": Words(_l("Your code"), _code),
    "carer_code": Words(_l("A code for copies"), lambda facts: _(
        "Somebody wants to send you copies of messages about their bookings. If you agree, tell them this code: "
        "%(code)s. It holds for ten minutes.",
        code=facts.get("code", "······"))),
    "registered_already": Words(_l("You have an account"), lambda _facts: _(
        "Somebody tried to register with your number, which has an account already. If it was you: just sign in. "
        "If not: there is nothing that you need to do.")),
    "reminder_day": Words(_l("Soon: your booking"), _reminder),
    "reminder_hour": Words(_l("It begins soon"), _soon),
    "feedback": Words(_l("How was it?"), _simple(
        _l("You were at %(what)s, %(when)s. Tell us in two taps how it was: it makes the next one better."))),
    "no_show_warned": Words(_l("We missed you"), _simple(
        _l("A place in %(what)s, %(when)s, was kept for you, and we noted that nobody came. That can happen. If you "
           "cannot come, please give the place back: somebody else is glad of it. If you were there, or had a good "
           "reason, tell us: somebody looks at it."))),
    "no_show_paused": Words(_l("Booking only on the day itself for a while"), _paused),
    "no_show_pause_lifted": Words(_l("You can book ahead again"), _simple(
        _l("You can book ahead again as usual: what was noted for %(what)s, %(when)s, no longer keeps you from it."))),
    "appeal_answered": Words(_l("You have an answer about a missed session"), _answered),
    "signed_in": Words(_l("A new browser"), _signed_in),
    "password_changed": Words(_l("Your password was changed"), lambda _facts: _(
        "The password of your account was changed, and every other sign-in has ended. If it was not you, set a new one "
        "with 'Forgot your password?'.")),
    "second_factor_on": Words(_l("Codes are asked for now"), lambda _facts: _(
        "From now on your account asks for a code at sign-in. If it was not you, tell your administrator at once.")),
    "second_factor_off": Words(_l("Codes are no longer asked for"), lambda _facts: _(
        "Your account no longer asks for a code at sign-in. If it was not you, tell your administrator at once.")),
    "not_drawn": Words(_l("Not drawn this time"), _simple(
        _l("The draw for %(what)s has been held, and your ticket was not among the first. Where there is a waiting "
           "list you are on it, in the order of the draw."))),
}
