"""What is kept about people: every column of every table, so that nobody keeps something and forgets it.

A column is about nobody, or it is personal: of a kind, somebody's, kept for a purpose and for a time, with a fate when
an account is erased, and part of what its owner can download or not. PIPL art. 6 and 19 (no more and no longer than
needed), 17 (say so), 45 (copy), 47 (erase). Tests hold this table against the schema, the download and the erasure.
"""

from facilities.privacy.terms import Kept, Table, Why, about, about_nobody

_AUDIENCE, _FIRST = " min_age max_age sex disability communities", " disabled_cells disabled_bits disabled_people"

INVENTORY: dict[str, Table] = {
    # -- who signs in
    "users": about(Why.ACCOUNT, Kept.ACCOUNT, """
        id              link       user      kept      yes
        login           contact    user      replaced  yes
        display_name    name       user      replaced  yes
        password_hash   security   user      replaced  no
        disabled        security   user      replaced  yes
        created_at      behaviour  user      kept      yes
        erased_at       behaviour  user      replaced  no
        """),
    "grants": about(Why.ACCOUNT, Kept.WORK, """
        user_id         link       user      kept      no
        role            behaviour  user      kept      yes
        starts_at       behaviour  user      kept      yes
        ends_at         behaviour  user      kept      yes
        last_used_at    behaviour  user      kept      yes
        granted_by      link       staff     kept      no
        """, "id facility_id sub_district_code"),
    "sign_ins": about(Why.SAFETY, Kept.SIGN_INS, """
        user_id         link       user      removed   no
        kind            behaviour  user      removed   yes
        secret_hash     security   user      removed   no
        created_at      behaviour  user      removed   yes
        last_seen_at    behaviour  user      removed   yes
        ends_at         behaviour  user      removed   yes
        revoked_at      behaviour  user      removed   yes
        device          behaviour  user      removed   yes
        """, "id"),
    "known_devices": about(Why.SAFETY, Kept.DEVICES, """
        user_id         link       user      removed   no
        token_hash      security   user      removed   no
        seen_at         behaviour  user      removed   yes
        """, "id"),
    "second_factors": about(Why.SAFETY, Kept.ACCOUNT, """
        user_id         link       user      removed   no
        secret          security   user      removed   no
        confirmed_at    behaviour  user      removed   yes
        last_step       security   user      removed   no
        """),
    "one_time_codes": about(Why.SAFETY, Kept.CODES, """
        user_id         link       user      removed   no
        purpose         behaviour  user      removed   yes
        code_hash       security   user      removed   no
        attempts        security   user      removed   no
        created_at      behaviour  user      removed   yes
        ends_at         behaviour  user      removed   yes
        """),
    "pending_registrations": about(Why.ACCOUNT, Kept.CODES, """
        phone_hash      contact    user      removed   no
        sealed          name       user      removed   no
        code_hash       security   user      removed   no
        """, "id attempts created_at ends_at"),
    "sign_in_failures": about(Why.SAFETY, Kept.FAILURES, """
        login           security   user      removed   no
        failures        behaviour  user      removed   yes
        first_failed_at behaviour  user      removed   yes
        """),
    "idempotency_keys": about(Why.SAFETY, Kept.KEYS, """
        user_id         link       user      removed   no
        key             security   user      removed   no
        fingerprint     security   user      removed   no
        location        behaviour  user      removed   no
        body            words      user      removed   no
        created_at      behaviour  user      removed   no
        """, "status media_type"),  # a copy of an answer that was given: what it says is downloaded from its own place
    # -- for whom
    "residents": about(Why.SERVE, Kept.PERSON, """
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
    "identities": about(Why.IDENTITY, Kept.PERSON, """
        resident_id      link      resident  removed  yes
        id_number        identity  resident  removed  yes
        id_number_hash   identity  resident  removed  no
        certificate      health    resident  removed  yes
        certificate_hash health    resident  removed  no
        """),
    "guardianships": about(Why.FAMILY, Kept.ACCOUNT, """
        user_id         link       user      removed   yes
        resident_id     link       resident  removed   yes
        relation        family     resident  removed   yes
        consented_at    behaviour  user      removed   yes
        until           family     resident  removed   yes
        """),
    "past_guardianships": about(Why.FAMILY, Kept.ACCOUNT, """
        user_id         link       user      removed   no
        resident_id     link       resident  removed   yes
        relation        family     resident  removed   yes
        since           behaviour  user      removed   yes
        ended_at        behaviour  user      removed   yes
        why             family     resident  removed   yes
        """, "id"),
    "invitations": about(Why.FAMILY, Kept.INVITATIONS, """
        resident_id     link       resident  removed   yes
        invited_by      link       user      removed   no
        code_hash       security   user      removed   no
        created_at      behaviour  user      removed   yes
        ends_at         behaviour  user      removed   yes
        accepted_by     link       user      removed   no
        accepted_at     behaviour  user      removed   yes
        withdrawn_at    behaviour  user      removed   yes
        """, "id"),
    "consents": about(Why.CONSENT, Kept.ACCOUNT, """
        resident_id     link       resident  removed   yes
        user_id         link       user      removed   no
        kind            behaviour  resident  removed   yes
        text_version    behaviour  user      removed   yes
        given_at        behaviour  user      removed   yes
        withdrawn_at    behaviour  user      removed   yes
        """, "id"),
    "merges": about(Why.SERVE, Kept.PERSON, """
        kept_id         link       resident  kept      yes
        gone_id         link       resident  kept      no
        moves           words      resident  replaced  no
        merged_at       behaviour  staff     kept      yes
        merged_by       link       staff     kept      no
        undone_at       behaviour  staff     kept      yes
        undone_by       link       staff     kept      no
        """, "id"),
    "different_persons": about(Why.SERVE, Kept.PERSON, """
        first_id        link       resident  removed   no
        second_id       link       resident  removed   no
        said_at         behaviour  staff     removed   no
        said_by         link       staff     removed   no
        """),
    # -- what was promised, and what happened
    "bookings": about(Why.BOOK, Kept.COUNTED, """
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
        promoted_at     behaviour  resident  counted   yes
        """),
    "feedback": about(Why.IMPROVE, Kept.FEEDBACK, """
        booking_id      link       resident  counted   yes
        rating          behaviour  resident  counted   yes
        words           words      resident  removed   yes
        created_at      behaviour  resident  counted   yes
        """),
    "booking_pauses": about(Why.BOOK, Kept.NO_SHOWS, """
        resident_id     link       resident  removed   yes
        programme_id    behaviour  resident  removed   yes
        booking_id      link       resident  removed   yes
        since           behaviour  resident  removed   yes
        until           behaviour  resident  removed   yes
        lifted_at       behaviour  resident  removed   yes
        """, "id"),
    "no_show_exemptions": about(Why.BOOK, Kept.EXEMPTIONS, """
        resident_id     link       resident  removed   yes
        ground          health     resident  removed   yes
        from_day        behaviour  resident  removed   yes
        until_day       behaviour  resident  removed   yes
        granted_by      link       staff     removed   no
        granted_at      behaviour  staff     removed   yes
        ended_at        behaviour  staff     removed   yes
        """, "id"),
    "no_shows_told": about(Why.BOOK, Kept.NO_SHOWS, """
        booking_id      link       resident  removed   yes
        what            behaviour  resident  removed   yes
        at              behaviour  resident  removed   yes
        """),
    "no_show_appeals": about(Why.BOOK, Kept.NO_SHOWS, """
        booking_id      link       resident  removed   yes
        words           words      resident  removed   yes
        made_by         link       user      removed   no
        made_at         behaviour  resident  removed   yes
        answer          behaviour  resident  removed   yes
        reply           words      staff     removed   yes
        answered_by     link       staff     removed   no
        answered_at     behaviour  staff     removed   yes
        """),
    "reservations": about(Why.BOOK, Kept.COUNTED, """
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
    "calendar_feeds": about(Why.TELL, Kept.ACCOUNT, """
        user_id         link       user      removed   no
        token_hash      security   user      removed   no
        language        details    user      removed   yes
        created_at      behaviour  user      removed   yes
        """),
    "draw_entries": about(Why.BOOK, Kept.COUNTED, """
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
    "draw_entrants": about(Why.BOOK, Kept.COUNTED, """
        entry_id        link       resident  kept      yes
        resident_id     link       resident  kept      yes
        draw_id         behaviour  resident  kept      yes
        """),
    "attendances": about(Why.FIGURES, Kept.COUNTED, """
        session_id      behaviour  resident  counted   yes
        resident_id     link       resident  counted   yes
        state           behaviour  resident  counted   yes
        walk_in         behaviour  resident  counted   yes
        late            behaviour  resident  counted   yes
        minutes         behaviour  resident  counted   yes
        event_id        link       resident  counted   no
        recorded_by     link       staff     kept      no
        """),
    "ledger_pages": about(Why.FIGURES, Kept.COUNTED, """
        facts           link       resident  counted   no
        cells           behaviour  resident  counted   no
        bits            behaviour  resident  counted   no
        people          link       resident  counted   no
        runs            behaviour  resident  counted   no
        """, "period facility_id programme_id part first_day last_day sessions counts" + _FIRST),
    "attendance_events": about(Why.FIGURES, Kept.COUNTED, """
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
    "notices": about(Why.TELL, Kept.NOTICES, """
        user_id         link       user      removed   no
        resident_id     link       resident  removed   yes
        kind            behaviour  resident  removed   yes
        about_kind      behaviour  resident  removed   yes
        about_id        link       resident  removed   yes
        facts           words      resident  removed   yes
        created_at      behaviour  user      removed   yes
        read_at         behaviour  user      removed   yes
        """, "id dispatched_at"),
    "deliveries": about(Why.TELL, Kept.NOTICES, """
        notice_id       link       resident  removed   no
        channel         behaviour  resident  removed   no
        state           behaviour  resident  removed   no
        ended_at        behaviour  resident  removed   no
        carer_id        link       user      removed   no
        """, "id reference attempts due_at failure"),
    "notice_settings": about(Why.TELL, Kept.ACCOUNT, """
        user_id         link       user      removed   no
        language        details    user      removed   yes
        quiet_from      behaviour  user      removed   yes
        quiet_until     behaviour  user      removed   yes
        large_type      details    user      removed   yes
        """),
    "channel_choices": about(Why.TELL, Kept.ACCOUNT, """
        user_id         link       user      removed   no
        topic           behaviour  user      removed   yes
        channel         behaviour  user      removed   yes
        wanted          behaviour  user      removed   yes
        """),
    "email_addresses": about(Why.TELL, Kept.ACCOUNT, """
        user_id         link       user      removed   no
        address         contact    user      removed   yes
        confirmed_at    behaviour  user      removed   yes
        """),
    "carers": about(Why.TELL, Kept.ACCOUNT, """
        user_id         link       user      removed   no
        phone           contact    user      removed   yes
        confirmed_at    behaviour  user      removed   yes
        """, "id"),
    "wechat_accounts": about(Why.TELL, Kept.ACCOUNT, """
        user_id         link       user      removed   no
        openid          contact    user      removed   yes
        """),
    "wechat_subscriptions": about(Why.TELL, Kept.ACCOUNT, """
        user_id         link       user      removed   no
        kind            behaviour  user      removed   yes
        remaining       behaviour  user      removed   yes
        """),
    "answer_links": about(Why.TELL, Kept.NOTICES, """
        notice_id       link       resident  removed   no
        code_hash       security   user      removed   no
        sealed          security   user      removed   no
        used_at         behaviour  resident  removed   no
        answer          behaviour  resident  removed   no
        """, "ends_at"),
    "reminders": about(Why.TELL, Kept.REMINDERS, """
        about_kind      behaviour  resident  kept      no
        about_id        link       resident  kept      no
        kind            behaviour  resident  kept      no
        starts_at       behaviour  resident  kept      no
        """),
    "audit_entries": about(Why.RECORD, Kept.CHAIN, """
        at              behaviour  staff     kept      yes
        user_id         link       staff     kept      no
        verb            behaviour  staff     kept      yes
        about_kind      behaviour  resident  kept      yes
        about_id        link       resident  kept      yes
        facts           behaviour  staff     kept      no
        """, "id number chained"),  # downloaded as far as somebody looked at the person's records: `looked_at`
    # -- what is on offer, and who of the staff put it there
    "activity_sessions": about(Why.RECORD, Kept.WORK, "created_by link staff kept no", (
        "id programme_id facility_id space_id title title_en details starts_at ends_at capacity places_taken status "
        "booking_opens_at booking_closes_at cancellation_closes_at cancelled_at cancel_reason waitlist_mode "
        "waitlist_capacity offer_minutes waiting version series_id occurs_at draw_id awaits_draw "
        "feedback_asked_at" + _AUDIENCE)),
    "series": about(Why.RECORD, Kept.WORK, "created_by link staff kept no", (
        "id programme_id facility_id space_id title title_en details rrule starts_at duration_minutes capacity "
        "on_rest_days created_at" + _AUDIENCE)),
    "draws": about(Why.RECORD, Kept.WORK, "created_by link staff kept no", (
        "id reference facility_id title entries_close_at seed commitment weights drawn_at created_at")),
    "closures": about(Why.RECORD, Kept.WORK, "created_by link staff kept no", (
        "id facility_id space_id starts_at ends_at reason created_at lifted_at")),
    "quality_accepted": about(Why.RECORD, Kept.WORK, "accepted_by link staff kept no", (
        "session_id people why accepted_at")),
    "attendance_rules": about(Why.RECORD, Kept.WORK, "changed_by link staff kept no", "id manager_days changed_at"),
    "reopened_days": about(Why.RECORD, Kept.WORK, "reopened_by link staff kept no", (
        "id facility_id day until reason reopened_at")),
    "posters": about(Why.RECORD, Kept.WORK, "made_by link staff kept no", "facility_id code made_at"),
    "no_show_rules": about(Why.RECORD, Kept.WORK, "changed_by link staff kept no", (
        "id is_on within_days warn_at pause_at pause_days exempt_disabled counts_from changed_at")),
    "monthly_reports": about(Why.RECORD, Kept.WORK, """
        entered_by   link  staff  kept  no
        reviewed_by  link  staff  kept  no
        """, ("id subproject_id month value qualifier evidence link problems remedies state entered_at reviewed_at "
              "returned_because")),
    # The line that signs a public record is a part of it; of the office, not of whoever has an account.
    "official_reports": about(Why.RECORD, Kept.CHAIN, """
        closed_by        link   staff  kept  no
        signed_name      words  staff  kept  no
        signed_position  words  staff  kept  no
        content          words  staff  kept  no
        """, "id number kind first last sha256 previous closed_at"),
    # -- about nobody
    "audit_heads": about_nobody("id number chained"), "facility_access": about_nobody("facility_id feature"),
    "calendar_days": about_nobody("date kind name provisional edited"),
    "communities": about_nobody("id sub_district_code name name_en"),
    "facilities": about_nobody("id kind name name_en address phone summary summary_en sub_district_code community_id"),
    "head_counts": about_nobody("session_id women children men elders disabled unnamed_walk_ins"),
    "job_runs": about_nobody("id job started_at took_ms done failed failure"),
    "jobs": about_nobody("name every_seconds slot started_at next_at ended_at took_ms done failed"),
    "left_out_dates": about_nobody("series_id starts_at code"), "sub_districts": about_nobody("code name name_en"),
    "livelihood_projects": about_nobody("id year code source name"),
    "occupancies": about_nobody("id space_id held_space_id session_id reservation_id starts_at ends_at"),
    # what anyone may see, small numbers left out; only the fingerprint is of true figures, and is shown nowhere
    "open_figures": about_nobody("split_by period sub_district facility programme category sex age_band "
                                  "sessions_held person_times persons unidentified_person_times"),
    "open_periods": about_nobody("name fingerprint published_at"),
    "opening_hours": about_nobody("facility_id weekday opens_minute closes_minute"),
    "programmes": about_nobody("id name name_en facility_kind summary summary_en per_resident_per_week "
                                "per_household_per_session records_time provider_type volunteer" + _AUDIENCE),
    "project_years": about_nobody("year quote source yellow_points red_points"),
    "stale_sheets": about_nobody("period"), "stale_pages": about_nobody("id month facility_id programme_id"),
    "report_corrections": about_nobody("id report_id number made_at content sha256"),
    "reported_figures": about_nobody("id year code heading name unit as_printed number qualifier quote source "
                                      "confirmed note measure subproject_id"),
    "spaces": about_nobody("id facility_id parent_id name name_en kind capacity quantity reservable min_minutes "
                            "max_minutes grid_minutes notice_minutes days_ahead per_resident"),
    "subproject_targets": about_nobody("id subproject_id set_by from_day value"),
    "subprojects": about_nobody("id project_id code name kind unit lead_unit partner_units measure plan accepted_on"),
}
