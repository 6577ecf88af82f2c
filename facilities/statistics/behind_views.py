"""From a figure to the sessions that it counts, and from there to everybody on the list."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from facilities.bookings.looks import note_look_at_roster
from facilities.programmes.views import runnable
from facilities.statistics import behind
from facilities.statistics.addresses import AT, address, read_scope, read_start, years_with_figures
from facilities.statistics.dimensions import Dimension
from facilities.statistics.overview import Overview
from facilities.statistics.queries import Start
from facilities.statistics.views import filters_line
from facilities.statistics.wording import MEASURES, SESSIONS, starts_in_words, word_for
from facilities.web.guards import staff
from facilities.web.paging import read_position

blueprint = Blueprint("figures_behind", __name__)
AT_ONCE = 25


@blueprint.get("/statistics/sessions")
@staff
def sessions() -> ResponseReturnValue:
    """The sessions that a figure counts, the latest first."""
    overview = Overview(read_scope(years_with_figures()))
    scope, at = overview.scope, read_start()
    ids, start = behind.session_ids(scope, at), read_position(request.args.get("after"))
    person_times = overview.total.person_times if at is None else overview.busy_hours.get(at, 0)
    return render_template(
        "statistics/sessions.html", scope=scope, filters_line=_question(overview, at), person_times=person_times,
        counted=behind.sessions(scope, ids[start:start + AT_ONCE]), number=len(ids), start=start, at_once=AT_ONCE,
        measures=[measure for measure in MEASURES if measure is not SESSIONS], address=address, more=_kept(at))


@blueprint.get("/statistics/sessions/<session_id>")
@staff
def everybody(session_id: str) -> ResponseReturnValue:
    """Everybody whom the figure counts in a session. On record for those who are on the list."""
    session = runnable(session_id)
    if note_look_at_roster(session.id):
        session = runnable(session_id)
    overview, at = Overview(read_scope(years_with_figures())), read_start()
    people, groups = behind.everybody(overview.scope, session.id)
    return render_template(
        "statistics/everybody.html", scope=overview.scope, filters_line=filters_line(overview), session=session,
        people=people, groups=groups, address=address, more=_kept(at), word_for=word_for, D=Dimension)


def _kept(at: Start | None) -> dict[str, str]:
    """What else stands in the address."""
    return {} if at is None else {AT: f"{at[0]}-{at[1]}"}


def _question(overview: Overview, at: Start | None) -> str:
    if at is None:
        return filters_line(overview)
    return f"{filters_line(overview)} · {starts_in_words(at)}"
