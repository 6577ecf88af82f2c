"""What a message says where there is little room, and where others may read along: neutral, one part where it can be.

No reason, no place and no name; a title only where it says nothing about anybody (`delivery.facts_outside`). Providers
register texts beforehand: `registered` gives each as they want it, with `{1}` for what is filled in.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from facilities.engine.messages import ANSWERS, Answer
from facilities.engine.short_texts import is_neutral, tidy
from facilities.web.formats import date_time, day, is_chinese

Facts = Mapping[str, Any]

SHORT: dict[str, Any] = {
    "booked": _l("Booked: %(what)s, %(when)s. Code for the door: %(reference)s."),
    "waitlisted": _l("%(what)s, %(when)s, is full. You are on the waiting list."),
    "promoted": _l("A place came free and is yours: %(what)s, %(when)s. Code for the door: %(reference)s."),
    "offered": _l("A place is kept for you: %(what)s, %(when)s. Please answer by %(until)s."),
    "offer_expired": _l("The time to answer is over, and the place has gone to the next: %(what)s, %(when)s."),
    "moved": _l("Changed: %(what)s is now on %(when)s. Your place is kept."),
    "session_cancelled": _l("Cancelled: %(what)s, %(when)s, does not take place. We are sorry."),
    "reserved": _l("Reserved for you: %(what)s, %(when)s. Code for the door: %(reference)s."),
    "reservation_moved": _l("Changed: your reservation, %(what)s, is now on %(when)s."),
    "reservation_cancelled": _l("Cancelled: your reservation, %(what)s, %(when)s."),
    "guardian_joined": _l("One more account may book for somebody in your household. See 'Me' in the app."),
    "guardian_left": _l("An account no longer books for somebody in your household. See 'Me' in the app."),
    "right_ended": _l("Somebody for whom you could book has ended this. What was booked stays."),
    "right_ended_by_age": _l("Somebody for whom you booked is 18 now and decides for themselves."),
    "came_of_age": _l("You are 18: from now on you book for yourself."),
    "drawn": _l("The draw is held, and you have a place: %(what)s, %(when)s."),
    "not_drawn": _l("The draw is held, and this time you have no place: %(what)s."),
    "reminder_day": _l("Reminder: %(what)s, %(when)s. Code for the door: %(reference)s."),
    "reminder_hour": _l("Soon: %(what)s, %(when)s. Code for the door: %(reference)s."),
    "no_show_warned": _l("You were missed: %(what)s, %(when)s. If that is not right, tell us in the app."),
    "no_show_paused": _l("You were missed: %(what)s, %(when)s. Until %(day)s please book only on the day itself. If "
                         "that is not right, tell us in the app."),
    "no_show_pause_lifted": _l("You can book ahead again as usual. We look forward to seeing you."),
    "appeal_answered": _l("What you told us about %(what)s has been answered. You find the answer in the app."),
    "feedback": _l("You were at %(what)s. How was it? Tell us in the app, in two taps."),
    "code": _l("%(code)s is your code. It holds for ten minutes. Tell it to nobody."),
    "carer_code": _l("Somebody wants to send you copies of messages about their bookings. If you agree, tell them this "
                     "code: %(code)s. It holds for ten minutes."),
    "registered_already": _l("Somebody tried to register with your number, which has an account. Was it you? Just sign "
                             "in. If not, there is nothing to do."),
    "signed_in": _l("A new browser signed in to your account on %(when)s. If it was not you, change your password."),
    "password_changed": _l("The password of your account was changed. If it was not you, set a new one at once."),
    "second_factor_on": _l("Your account asks for a code at sign-in now. If it was not you, tell your administrator."),
    "second_factor_off": _l("Your account no longer asks for a code at sign-in. If it was not you, tell your "
                            "administrator."),
}
_CALLS = {  # what the answer is for; the address is always the same, as providers demand
    Answer.CANCEL: _l("To cancel: %(address)s, code %(answer)s"),
    Answer.ACCEPT: _l("Answer at %(address)s, code %(answer)s"),
}
_COPY = _l("Copy.")
_VARIABLE = re.compile(r"%\((\w+)\)s")


@dataclass(frozen=True, slots=True)
class Short:
    """`parameters`: what was filled in, in order."""

    text: str
    parameters: tuple[str, ...]
    details: Mapping[str, str]


def short(kind: str, facts: Facts, *, page: str | None = None, answer: str | None = None, copy: bool = False) -> Short:
    """`page` is where `answer` is given; `copy`: for a carer."""
    sentence = _sentence(kind, page if answer else None, copy=copy)
    details = {"what": _what(facts), "when": _moment(facts.get("starts_at") or facts.get("at")),
               "until": _moment(facts.get("offer_expires_at")), "day": _day(facts.get("until")),
               "reference": str(facts.get("reference") or ""),
               "code": str(facts.get("code") or "······"), "answer": answer or ""}
    parameters = tuple(details[name] for name in _VARIABLE.findall(sentence))
    return Short(_VARIABLE.sub(lambda found: details[found[1]], sentence), parameters, details)


def registered(kind: str, page: str | None) -> str:
    """The text that a provider is to know beforehand."""
    numbers = iter(range(1, 100))
    return _VARIABLE.sub(lambda _found: f"{{{next(numbers)}}}", _sentence(kind, page, copy=False))


def _sentence(kind: str, page: str | None, *, copy: bool) -> str:
    parts = [str(_COPY)] if copy else []
    parts.append(str(SHORT[kind]))
    if page and (asked := ANSWERS.get(kind)):
        call = _CALLS[Answer.ACCEPT if Answer.ACCEPT in asked else Answer.CANCEL]
        parts.append(str(call).replace("%(address)s", page))
    return ("" if is_chinese() else " ").join(parts)


def _what(facts: Facts) -> str:
    """The title, or the space of a reservation, as far as a platform lets it pass."""
    english = not is_chinese()
    for name in ("title", "space"):
        said = (facts.get(f"{name}_en") if english else None) or facts.get(name)
        if said:
            return tidy(str(said)) if is_neutral(str(said)) else _("your booking")
    return _("your booking")


def _day(value: object) -> str:
    return day(datetime.fromisoformat(str(value))) if value else ""


def _moment(value: object) -> str:
    return date_time(datetime.fromisoformat(str(value))) if value else ""
