"""Who may open and hold a draw: who runs the sessions that it is about."""

from facilities.draws.models import Draw
from facilities.kernel import clock
from facilities.kernel.actors import Actor


def can_hold(actor: Actor, draw: Draw) -> bool:
    return actor.manages(draw.facility_id)


def is_open(draw: Draw) -> bool:
    """Entries are taken; the instant of closing is already too late."""
    return draw.drawn_at is None and clock.now() < draw.entries_close_at


def status(draw: Draw) -> str:
    """`open`: entries are taken · `closed`: about to be held · `drawn`."""
    if draw.drawn_at is not None:
        return "drawn"
    return "open" if is_open(draw) else "closed"
