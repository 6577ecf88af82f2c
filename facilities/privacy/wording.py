"""What the inventory says, in the reader's language: what is held, why, and for how long."""

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from facilities.bookings.queries import LOOKED_AT_ROSTER
from facilities.privacy.inventory import INVENTORY
from facilities.privacy.queries import Look
from facilities.privacy.retention import PERIODS
from facilities.privacy.services import Held
from facilities.privacy.terms import Kept, Why
from facilities.web.formats import date_only, date_time, is_chinese
from facilities.web.language import in_language

TITLES: dict[str, Any] = {
    "users": _l("Your account"),
    "grants": _l("Your rights as staff"),
    "residents": _l("The people you book for"),
    "identities": _l("Identity numbers and certificates"),
    "guardianships": _l("Who books for whom"),
    "past_guardianships": _l("Whom you no longer book for"),
    "invitations": _l("Invitations to the family"),
    "consents": _l("What you agreed to"),
    "merges": _l("Records that were put together"),
    "bookings": _l("Bookings"),
    "feedback": _l("How you said it was"),
    "booking_pauses": _l("When you could book only on the day itself"),
    "no_show_exemptions": _l("When missed sessions do not count for you"),
    "no_shows_told": _l("What we told you about missed sessions"),
    "no_show_appeals": _l("What you told us about missed sessions"),
    "reservations": _l("Reserved rooms"),
    "draw_entries": _l("Draws you entered"),
    "draw_entrants": _l("Who was in which draw"),
    "attendances": _l("Where you were"),
    "attendance_events": _l("What the desk wrote down when you came"),
    "notices": _l("Messages to you"),
    "notice_settings": _l("How we tell you"),
    "channel_choices": _l("What comes to you which way"),
    "email_addresses": _l("Your e-mail address"),
    "calendar_feeds": _l("Your calendar's address"),
    "carers": _l("Who gets copies of your messages"),
    "wechat_accounts": _l("Your WeChat"),
    "wechat_subscriptions": _l("Messages on WeChat that you agreed to"),
    "sign_ins": _l("Where you are and were signed in"),
    "known_devices": _l("Telephones and computers that we know"),
    "second_factors": _l("Your second key for signing in"),
    "one_time_codes": _l("Codes that were sent to you"),
    "sign_in_failures": _l("Wrong passwords that were tried"),
    "audit_entries": _l("Who looked at your records"),
}

WHY: dict[Why, Any] = {
    Why.ACCOUNT: _l("so that you can sign in"),
    Why.SERVE: _l("so that the desk knows who comes, and which classes are meant for whom"),
    Why.FAMILY: _l("so that only the right people book for somebody"),
    Why.CONSENT: _l("so that it is clear what you agreed to"),
    Why.IDENTITY: _l("so that nobody is entered twice; the numbers are kept locked"),
    Why.BOOK: _l("so that your place is kept for you"),
    Why.FIGURES: _l("so that the district knows how many people come; figures are without names"),
    Why.TELL: _l("so that you hear of changes"),
    Why.SAFETY: _l("so that nobody else gets into your account"),
    Why.RECORD: _l("so that staff answer for what they do"),
    Why.IMPROVE: _l("so that the next session is better; staff read it without your name"),
}

HOW_LONG: dict[Kept, Any] = {
    Kept.ACCOUNT: _l("until you erase your account"),
    Kept.PERSON: _l("until you erase your account; without an account, %(days)s days after the last visit"),
    Kept.COUNTED: _l("for good, because it is counted; your name is taken off when you erase your account"),
    Kept.SIGN_INS: _l("%(days)s days after it ended"),
    Kept.FAILURES: _l("one day"),
    Kept.CODES: _l("one day"),
    Kept.INVITATIONS: _l("%(days)s days after it ended"),
    Kept.NOTICES: _l("%(days)s days"),
    Kept.REMINDERS: _l("%(days)s days after what you were reminded of"),
    Kept.DEVICES: _l("%(days)s days after it was last used"),
    Kept.KEYS: _l("%(days)s days"),
    Kept.FEEDBACK: _l("%(days)s days; your words go when you erase your account, and the rating stays as a number"),
    Kept.NO_SHOWS: _l("%(days)s days"),
    Kept.EXEMPTIONS: _l("%(days)s days after it ended"),
    Kept.WORK: _l("as long as what it is about"),
    Kept.CHAIN: _l("for good, so that nobody can take a line out"),
}

