"""What every page may use: filters, names in the reader's language, the words for states and kinds."""

from typing import Any
from urllib.parse import urlencode

from flask import Flask, request, session
from flask_babel import get_locale
from flask_babel import lazy_gettext as _l

from facilities.kernel import clock
from facilities.kernel.text import mask_name, mask_phone
from facilities.web import formats
from facilities.web.forms import described_by
from facilities.web.guards import actor_or_none
from facilities.web.language import LANGUAGE_TAGS, LANGUAGES, in_language

# The four services that the district named: kind of facility, style, icon, words.
DOORS = (
    ("yuhao_space", "classes", "people-fill", _l("Classes and activities"),
     _l("Yuhao Spaces: for women, children, families")),
    ("yuxin_home", "rehab", "heart-pulse-fill", _l("Rehabilitation and company"),
     _l("Yuxin Homes: for residents with disabilities")),
    ("doctor_station", "doctor", "hospital-fill", _l("Family doctor"), _l("Doctors' stations near your home")),
    ("parking_lot", "parking", "p-square-fill", _l("Off-peak parking"), _l("Stalls that offices share after work")),
)

WORDS: dict[str, dict[Any, Any]] = {
    "facility_kind": {
        "yuhao_space": _l("Yuhao Space"), "yuxin_home": _l("Yuxin Home"), "doctor_station": _l("Family-doctor station"),
        "parking_lot": _l("Off-peak parking"), "childcare": _l("Childcare"), "school": _l("School"),
        "park": _l("Park"), "training_centre": _l("Training centre"), "other": _l("Other place"),
    },
    "space_kind": {
        "room": _l("Room"), "hall": _l("Hall"), "zone": _l("Zone"), "consulting_room": _l("Consulting room"),
        "court": _l("Court"), "stall": _l("Parking stall"), "other": _l("Other space"),
    },
    "access": {
        "step_free": _l("Step-free entrance"), "accessible_toilet": _l("Accessible toilet"), "lift": _l("Lift"),
        "tactile_paving": _l("Tactile paving"), "hearing_loop": _l("Hearing loop"),
        "wheelchair_loan": _l("Wheelchairs to borrow"), "nursing_room": _l("Nursing room"),
        "accessible_parking": _l("Accessible parking"),
    },
    "booking_state": {
        "confirmed": _l("Booked"), "waitlisted": _l("On the waiting list"), "offered": _l("A place is offered"),
        "cancelled": _l("Cancelled"), "expired": _l("Lapsed"), "attended": _l("Attended"),
        "no_show": _l("Did not come"),
    },
    "attendance": {"present": _l("Here"), "absent": _l("Not here"), "excused": _l("Excused"), "late": _l("Came late"),
                   "left": _l("Has left"), "open": _l("Not ticked")},
    "category": {"women": _l("Women"), "children": _l("Children"), "men": _l("Men"), "unknown": _l("Not known"),
                 "elders": _l("of whom elders"), "disabled": _l("of whom residents with disabilities")},
    "event": {"present": _l("here"), "absent": _l("not here"), "excused": _l("excused"), "walk_in": _l("walk-in"),
              "leave": _l("has left"), "head_count": _l("head count"), "void": _l("taken back")},
    "void_reason": {"mistake": _l("Entered by mistake"), "wrong_person": _l("It was somebody else"),
                    "counted_twice": _l("Counted twice"), "was_not_there": _l("Was not there after all"),
                    "wrong_time": _l("The time is wrong")},
    "no_show": {  # whether one counts
        "counts": _l("Counts"), "off": _l("Does not count"),
        "forgiven": _l("Does not count: what you told us was accepted"),
        "exempt": _l("Does not count: you are exempt on that day"),
        "open": _l("Noted; staff can still correct it"), "long_ago": _l("No longer counts: it is long ago"),
    },
    "exemption_ground": {"illness": _l("Illness"), "disability": _l("Disability"), "other": _l("Another reason")},
    "rating": {5: _l("Very good"), 4: _l("Good"), 3: _l("All right"), 2: _l("Not so good"), 1: _l("Not good")},
    "provider_type": {"own": _l("The place itself"), "third_party": _l("A third party"),
                      "company": _l("A company"), "public_benefit": _l("For the public good")},
    "volunteer": {"yes": _l("With volunteers"), "no": _l("Without volunteers")},
    "sex": {"female": _l("Female"), "male": _l("Male")},
    "relation": {
        "self": _l("Myself"), "child": _l("My child"), "parent": _l("My parent"), "spouse": _l("My spouse"),
        "grandchild": _l("My grandchild"), "grandparent": _l("My grandparent"),
        "other": _l("Someone else I look after"),
    },
    "acts_as": {  # what an account is to the resident for whom it acts, by what the resident is to it
        "self": _l("The person themself"), "child": _l("Mother or father"), "parent": _l("Daughter or son"),
        "spouse": _l("Wife or husband"), "grandchild": _l("Grandparent"), "grandparent": _l("Grandchild"),
        "other": _l("Looks after this person"),
    },
    "disability_category": {
        1: _l("Sight"), 2: _l("Hearing"), 3: _l("Speech"), 4: _l("Body"), 5: _l("Intellect"), 6: _l("Mind"),
        7: _l("Several"),
    },
    "channel": {"sms": _l("Text message"), "email": _l("E-mail"), "wechat": _l("WeChat"),
                "platform": _l("The city's app")},
    "job": {
        "sessions_settled": _l("Offers that run out, and places for those who wait"), "draws_held": _l("Draws"),
        "grants_lapsed": _l("Staff rights that nobody uses"), "children_come_of_age": _l("Children who come of age"),
        "rolls_closed": _l("Who did not come, a day after the end"),
        "feedback_asked": _l("Asking how it was"),
        "no_shows_followed": _l("Missed sessions: warnings and pauses"),
        "merged_records_followed": _l("Late bookings of merged records"), "reminders": _l("Reminders"),
        "messages_planned": _l("Messages: which way they go"), "messages_sms": _l("Text messages"),
        "messages_email": _l("Letters by e-mail"), "messages_wechat": _l("Messages on WeChat"),
        "messages_platform": _l("Messages to the city's platform"),
        "keys_forgotten": _l("Keys of requests that are forgotten"),
        "registrations_forgotten": _l("Registrations that nobody confirmed"),
        "addresses_forgotten": _l("Addresses that nobody confirmed"),
        "data_forgotten": _l("Data that has been kept long enough"), "runs_forgotten": _l("Old entries of this page"),
        "figures_followed": _l("Figures brought up to date"),
        "sheets_gathered": _l("Figures of months and years gathered"),
        "figures_checked": _l("Figures counted again"),
        "reports_corrected": _l("Closed reports compared with the figures of today"),
        "open_data_published": _l("Open data of months that are over"),
    },
    "health": {"fine": _l("On time"), "running": _l("At work"), "late": _l("Late"), "failed": _l("Failed")},
    "failure": {  # of a message on its way out
        "unreachable": _l("the provider cannot be reached"), "unavailable": _l("the provider was busy or had a fault"),
        "refused": _l("the provider refused it"), "reported": _l("the provider reported that it did not arrive"),
        "no_receipt": _l("the provider never said what became of it"), "folder": _l("the folder cannot be written"),
        "fault": _l("a fault of our own; the log says more"),
        "no_template": _l("the text is not registered there"),
    },
    "topic": {
        "bookings": _l("What you booked"), "changes": _l("What changes: a place comes free, a class moves or is off"),
        "reminders": _l("Reminders: the day before, and an hour before"), "feedback": _l("How it was, afterwards"),
        "household": _l("Who books for whom"), "security": _l("The safety of your account"),
    },
    "project_source": {"municipal": _l("Set by the city"), "voted": _l("Voted by the district People's Congress")},
    "project_kind": {"cumulative": _l("So many in the year"), "rate": _l("A rate that is to be reached"),
                     "milestone": _l("Steps: begun is not finished"), "in_words": _l("In words, without a number")},
    "light": {"green": _l("On schedule"), "yellow": _l("Behind"), "red": _l("Far behind"),
              "blue": _l("Finished and accepted")},
    "figure_source": {"statistics": _l("Counted from what our places recorded"),
                      "report": _l("Reported by the unit in charge, and reviewed"), "published": _l("As published")},
    "set_by": {"municipal": _l("The city"), "district": _l("The district")},
    "qualifier": {"more_than": _l("More than that"), "at_least": _l("At least that"), "about": _l("About that")},
    "report_state": {"draft": _l("Draft"), "submitted": _l("Waits for its review"), "locked": _l("Locked")},
    "measure": {
        "sessions_held": _l("Sessions held, all places"), "person_times": _l("Person-times, all places"),
        "yuhao_sessions_held": _l("Sessions held, Yuhao Spaces"),
        "yuhao_women": _l("Person-times of women, Yuhao Spaces"),
        "yuhao_children": _l("Person-times of children, Yuhao Spaces"),
        "yuhao_spaces_open": _l("Yuhao Spaces there are"), "yuxin_homes_open": _l("Yuxin Homes there are"),
        "doctor_stations_open": _l("Family-doctor stations there are"), "stalls_shared": _l("Stalls shared"),
    },
    "role": {"manager": _l("Manager"), "guard": _l("Guard at the gate"), "reviewer": _l("Reviewer of applications"),
             "administrator": _l("Administrator")},
    "none": {"space": _l("No particular space")},
    "weekday": {0: _l("Monday"), 1: _l("Tuesday"), 2: _l("Wednesday"), 3: _l("Thursday"), 4: _l("Friday"),
                5: _l("Saturday"), 6: _l("Sunday")},
}


