"""What is kept about people: every column of every table, so that nobody keeps something and forgets it.

A column is about nobody, or it is personal: of a kind, somebody's, kept for a purpose and for a time, with a fate when
an account is erased, and part of what its owner can download or not. PIPL art. 6 and 19 (no more and no longer than
needed), 17 (say so), 45 (copy), 47 (erase). Tests hold this table against the schema, the download and the erasure.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    LINK = "link"  # a number of ours that stands for somebody or for what somebody did
    NAME = "name"
    CONTACT = "contact"
    DETAILS = "details"  # birth date, sex, community
    FAMILY = "family"  # who acts for whom
    IDENTITY = "identity"
    HEALTH = "health"  # sensitive: PIPL art. 28
    BEHAVIOUR = "behaviour"  # what somebody booked, did, agreed to
    WORDS = "words"  # free text, which may say anything
    SECURITY = "security"


class Whose(StrEnum):
    RESIDENT = "resident"
    USER = "user"
    STAFF = "staff"  # what a member of staff did at work


class Erased(StrEnum):
    """What becomes of it when the account is erased."""

    REMOVED = "removed"  # the row is deleted, or the column emptied
    REPLACED = "replaced"  # by something that says nothing of anybody
    COUNTED = "counted"  # kept, because figures count it: without a name it stands for nobody
    KEPT = "kept"  # kept for those whom it concerns as well, or because it can never be changed


class Why(StrEnum):
    ACCOUNT = "account"
    SERVE = "serve"
    FAMILY = "family"
    CONSENT = "consent"
    IDENTITY = "identity"
    BOOK = "book"
    FIGURES = "figures"
    TELL = "tell"
    SAFETY = "safety"
    RECORD = "record"
    IMPROVE = "improve"


class Kept(StrEnum):
    """For how long; `retention` has the periods and carries them out."""

    ACCOUNT = "account"  # until the account is erased
    PERSON = "person"  # until erased; without an account and without a visit, for some years
    COUNTED = "counted"  # what figures count stays for good, without a name from the erasure on
    SIGN_INS = "sign_ins"
    FAILURES = "failures"
    CODES = "codes"
    INVITATIONS = "invitations"
    NOTICES = "notices"
    REMINDERS = "reminders"
    DEVICES = "devices"
    KEYS = "keys"
    FEEDBACK = "feedback"
    NO_SHOWS = "no_shows"
    EXEMPTIONS = "exemptions"
    WORK = "work"  # as long as what it is about
    CHAIN = "chain"  # for good: no entry can be taken out of the chain. Three years at least (PIPL art. 56)


@dataclass(frozen=True, slots=True)
class Column:
    kind: Kind
    whose: Whose
    erased: Erased
    exported: bool


@dataclass(frozen=True, slots=True)
class Table:
    """`columns`: the personal ones; `impersonal`: the others, which are about nobody."""

    why: Why | None
    kept: Kept | None
    columns: dict[str, Column]
    impersonal: frozenset[str]

    @property
    def exported(self) -> list[str]:
        return [name for name, column in self.columns.items() if column.exported]


def _about(why: Why, kept: Kept, lines: str, impersonal: str = "") -> Table:
    """One line for each column: name, kind, whose, what erasure does with it, and 'yes' where it can be downloaded."""
    columns: dict[str, Column] = {}
    for line in lines.strip().splitlines():
        name, kind, whose, erased, exported = line.split()
        columns[name] = Column(Kind(kind), Whose(whose), Erased(erased), exported == "yes")
    return Table(why, kept, columns, frozenset(impersonal.split()))


def _about_nobody(names: str) -> Table:
    return Table(None, None, {}, frozenset(names.split()))


_AUDIENCE = " min_age max_age sex disability communities"

INVENTORY: dict[str, Table] = {
    # -- who signs in
    "users": _about(Why.ACCOUNT, Kept.ACCOUNT, """
        id              link       user      kept      yes
        login           contact    user      replaced  yes
        display_name    name       user      replaced  yes
        password_hash   security   user      replaced  no
        disabled        security   user      replaced  yes
        created_at      behaviour  user      kept      yes
        erased_at       behaviour  user      replaced  no
        """),
    "grants": _about(Why.ACCOUNT, Kept.WORK, """
        user_id         link       user      kept      no
        role            behaviour  user      kept      yes
        starts_at       behaviour  user      kept      yes
        ends_at         behaviour  user      kept      yes
        last_used_at    behaviour  user      kept      yes
        granted_by      link       staff     kept      no
        """, "id facility_id sub_district_code"),
    "sign_ins": _about(Why.SAFETY, Kept.SIGN_INS, """
        user_id         link       user      removed   no
        kind            behaviour  user      removed   yes
        secret_hash     security   user      removed   no
        created_at      behaviour  user      removed   yes
        last_seen_at    behaviour  user      removed   yes
        ends_at         behaviour  user      removed   yes
        revoked_at      behaviour  user      removed   yes
        device          behaviour  user      removed   yes
        """, "id"),
    "known_devices": _about(Why.SAFETY, Kept.DEVICES, """
        user_id         link       user      removed   no
        token_hash      security   user      removed   no
        seen_at         behaviour  user      removed   yes
        """, "id"),
    "second_factors": _about(Why.SAFETY, Kept.ACCOUNT, """
        user_id         link       user      removed   no
        secret          security   user      removed   no
        confirmed_at    behaviour  user      removed   yes
        last_step       security   user      removed   no
        """),
    "one_time_codes": _about(Why.SAFETY, Kept.CODES, """
        user_id         link       user      removed   no
        purpose         behaviour  user      removed   yes
        code_hash       security   user      removed   no
        attempts        security   user      removed   no
        created_at      behaviour  user      removed   yes
        ends_at         behaviour  user      removed   yes
        """),
    "pending_registrations": _about(Why.ACCOUNT, Kept.CODES, """
        phone_hash      contact    user      removed   no
        sealed          name       user      removed   no
        code_hash       security   user      removed   no
        """, "id attempts created_at ends_at"),
    "sign_in_failures": _about(Why.SAFETY, Kept.FAILURES, """
        login           security   user      removed   no
        failures        behaviour  user      removed   yes
        first_failed_at behaviour  user      removed   yes
        """),
    "idempotency_keys": _about(Why.SAFETY, Kept.KEYS, """
        user_id         link       user      removed   no
        key             security   user      removed   no
        fingerprint     security   user      removed   no
        location        behaviour  user      removed   no
        body            words      user      removed   no
        created_at      behaviour  user      removed   no
        """, "status media_type"),  # a copy of an answer that was given: what it says is downloaded from its own place
    # -- for whom
    "residents": _about(Why.SERVE, Kept.PERSON, """
        id                  link     resident  kept      yes
        name                name     resident  replaced  yes
        sex                 details  resident  counted   yes
        birth_date          details  resident  replaced  yes
        phone               contact  resident  removed   yes
        disability_category health   resident  removed   yes
        disability_grade    health   resident  removed   yes
        community_code      details  resident  removed   yes
        created_at          behaviour resident kept      yes
        erased_at           behaviour resident replaced  no
        """),
    "identities": _about(Why.IDENTITY, Kept.PERSON, """
        resident_id      link      resident  removed  yes
        id_number        identity  resident  removed  yes
        id_number_hash   identity  resident  removed  no
        certificate      health    resident  removed  yes
        certificate_hash health    resident  removed  no
        """),
    "guardianships": _about(Why.FAMILY, Kept.ACCOUNT, """
        user_id         link       user      removed   yes
        resident_id     link       resident  removed   yes
        relation        family     resident  removed   yes
        consented_at    behaviour  user      removed   yes
        until           family     resident  removed   yes
        """),
    "past_guardianships": _about(Why.FAMILY, Kept.ACCOUNT, """
        user_id         link       user      removed   no
        resident_id     link       resident  removed   yes
        relation        family     resident  removed   yes
        since           behaviour  user      removed   yes
        ended_at        behaviour  user      removed   yes
        why             family     resident  removed   yes
        """, "id"),
    "invitations": _about(Why.FAMILY, Kept.INVITATIONS, """
        resident_id     link       resident  removed   yes
        invited_by      link       user      removed   no
        code_hash       security   user      removed   no
        created_at      behaviour  user      removed   yes
        ends_at         behaviour  user      removed   yes
        accepted_by     link       user      removed   no
        accepted_at     behaviour  user      removed   yes
        withdrawn_at    behaviour  user      removed   yes
        """, "id"),
    "consents": _about(Why.CONSENT, Kept.ACCOUNT, """
        resident_id     link       resident  removed   yes
        user_id         link       user      removed   no
        kind            behaviour  resident  removed   yes
        text_version    behaviour  user      removed   yes
        given_at        behaviour  user      removed   yes
        withdrawn_at    behaviour  user      removed   yes
        """, "id"),
    "merges": _about(Why.SERVE, Kept.PERSON, """
        kept_id         link       resident  kept      yes
        gone_id         link       resident  kept      no
        moves           words      resident  replaced  no
        merged_at       behaviour  staff     kept      yes
        merged_by       link       staff     kept      no
        undone_at       behaviour  staff     kept      yes
        undone_by       link       staff     kept      no
        """, "id"),
    # -- what was promised, and what happened
    "bookings": _about(Why.BOOK, Kept.COUNTED, """
        id              link       resident  counted   yes
        reference       link       resident  counted   yes
        session_id      behaviour  resident  counted   yes
        resident_id     link       resident  counted   yes
        state           behaviour  resident  counted   yes
        starts_at       behaviour  resident  counted   yes
        ends_at         behaviour  resident  counted   yes
        created_at      behaviour  resident  counted   yes
        booked_by       link       user      kept      no
        cancelled_at    behaviour  resident  counted   yes
        cancel_reason   words      staff     kept      yes
        party           family     resident  counted   yes
        offer_expires_at behaviour resident  counted   yes
        override_reason words      staff     removed   yes
        coming_at       behaviour  resident  counted   yes
        """),
    "feedback": _about(Why.IMPROVE, Kept.FEEDBACK, """
        booking_id      link       resident  counted   yes
        rating          behaviour  resident  counted   yes
        words           words      resident  removed   yes
        created_at      behaviour  resident  counted   yes
        """),
    "booking_pauses": _about(Why.BOOK, Kept.NO_SHOWS, """
        resident_id     link       resident  removed   yes
        programme_id    behaviour  resident  removed   yes
        booking_id      link       resident  removed   yes
        since           behaviour  resident  removed   yes
        until           behaviour  resident  removed   yes
        lifted_at       behaviour  resident  removed   yes
        """, "id"),
    "no_show_exemptions": _about(Why.BOOK, Kept.EXEMPTIONS, """
        resident_id     link       resident  removed   yes
        ground          health     resident  removed   yes
        from_day        behaviour  resident  removed   yes
        until_day       behaviour  resident  removed   yes
        granted_by      link       staff     removed   no
        granted_at      behaviour  staff     removed   yes
        ended_at        behaviour  staff     removed   yes
        """, "id"),
    "no_shows_told": _about(Why.BOOK, Kept.NO_SHOWS, """
        booking_id      link       resident  removed   yes
        what            behaviour  resident  removed   yes
        at              behaviour  resident  removed   yes
        """),
    "no_show_appeals": _about(Why.BOOK, Kept.NO_SHOWS, """
        booking_id      link       resident  removed   yes
        words           words      resident  removed   yes
        made_by         link       user      removed   no
        made_at         behaviour  resident  removed   yes
        answer          behaviour  resident  removed   yes
        reply           words      staff     removed   yes
        answered_by     link       staff     removed   no
        answered_at     behaviour  staff     removed   yes
        """),
    "reservations": _about(Why.BOOK, Kept.COUNTED, """
        id              link       resident  counted   yes
        reference       link       resident  counted   yes
        facility_id     behaviour  resident  counted   yes
        space_id        behaviour  resident  counted   yes
        resident_id     link       resident  counted   yes
        state           behaviour  resident  counted   yes
        starts_at       behaviour  resident  counted   yes
        ends_at         behaviour  resident  counted   yes
        purpose         words      resident  replaced  yes
        created_at      behaviour  resident  counted   yes
        reserved_by     link       user      kept      no
        cancelled_at    behaviour  resident  counted   yes
        cancel_reason   words      staff     removed   yes
        """, "moves"),
    "calendar_feeds": _about(Why.TELL, Kept.ACCOUNT, """
        user_id         link       user      removed   no
        token_hash      security   user      removed   no
        language        details    user      removed   yes
        created_at      behaviour  user      removed   yes
        """),
    "draw_entries": _about(Why.BOOK, Kept.COUNTED, """
        id              link       resident  kept      yes
        draw_id         behaviour  resident  kept      yes
        reference       link       resident  kept      yes
        entry_hash      link       resident  kept      yes
        weight          behaviour  resident  kept      yes
        rank            behaviour  resident  kept      yes
        won             behaviour  resident  kept      yes
        entered_by      link       user      kept      no
        created_at      behaviour  resident  kept      yes
        """),
    "draw_entrants": _about(Why.BOOK, Kept.COUNTED, """
        entry_id        link       resident  kept      yes
        resident_id     link       resident  kept      yes
        draw_id         behaviour  resident  kept      yes
        """),
    "attendances": _about(Why.FIGURES, Kept.COUNTED, """
        session_id      behaviour  resident  counted   yes
        resident_id     link       resident  counted   yes
        state           behaviour  resident  counted   yes
        walk_in         behaviour  resident  counted   yes
        late            behaviour  resident  counted   yes
        minutes         behaviour  resident  counted   yes
        event_id        link       resident  counted   no
        recorded_by     link       staff     kept      no
        """),
    "attendance_events": _about(Why.FIGURES, Kept.COUNTED, """
        id              link       resident  counted   no
        session_id      behaviour  resident  counted   yes
        kind            behaviour  resident  counted   yes
        resident_id     link       resident  counted   yes
        voids           link       resident  counted   no
        reason          behaviour  resident  counted   no
        late            behaviour  resident  counted   yes
        device          behaviour  staff     kept      no
        occurred_at     behaviour  resident  counted   yes
        received_at     behaviour  resident  counted   yes
        recorded_by     link       staff     kept      no
        """, "women children men elders disabled"),
    "notices": _about(Why.TELL, Kept.NOTICES, """
        user_id         link       user      removed   no
        resident_id     link       resident  removed   yes
        kind            behaviour  resident  removed   yes
        about_kind      behaviour  resident  removed   yes
        about_id        link       resident  removed   yes
        facts           words      resident  removed   yes
        created_at      behaviour  user      removed   yes
        read_at         behaviour  user      removed   yes
        """, "id dispatched_at"),
    "deliveries": _about(Why.TELL, Kept.NOTICES, """
        notice_id       link       resident  removed   no
        channel         behaviour  resident  removed   no
        state           behaviour  resident  removed   no
        ended_at        behaviour  resident  removed   no
        carer_id        link       user      removed   no
        """, "id reference attempts due_at failure"),
    "notice_settings": _about(Why.TELL, Kept.ACCOUNT, """
        user_id         link       user      removed   no
        language        details    user      removed   yes
        quiet_from      behaviour  user      removed   yes
        quiet_until     behaviour  user      removed   yes
        large_type      details    user      removed   yes
        """),
    "channel_choices": _about(Why.TELL, Kept.ACCOUNT, """
        user_id         link       user      removed   no
        topic           behaviour  user      removed   yes
        channel         behaviour  user      removed   yes
        wanted          behaviour  user      removed   yes
        """),
    "email_addresses": _about(Why.TELL, Kept.ACCOUNT, """
        user_id         link       user      removed   no
        address         contact    user      removed   yes
        confirmed_at    behaviour  user      removed   yes
        """),
    "carers": _about(Why.TELL, Kept.ACCOUNT, """
        user_id         link       user      removed   no
        phone           contact    user      removed   yes
        confirmed_at    behaviour  user      removed   yes
        """, "id"),
    "wechat_accounts": _about(Why.TELL, Kept.ACCOUNT, """
        user_id         link       user      removed   no
        openid          contact    user      removed   yes
        """),
    "wechat_subscriptions": _about(Why.TELL, Kept.ACCOUNT, """
        user_id         link       user      removed   no
        kind            behaviour  user      removed   yes
        remaining       behaviour  user      removed   yes
        """),
    "answer_links": _about(Why.TELL, Kept.NOTICES, """
        notice_id       link       resident  removed   no
        code_hash       security   user      removed   no
        sealed          security   user      removed   no
        used_at         behaviour  resident  removed   no
        answer          behaviour  resident  removed   no
        """, "ends_at"),
    "reminders": _about(Why.TELL, Kept.REMINDERS, """
        about_kind      behaviour  resident  kept      no
        about_id        link       resident  kept      no
        kind            behaviour  resident  kept      no
        starts_at       behaviour  resident  kept      no
        """),
    "audit_entries": _about(Why.RECORD, Kept.CHAIN, """
        at              behaviour  staff     kept      yes
        user_id         link       staff     kept      no
        verb            behaviour  staff     kept      yes
        about_kind      behaviour  resident  kept      yes
        about_id        link       resident  kept      yes
        facts           behaviour  staff     kept      no
        """, "id number chained"),  # downloaded as far as somebody looked at the person's records: `looked_at`
    # -- what is on offer, and who of the staff put it there
    "activity_sessions": _about(Why.RECORD, Kept.WORK, "created_by link staff kept no", (
        "id programme_id facility_id space_id title title_en details starts_at ends_at capacity places_taken status "
        "booking_opens_at booking_closes_at cancellation_closes_at cancelled_at cancel_reason waitlist_mode "
        "waitlist_capacity offer_minutes waiting version series_id occurs_at draw_id awaits_draw "
        "feedback_asked_at" + _AUDIENCE)),
    "series": _about(Why.RECORD, Kept.WORK, "created_by link staff kept no", (
        "id programme_id facility_id space_id title title_en details rrule starts_at duration_minutes capacity "
        "on_rest_days created_at" + _AUDIENCE)),
    "draws": _about(Why.RECORD, Kept.WORK, "created_by link staff kept no", (
        "id reference facility_id title entries_close_at seed commitment weights drawn_at created_at")),
    "closures": _about(Why.RECORD, Kept.WORK, "created_by link staff kept no", (
        "id facility_id space_id starts_at ends_at reason created_at lifted_at")),
    "attendance_rules": _about(Why.RECORD, Kept.WORK, "changed_by link staff kept no", "id manager_days changed_at"),
    "reopened_days": _about(Why.RECORD, Kept.WORK, "reopened_by link staff kept no", (
        "id facility_id day until reason reopened_at")),
    "posters": _about(Why.RECORD, Kept.WORK, "made_by link staff kept no", "facility_id code made_at"),
    "no_show_rules": _about(Why.RECORD, Kept.WORK, "changed_by link staff kept no", (
        "id is_on within_days warn_at pause_at pause_days exempt_disabled counts_from changed_at")),
    "monthly_reports": _about(Why.RECORD, Kept.WORK, """
        entered_by   link  staff  kept  no
        reviewed_by  link  staff  kept  no
        """, ("id subproject_id month value qualifier evidence link problems remedies state entered_at reviewed_at "
              "returned_because")),
    # -- about nobody
    "audit_heads": _about_nobody("id number chained"),
    "calendar_days": _about_nobody("date kind name provisional edited"),
    "communities": _about_nobody("id sub_district_code name name_en"),
    "facilities": _about_nobody("id kind name name_en address phone summary summary_en sub_district_code community_id"),
    "facility_access": _about_nobody("facility_id feature"),
    "head_counts": _about_nobody("session_id women children men elders disabled unnamed_walk_ins"),
    "job_runs": _about_nobody("id job started_at took_ms done failed failure"),
    "jobs": _about_nobody("name every_seconds slot started_at next_at ended_at took_ms done failed"),
    "left_out_dates": _about_nobody("series_id starts_at code"),
    "livelihood_projects": _about_nobody("id year code source name"),
    "occupancies": _about_nobody("id space_id held_space_id session_id reservation_id starts_at ends_at"),
    "opening_hours": _about_nobody("facility_id weekday opens_minute closes_minute"),
    "programmes": _about_nobody("id name name_en facility_kind summary summary_en per_resident_per_week "
                                "per_household_per_session records_time" + _AUDIENCE),
    "project_years": _about_nobody("year quote source yellow_points red_points"),
    "reported_figures": _about_nobody("id year code heading name unit as_printed number qualifier quote source "
                                      "confirmed note measure subproject_id"),
    "spaces": _about_nobody("id facility_id parent_id name name_en kind capacity quantity reservable min_minutes "
                            "max_minutes grid_minutes notice_minutes days_ahead per_resident"),
    "sub_districts": _about_nobody("code name name_en"),
    "subproject_targets": _about_nobody("id subproject_id set_by from_day value"),
    "subprojects": _about_nobody("id project_id code name kind unit lead_unit partner_units measure plan accepted_on"),
}