LABELS: dict[str, Any] = {
    "login": _l("Telephone number or login"), "display_name": _l("Name of the account"), "disabled": _l("Locked"),
    "created_at": _l("Entered on"), "role": _l("Right"), "starts_at": _l("From"), "ends_at": _l("Ends on"),
    "last_used_at": _l("Last used"), "kind": _l("What"), "last_seen_at": _l("Last used"),
    "revoked_at": _l("Signed out"), "device": _l("Device"), "seen_at": _l("Last seen"),
    "confirmed_at": _l("Set up on"), "purpose": _l("Purpose"), "failures": _l("How often"),
    "first_failed_at": _l("First time"), "name": _l("Name"), "sex": _l("Sex"), "birth_date": _l("Date of birth"),
    "phone": _l("Telephone number"), "disability_category": _l("Kind of disability, as on the certificate"),
    "disability_grade": _l("Grade of disability, as on the certificate"), "community_code": _l("Community, by number"),
    "id_number": _l("Identity number"), "certificate": _l("Disability certificate"), "relation": _l("Relation"),
    "consented_at": _l("Agreed on"), "until": _l("Ends on"), "since": _l("From"), "ended_at": _l("Ended on"),
    "why": _l("Why it ended"), "accepted_at": _l("Accepted on"), "withdrawn_at": _l("Taken back on"),
    "text_version": _l("Version of the text"), "given_at": _l("Agreed on"), "merged_at": _l("Put together on"),
    "undone_at": _l("Taken apart on"), "reference": _l("Code"), "state": _l("State"),
    "cancelled_at": _l("Cancelled on"), "cancel_reason": _l("Why it was cancelled"), "party": _l("Came together, as"),
    "offer_expires_at": _l("Offered until"), "override_reason": _l("Why staff made an exception"),
    "entry_hash": _l("Public code of the ticket"), "weight": _l("Weight in the draw"), "rank": _l("Place in the draw"),
    "late": _l("Came late"), "minutes": _l("Minutes spent there"),
    "won": _l("Won a place"), "walk_in": _l("Came without a booking"), "occurred_at": _l("When"),
    "received_at": _l("Entered on"), "read_at": _l("Read on"), "session": _l("Session"), "facility": _l("Facility"),
    "space": _l("Room"), "person": _l("Who"), "coming_at": _l("Said again that they come"),
    "promoted_at": _l("Given a place from the waitlist"),
    "language": _l("Language of messages"), "quiet_from": _l("Nothing after"), "quiet_until": _l("And nothing before"),
    "large_type": _l("Letters in large type"), "topic": _l("About"), "channel": _l("Which way"),
    "wanted": _l("Wanted"), "address": _l("Address"), "openid": _l("WeChat's number for you"),
    "remaining": _l("How many"),
    "lifted_at": _l("Ended early on"), "ground": _l("Reason"), "from_day": _l("First day"),
    "until_day": _l("Last day"), "granted_at": _l("Entered on"), "what": _l("What"), "at": _l("Told on"),
    "made_at": _l("Written on"), "answer": _l("Answer"), "reply": _l("What staff replied"),
    "answered_at": _l("Answered on"),
    "rating": _l("Rating, from 1 to 5"), "words": _l("In your words"),
}

