"""Who answers an appeal: whoever runs the session that it is about."""

from facilities.engine.no_shows import Standing
from facilities.kernel.actors import Actor
from facilities.no_shows.queries import Told
from facilities.programmes import policy as programmes_policy


def can_answer(actor: Actor, told: Told) -> bool:
    return programmes_policy.can_run(actor, told.booking.session)


def can_appeal(told: Told, standing: Standing | None) -> bool:
    """Against what counts, or will; once. Also for showing the button."""
    return told.appeal is None and standing in (Standing.COUNTS, Standing.OPEN)
