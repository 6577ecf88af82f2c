"""What a code says to a person: one table, for pages and for the API, in both languages."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from facilities.kernel.refusals import Refusal
from facilities.web.formats import date_time, day, month_label

_PLAIN: dict[str, Any] = {
    "already_entered": _l("This person is in the draw already."),
    "already_booked": _l("There is already a booking for this session. You find it under 'My bookings'."),
    "bad_credentials": _l("Login or password is not right. Please check both and try again."),
    "capacity_below_bookings": _l(
        "More places are booked than that. Choose a larger number, or cancel bookings first."),
    "counts_do_not_add_up": _l("Elders and residents with disabilities are part of those counted and cannot be more."),
    "bad_check_in_code": _l("This is not one of our codes. Ask for the short code, or for the name."),
    "code_of_another_session": _l(
        "This code is for another class, or was cancelled. Look for the name, or count a walk-in."),
    "check_in_not_open": _l("You can check in from one hour before the start."),
    "check_in_over": _l("This class is over. If you were there, tell the desk."),
    "no_place": _l("This booking holds no place. Please ask at the desk."),
    "cannot_void": _l("This entry cannot be taken back: it belongs to another session or is itself a correction."),
    "ends_before_it_starts": _l("The end must be after the start."),
    "ages_out_of_order": _l("The highest age must not be below the lowest."),
    "closed": _l("The place is closed at that time. Choose another time."),
    "draw_pending": _l("Places in this session are drawn. Enter the draw, or wait until it has been held."),
    "entries_closed": _l("The time for entering the draw is over."),
    "entries_open": _l("The draw can be held only after the time for entering is over."),
    "in_another_draw": _l("One of the sessions is in another draw already. Leave it out."),
    "places_given_already": _l("In one of the sessions somebody has a place already. Leave it out: its places are "
                               "booked, not drawn."),
    "has_bookings": _l("People have booked. Cancel the session with a reason instead of deleting it."),
    "idempotency_key_reused": _l("This key has been used for another request. Send the new request with a new key."),
    "idempotency_in_progress": _l("The same request is being worked on. Please try again in a moment."),
    "lengths_out_of_order": _l("The longest time must not be shorter than the shortest."),
    "more_inside": _l("Something was booked there meanwhile. Look at the list again, then close the place."),
    "no_offer": _l("There is no offer to answer. You find how things stand under 'My bookings'."),
    "no_show_does_not_count": _l("This does not count against anybody, so there is nothing to object to."),
    "already_appealed": _l("You have told us already. You hear from us as soon as somebody has looked at it."),
    "not_attended": _l("Only who was there can say how it was. If you were, ask the place to enter it."),
    "feedback_closed": _l("The time for changing this answer is over. Tell the place directly, or call 12345."),
    "not_reservable": _l("This space cannot be reserved here. Please call the facility."),
    "period_closed": _l("This period is closed already. What was published stays; what differs is noted below it."),
    "period_not_over": _l("This period is not over yet. Close it from the day after its last."),
    "closed_meanwhile": _l("Another period was closed at the same moment. Look at the list, then try again."),
    "figures_changing": _l("Attendance of this period is being entered right now. Please try again in a moment."),
    "off_grid": _l("Choose a start and an end from the times that are shown."),
    "offer_expired": _l("The time to accept this place is over, and it has gone to the next."),
    "outside_opening_hours": _l("The place is not open at that time. Choose a time within the opening hours."),
    "has_grants": _l("This account has rights as staff. Ask an administrator to take them away first."),
    "has_places_ahead": _l("This person still has a place, a room or a draw ticket ahead. Give that back first."),
    "in_use": _l("Other entries refer to this, so it cannot be deleted."),
    "id_number_in_use": _l("This identity number belongs to somebody who is registered already. Ask at the counter."),
    "certificate_in_use": _l("This certificate belongs to somebody who is registered already. Ask at the counter."),
    "last_administrator": _l(
        "Nobody would be left to administer the district. Make somebody else an administrator first, without an end."),
    "otp_required": _l("Enter the code from the app on your phone as well."),
    "second_factor_needed": _l("Staff here need a second factor. Sign in on the website and set it up first."),
    "second_factor_not_begun": _l("Start again: scan the picture first, then enter the code."),
    "second_factor_on": _l("The second factor is set up already."),
    "second_factor_required": _l("Staff here need a second factor, so it cannot be removed. If you have a new phone, "
                                 "ask an administrator."),
    "code_not_right": _l("The code is not right, or its time is over. Please check it, or ask for a new one."),
    "answered_already": _l("This has been answered, or cannot be answered any more. Below you see how it stands."),
    "wechat_not_linked": _l("Connect WeChat first: open the mini-program while you are signed in."),
    "wechat_unavailable": _l("WeChat cannot be reached at the moment. Please try again later."),
    "login_taken": _l("This login is already in use. Choose another one."),
    "already_merged": _l("One of the two records has been merged already. Look at the list of past merges."),
    "merge_identities_differ": _l(
        "The two records have different identity numbers: they are two people, or one number is wrong."),
    "same_record": _l("This is one and the same record. Choose two."),
    "nothing_to_undo": _l("This merge has been undone already."),
    "changed_since": _l(
        "Something was booked, changed or merged since that undoing would destroy. It cannot be undone any more."),
    "name_taken": _l("There is already one with this name. Choose another name."),
    "not_found": _l("This does not exist, or not for you."),
    "not_in_attendance_window": _l(
        "Attendance is entered from one hour before the start until a day after the end, within 30 days. "
        "Later entries are made by an administrator."),
    "overlaps_own_booking": _l(
        "There is another booking at the same time. Cancel that one first, or choose another time."),
    "phone_taken": _l("There is already an account with this phone number. Sign in instead."),
    "removed": _l("This date was taken out by hand."),
    "reservation_begun": _l("The reservation has begun and can no longer be moved. Please call the facility."),
    "reservation_cancelled": _l("This reservation has been cancelled. Please make a new one."),
    "report_exists": _l("This month has a report already. Open that one."),
    "report_locked": _l("This month's report is locked. What has changed since goes into the next month's."),
    "report_not_submitted": _l("This report does not wait for a review. Below you see how it stands."),
    "report_under_review": _l("This month's report waits for its review. It can be changed once it is returned."),
    "review_by_another": _l("Whoever entered a report does not review it. Ask another administrator."),
    "subproject_unnamed": _l("Enter the subproject's name first. Then it can be reported on."),
    "residents_elsewhere": _l("Some of those booked have another booking at the new time. Choose another time."),
    "rest_day": _l("This is a rest day, and the series pauses."),
    "session_cancelled": _l("This session has been cancelled. Please choose another one."),
    "waitlist_full": _l("The waiting list is full. Please choose another session."),
    "session_full": _l("All places are taken. Please choose another session."),
    "session_held": _l("This session has taken place and can no longer be changed like that."),
    "space_taken": _l("The space is already taken at that time. Choose another time or space."),
    "too_many_attempts": _l("Too many attempts. Please wait a while and try again."),
    "self_exists": _l("The account already has a person who is its owner. Choose another relation."),
    "cannot_remove_self": _l("You are the owner of this account and cannot leave it."),
    "already_in_household": _l("You act for this person already. You find them under 'Me'."),
    "erase_instead": _l("Without this consent there can be no account. If you wish, delete your account instead."),
    "invitation_unknown": _l("This code does not work. It may be mistyped, used, withdrawn or older than seven days. "
                             "Ask for a new one."),
    "too_many_invitations": _l("There are several open invitations for this person already. Withdraw one first."),
    "too_many_members": _l(
        "Your household has as many people as one account can act for. Ask at the counter for help."),
}


def _not_eligible(facts: Mapping[str, Any]) -> str:
    rule = facts.get("rule")
    if rule == "min_age":
        return ngettext("This session is for people from %(num)d year of age.",
                        "This session is for people from %(num)d years of age.", facts["min_age"])
    if rule == "max_age":
        return ngettext("This session is for people up to %(num)d year of age.",
                        "This session is for people up to %(num)d years of age.", facts["max_age"])
    if rule == "sex":
        return _("This session is for women and girls.") if facts["sex"] == "female" else _(
            "This session is for men and boys.")
    if rule == "disability":
        return _("This session is for residents with disabilities.")
    if rule == "communities":
        return _("This session is for residents of certain communities.")
    return _("This session has an age limit and we do not know the birth date. Ask at the counter to add it.")


def _instant(facts: Mapping[str, Any], name: str) -> str:
    return date_time(datetime.fromisoformat(facts[name]))


def _limit_reached(facts: Mapping[str, Any]) -> str:
    number = facts.get("limit", 0)
    if facts.get("rule") == "carers":
        return ngettext("Copies go to at most %(num)d phone. Remove one first.",
                        "Copies go to at most %(num)d phones. Remove one first.", number)
    if facts.get("rule") == "per_household_per_session":
        return ngettext("A household can have %(num)d place in this session.",
                        "A household can have %(num)d places in this session.", number)
    if facts.get("rule") == "per_resident":
        return ngettext("Somebody can have %(num)d reservation of this space ahead. Use or cancel that one first.",
                        "Somebody can have %(num)d reservations of this space ahead. Use or cancel one first.", number)
    return ngettext("Somebody can have %(num)d place in this programme in a week. Choose another week.",
                    "Somebody can have %(num)d places in this programme in a week. Choose another week.", number)


def _session_full(facts: Mapping[str, Any]) -> str:
    if "capacity" in facts:
        return ngettext("The session has %(num)d place in all: too few for all of you together.",
                        "The session has %(num)d places in all: too few for all of you together.", facts["capacity"])
    return str(_PLAIN["session_full"])


_WITH_FACTS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "session_full": _session_full,
    "not_eligible": _not_eligible,
    "limit_reached": _limit_reached,
    "too_short": lambda f: ngettext("It is reserved for at least %(num)d minute.",
                                    "It is reserved for at least %(num)d minutes.", f["min_minutes"]),
    "too_long": lambda f: ngettext("It is reserved for at most %(num)d minute.",
                                   "It is reserved for at most %(num)d minutes.", f["max_minutes"]),
    "too_far_ahead": lambda f: ngettext("It can be reserved up to %(num)d day ahead.",
                                        "It can be reserved up to %(num)d days ahead.", f["days_ahead"]),
    "too_late": lambda f: ngettext("It must be reserved at least %(num)d minute ahead.",
                                   "It must be reserved at least %(num)d minutes ahead.",
                                   f["notice_minutes"]) if f.get("notice_minutes") else _(
        "That time is already past. Choose a later one."),
    "paused_after_no_shows": lambda f: _(
        "After missed sessions this person can book here only on the day itself, until %(day)s. Under 'My bookings' "
        "you find why, and how to tell us if it is not right.", day=day(datetime.fromisoformat(f["until"]))),
    "not_published_yet": lambda f: _(
        "The figures of %(month)s are not published yet. A month's figures come in the first days of the next month.",
        month=month_label(f["month"])),
    "booking_not_open": lambda f: _("Booking opens on %(when)s.", when=_instant(f, "booking_opens_at")),
    "booking_closed": lambda f: _("Booking closed on %(when)s.", when=_instant(f, "booking_closes_at")),
    "cancellation_closed": lambda f: _(
        "Cancelling was possible until %(when)s. Please call the facility.",
        when=_instant(f, "cancellation_closes_at")),
}

KNOWN_CODES = frozenset(_PLAIN) | frozenset(_WITH_FACTS)

INPUT_MESSAGES: dict[str, Any] = {
    "one_end": _l("Give one of the two: a last day, or how many times."),
    "pause_after_warning": _l("A pause must come after a warning: choose a larger number."),
    "opens_after_it_closes": _l("Booking must open before it closes."),
    "password_too_short": _l("Use at least 8 characters."),
    "password_too_short_staff": _l("Staff passwords have at least 12 characters."),
    "password_too_long": _l("Use at most 128 characters."),
    "password_too_common": _l("This password is one of the first that others would try. Choose another one."),
    "id_number_check": _l(
        "This is not an identity number. Compare it with the card: 18 characters, the last may be X."),
    "id_number_birth_date": _l("The birth date and the identity number do not agree. Compare both with the card."),
    "id_number_sex": _l("The sex and the identity number do not agree. Compare both with the card."),
    "certificate_check": _l("This is not the number of a disability certificate. Compare it with the certificate: "
                            "the identity number and two digits, perhaps with B and a digit after them."),
    "certificate_id_number": _l("The certificate and the identity number belong to two different people."),
    "certificate_disability": _l("The kind and degree of disability are not those of the certificate."),
    "nobody_found": _l("Nobody is registered with this number."),
    "several_found": _l("Several people have this number. Enter the identity number, or the number of the record."),
    "same_record": _l("This is one and the same record. Choose two."),
    "login_too_long": _l("Use at most 64 characters."),
    "day_too_far": _l("This day is too far away. Check the year."),
    "another_day": _l("The date differs from the one in the address."),
    "not_an_email": _l("Enter an e-mail address, as in name@example.org."),
    "own_number": _l("This is your own number: it gets your messages already."),
    "not_a_wechat_code": _l("WeChat does not know this code. Open the mini-program again."),
    "day_to_come": _l("Choose a day that has begun."),
    "out_of_range": _l("This is more or less than is possible."),
    "bad_phone": _l("Enter a mobile number: 11 digits, beginning with 1."),
    "birth_date_in_future": _l("The birth date lies in the future."),
    "reason_needed": _l("Say why: the reason is kept on record."),
    "too_many_in_a_week": _l("Who is drawn has a place in each session: more in one week than the programme allows."),
    "bad_rule": _l("This repetition cannot be read. Choose how often and on which days."),
    "no_period_begins": _l("No such period begins on this day. Months, quarters and years begin on the first."),
    "no_occurrence": _l("The repetition has no day in it. Check the days and the end."),
    "too_many_occurrences": _l("A series has at most 366 sessions. Choose an earlier end."),
    "birth_date_too_long_ago": _l("The birth date lies too long ago. Check the year."),
    "ends_before_it_starts": _l("The end must be after the start."),
    "ages_out_of_order": _l("The highest age must not be below the lowest."),
    "starts_in_the_past": _l("The start is already past. Choose a later one, or close at once."),
    "when_it_starts": _l("Say from when: a day and a time, or at once."),
    "too_long_a_session": _l("A session lasts at most 24 hours."),
    "sessions_of_one_facility": _l("A draw is about the sessions of one facility."),
    "sessions_in_future": _l("One of the sessions has begun already."),
    "sessions_one_after_the_other": _l("Two of the sessions are at the same time: nobody could come to both."),
    "entries_close_in_past": _l("Entries must close in the future."),
    "entries_close_too_late": _l("Entries must close before booking for the first session does."),
    "bad_plan": _l("Enter twelve whole numbers, none below the one before, the last 100; or nothing."),
    "evidence_needed": _l("Say what shows it: a list, an inspection, a contract."),
    "month_to_come": _l("This month has not begun."),
    "name_needed": _l("Enter the name first."),
    "red_after_yellow": _l("Red must come after yellow: choose a larger number, up to 100."),
    "unknown_figure": _l("This figure is of another year, or belongs to another subproject already."),
    "unknown_measure": _l("There is no such measure."),
    "value_needed": _l("Enter the number: the year's total at the end of the month."),
    "unknown_programme": _l("There is no such programme."),
    "unknown_space": _l("This space does not belong to the facility."),
    "unknown_sub_district": _l("There is no such sub-district."),
    "unknown_community": _l("There is no such community in the sub-district."),
    "unknown_date": _l("The series has no session at that time."),
    "unknown_dimension": _l(
        "Figures are divided by: month, quarter, year, facility, facility_kind, programme, sub_district, community, "
        "provider_type, volunteer, category, sex, age_band, disability_category, disability_grade."),
    "unknown_facility": _l("There is no such facility."),
    "unknown_parent": _l("The parent space does not belong to the facility."),
    "wrong_password": _l("The present password is not right."),
    "guardian_consent_needed": _l("For a child under 14 we need the consent of whoever looks after it."),
    "guardian_corrects_it": _l("This date decides who acts for you. Ask them, or ask at the counter."),
    "disability_consent_needed": _l("Tick the box to agree, or leave the kind of disability empty."),
    "disability_whole": _l("Give both the kind and the grade, or neither."),
    "of_age": _l("Whoever is 18 decides for themselves: they register with their own phone and can invite you. "
                 "For somebody who cannot, choose 'Someone else I look after'."),
    "self_from_14": _l("This is possible from the age of 14. Until then somebody looks after the child's bookings."),
    "consent_needed": _l("We may keep your data only with your consent."),
    "not_inside": _l("This does not fall into the closure, or there is no such space."),
    "not_first_of_a_month": _l("Public figures are of whole months: begin on the first day of one."),
    "not_last_of_a_month": _l("Public figures are of whole months: end on the last day of one."),
    "month_not_over": _l("Public figures are of months that are over."),
    "period_backwards": _l("The last day lies before the first."),
    "lengths_out_of_order": _l("The longest time must not be shorter than the shortest."),
    "too_many_days": _l("Ask for at most 62 days at once."),
    "bad_cursor": _l("This cursor is not one that was given out."),
    "hours_overlap": _l("Opening hours must be in order and must not overlap."),
    "grant_needs_facility": _l("Managers and guards are for one facility; reviewers and administrators are not."),
    "sub_district_for_reviewers": _l("Only reviewers can be for a sub-district."),
    "granted_twice": _l("The same role for the same place stands there twice, with different dates."),
    "wrong_code": _l("The code is not right. Wait for the next one in the app, and enter that."),
}


def words_for(refusal: Refusal) -> str:
    """One or two sentences that say what happened and what to do now, in the reader's language."""
    if refusal.code in _WITH_FACTS and refusal.facts:
        return _WITH_FACTS[refusal.code](refusal.facts)
    return str(_PLAIN.get(refusal.code, _l("This is not possible at the moment.")))


def words_for_input(key: str) -> str:
    return str(INPUT_MESSAGES[key])