# Values in which columns have a word of their own; others stand as they are.
VALUES: dict[object, Any] = {
    "browser": _l("Website"), "token": _l("App"), "reset": _l("New password"), "sign_in": _l("Signing in"),
    "female": _l("Female"), "male": _l("Male"), "self": _l("Myself"), "child": _l("My child"),
    "parent": _l("My parent"), "spouse": _l("My spouse"), "grandchild": _l("My grandchild"),
    "grandparent": _l("My grandparent"), "other": _l("Someone else I look after"), "confirmed": _l("Booked"),
    "waitlisted": _l("On the waiting list"), "offered": _l("A place is offered"), "cancelled": _l("Cancelled"),
    "expired": _l("Lapsed"), "attended": _l("Attended"), "no_show": _l("Did not come"), "present": _l("Here"),
    "absent": _l("Not here"), "excused": _l("Excused"), "walk_in": _l("Came without a booking"),
    "void": _l("Correction"), "leave": _l("Has left"), "left": _l("Left the family"), "came_of_age": _l("Came of age"),
    "withdrawn": _l("Agreement taken back"), "merged": _l("Records put together"),
    "registration": _l("Keeping name, birth date, sex, phone and bookings"),
    "guardian": _l("Keeping data of a child"), "disability": _l("Keeping a disability and its grade"),
    "health": _l("Keeping visits about health"), "illness": _l("Illness"),
    "warned": _l("Told, without consequences"), "paused": _l("Booking only on the day itself for a while"),
    "accepted": _l("Accepted"), "refused": _l("Not accepted"),
    "manager": _l("Manager"), "administrator": _l("Administrator"),
    "reviewer": _l("Reviewer"), "guard": _l("Guard"), True: _l("Yes"), False: _l("No"),
}

# Numbers of ours, codes and what another page shows better: in the file, and not on the page.
NOT_ON_THE_PAGE = {"notices": {"kind", "about_kind", "facts"}}

VERBS: dict[str, Any] = {
    "found": _l("Looked you up, to help you at the desk"),
    "looked_at": _l("Opened your record"),
    "exported": _l("Took your data into a file"),
    "named": _l("Ticked you as there, without you having booked"),
}
GROUNDS: dict[str, Any] = {
    "counter": _l("at the counter"), "telephone": _l("on the telephone"), "home_visit": _l("on a visit at home"),
}


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of what is held: what it is called, why, how long, and its rows as (label, value)."""

    name: str
    title: str
    why: str
    how_long: str
    rows: list[list[tuple[str, str]]]


def why_of(table: str) -> str:
    why = INVENTORY[table].why
    return str(WHY[why]) if why else ""


def how_long(table: str) -> str:
    kept = INVENTORY[table].kept
    if kept is None:
        return ""
    period = PERIODS.get(kept)
    return str(HOW_LONG[kept]) % {"days": period.days} if period else str(HOW_LONG[kept])


def overview() -> list[Section]:
    """Every kind of data that can be held about somebody."""
    return [Section(name, str(title), why_of(name), how_long(name), []) for name, title in TITLES.items()]


def sections(held: Held) -> list[Section]:
    """What there is, table by table; those without rows are left out."""
    people = {row["id"]: row["name"] for row in held.tables["residents"]}
    return [Section(name, str(TITLES[name]), why_of(name), how_long(name),
                    [_told(held, name, row, people) for row in rows])
            for name, rows in held.tables.items() if rows]


def _told(held: Held, table: str, row: dict[str, Any], people: dict[int, str]) -> list[tuple[str, str]]:
    about = {"person": people.get(row.get("resident_id", 0)),
             "session": _name(held.names.sessions.get(row.get("session_id", 0))),
             "facility": _name(held.names.facilities.get(row.get("facility_id", 0))),
             "space": _name(held.names.spaces.get(row.get("space_id", 0)))}
    hidden = NOT_ON_THE_PAGE.get(table, set())
    return [(str(LABELS[name]), _said(value)) for name, value in {**about, **row}.items()
            if name in LABELS and value is not None and name not in hidden]


def _name(names: tuple[str, str | None] | None) -> str | None:
    return None if names is None else (None if is_chinese() else names[1]) or names[0]


def _said(value: object) -> str:
    if isinstance(value, datetime):
        return date_time(value)
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, date):
        return date_only(value)
    if isinstance(value, str | bool) and value in VALUES:
        return str(VALUES[value])
    return str(value)


def what_for(look: Look) -> str:
    """In a few words, from the audit's verb and ground."""
    if look.entry.verb == LOOKED_AT_ROSTER:
        if look.session is None:
            return _("Looked at a list of those who come")
        return _("Looked at the list of those who come to %(session)s", session=in_language(look.session, "title"))
    said, ground = str(VERBS[look.entry.verb]), GROUNDS.get(str(look.entry.facts.get("ground")))
    return _("%(said)s, %(ground)s", said=said, ground=ground) if ground else said
