"""Which ways a message takes: what it is about, what its reader chose, what cannot be left out; and what it asks.

Kinds are those that `infra.outbox.tell` is given.
"""

from collections.abc import Mapping
from enum import StrEnum


class Channel(StrEnum):
    """Ways out of the app; the inbox inside it always has everything."""

    SMS = "sms"
    EMAIL = "email"
    WECHAT = "wechat"
    PLATFORM = "platform"  # the municipal platform, which hands it to its app


class Topic(StrEnum):
    """What a reader can choose ways for."""

    BOOKINGS = "bookings"
    CHANGES = "changes"  # what is decided for somebody, while they look elsewhere
    REMINDERS = "reminders"
    FEEDBACK = "feedback"
    HOUSEHOLD = "household"
    SECURITY = "security"


class Answer(StrEnum):
    """What can be answered straight from a message."""

    CANCEL = "cancel"
    ACCEPT = "accept"
    DECLINE = "decline"
    COMING = "coming"


_KINDS: Mapping[Topic, tuple[str, ...]] = {
    Topic.BOOKINGS: ("booked", "waitlisted", "reserved", "no_show_warned", "no_show_paused", "no_show_pause_lifted",
                     "appeal_answered"),
    Topic.CHANGES: ("promoted", "offered", "offer_expired", "moved", "session_cancelled", "reservation_moved",
                    "reservation_cancelled", "drawn", "not_drawn"),
    Topic.REMINDERS: ("reminder_day", "reminder_hour"),
    Topic.FEEDBACK: ("feedback",),
    Topic.HOUSEHOLD: ("guardian_joined", "guardian_left", "right_ended", "right_ended_by_age", "came_of_age"),
    Topic.SECURITY: ("code", "carer_code", "registered_already", "signed_in", "password_changed", "second_factor_on",
                     "second_factor_off"),
}
TOPIC_OF: Mapping[str, Topic] = {kind: topic for topic, kinds in _KINDS.items() for kind in kinds}

CODES = ("code", "carer_code")  # for whoever holds the phone, not for whoever is signed in already
DIRECTED = (*CODES, "registered_already")  # to the phone or address that they are about, by no other way
COPIED = (Topic.BOOKINGS, Topic.CHANGES, Topic.REMINDERS)  # what a carer gets too

_COMING_OR_NOT = (Answer.COMING, Answer.CANCEL)
ANSWERS: Mapping[str, tuple[Answer, ...]] = {
    "booked": (Answer.CANCEL,), "waitlisted": (Answer.CANCEL,), "promoted": _COMING_OR_NOT,
    "offered": (Answer.ACCEPT, Answer.DECLINE), "moved": _COMING_OR_NOT,
    "reminder_day": _COMING_OR_NOT, "reminder_hour": (Answer.CANCEL,),
}

# (our choice) The platform belongs to somebody else: only whoever asks for it is told through it.
CHOSEN_AT_FIRST: Mapping[Channel, bool] = {
    Channel.SMS: True, Channel.EMAIL: True, Channel.WECHAT: True, Channel.PLATFORM: False}


def is_wanted(topic: Topic, channel: Channel, choices: Mapping[tuple[Topic, Channel], bool]) -> bool:
    """What concerns the account's safety goes to the phone whatever was chosen: a thief would switch it off."""
    if (topic, channel) == (Topic.SECURITY, Channel.SMS):
        return True
    return choices.get((topic, channel), CHOSEN_AT_FIRST[channel])
