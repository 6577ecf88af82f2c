"""What the app counts itself, against the targets of the year: for the page of figures."""

from datetime import date

from facilities.engine.projects import Amount
from facilities.projects import queries
from facilities.projects.measures import MEASURES
from facilities.projects.queries import FigureSource, Standing
from facilities.projects.wording import amount_in_words
from facilities.statistics.targets import Against


def against_targets(year: int, day: date) -> list[Against]:
    """In the projects' order; none where nothing is known of the year."""
    found = queries.overview(year, day)
    rows = (_row(standing) for standing in found.standings) if found else ()
    return [row for row in rows if row is not None]


def _row(standing: Standing) -> Against | None:
    subproject, done, target = standing.subproject, standing.done, standing.target
    measure = MEASURES.get(subproject.measure or "")
    if done.source is not FigureSource.STATISTICS or done.amount is None or target is None or standing.rate is None:
        return None
    return Against(
        subproject.name or subproject.code, amount_in_words(done.amount, subproject.unit),
        amount_in_words(Amount(target.value), subproject.unit), standing.rate, standing.expected_rate,
        standing.light.value if standing.light else None, measure.of if measure else None)