def word(group: str, value: object) -> str:
    """What has no word, such as a job of another version, stands as it is."""
    return str(WORDS[group].get(value, value))


def this_address() -> str:
    """The address of the page, to come back to after a switch."""
    return request.full_path.rstrip("?") if request.method == "GET" else "/"


def address_with(**changes: object) -> str:
    """This page with some of its filters changed; None takes one away."""
    args = {**request.args.to_dict(), **changes}
    query = urlencode({name: value for name, value in args.items() if value not in (None, "")})
    return f"{request.path}?{query}" if query else request.path


def register_parts(app: Flask) -> None:
    app.jinja_env.filters.update(formats.FILTERS)
    app.jinja_env.filters.update(mask_phone=mask_phone, mask_name=mask_name)
    app.jinja_env.globals.update(
        word=word, words=WORDS, described_by=described_by, in_language=in_language, span=formats.span,
        ages=formats.ages, age_text=formats.age_text, address_with=address_with, now=clock.now, today=clock.today,
        DOORS=DOORS, DOOR_STYLES={kind: (style, icon) for kind, style, icon, *_ in DOORS})

    @app.context_processor
    def about_the_reader() -> dict[str, Any]:
        locale = get_locale()
        return {"actor": actor_or_none(), "languages": LANGUAGES, "elder": bool(session.get("elder")),
                "language": locale.language if locale else "zh", "this_address": this_address(),
                "language_tag": LANGUAGE_TAGS[locale.language if locale else "zh"]}
