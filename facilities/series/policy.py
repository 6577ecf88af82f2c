"""Who may change a series: whoever runs the sessions of its facility."""

from facilities.kernel.actors import Actor
from facilities.programmes.models import Series


def can_run(actor: Actor, series: Series) -> bool:
    return actor.manages(series.facility_id)
