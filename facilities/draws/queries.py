"""Reads about draws. Everyone may see a draw and its hashes; a ticket is seen by who acts for somebody on it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from facilities.draws.models import Draw, DrawEntrant, DrawEntry
from facilities.households import queries as households
from facilities.households.models import Guardianship
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.programmes.models import ActivitySession, Programme, SessionStatus

WINS_COUNT_FOR = timedelta(days=365)


class Ticket(NamedTuple):
    """What the public sees of an entry. No rank: not drawn yet."""

    entry_hash: str
    weight: int
    rank: int | None


def draw(draw_id: int) -> Draw | None:
    return db.session.scalar(
        select(Draw).where(Draw.id == draw_id).options(joinedload(Draw.facility))
        .execution_options(populate_existing=True))


def draw_to_enter(draw_id: int) -> Draw | None:
    """Locked against being held, not against others who enter: who was in time is in."""
    return _locked(draw_id, shared=True)


def draw_to_hold(draw_id: int) -> Draw | None:
    """Locked: whoever is still entering is waited for, and nobody else holds it meanwhile."""
    return _locked(draw_id, shared=False)


def _locked(draw_id: int, *, shared: bool) -> Draw | None:
    return db.session.scalar(
        select(Draw).where(Draw.id == draw_id).with_for_update(read=shared)
        .execution_options(populate_existing=True))


def due(now: datetime) -> list[int]:
    """Draws whose entries have closed and that nobody has held."""
    return list(db.session.scalars(
        select(Draw.id).where(Draw.drawn_at.is_(None), Draw.entries_close_at <= now).order_by(Draw.id)))


def sessions_to_draw(session_ids: Collection[int]) -> list[ActivitySession]:
    """Of these, those that exist, locked in id order: their rules are about to change."""
    return list(db.session.scalars(
        select(ActivitySession).where(ActivitySession.id.in_(session_ids)).order_by(ActivitySession.id)
        .with_for_update().execution_options(populate_existing=True)))


def sessions_of(draw_id: int) -> list[ActivitySession]:
    """In the order in which they take place, with what a page says of them."""
    return list(db.session.scalars(
        select(ActivitySession).join(ActivitySession.programme).join(ActivitySession.facility)
        .where(ActivitySession.draw_id == draw_id)
        .options(contains_eager(ActivitySession.programme), contains_eager(ActivitySession.facility),
                 joinedload(ActivitySession.space))
        .order_by(ActivitySession.starts_at, ActivitySession.id).execution_options(populate_existing=True)))


def sessions_for_places(draw_id: int) -> list[ActivitySession]:
    """Locked in id order, with the programme, for its limits. The lock is the one that taking places takes."""
    return list(db.session.scalars(
        select(ActivitySession).join(ActivitySession.programme).where(ActivitySession.draw_id == draw_id)
        .options(contains_eager(ActivitySession.programme)).order_by(ActivitySession.id)
        .with_for_update(key_share=True, of=ActivitySession).execution_options(populate_existing=True)))


def open_for_a_draw(facility_id: int, now: datetime) -> list[ActivitySession]:
    """Coming sessions of a facility in which nobody has a place or waits, and that no draw is about."""
    return list(db.session.scalars(
        select(ActivitySession).where(
            ActivitySession.facility_id == facility_id, ActivitySession.starts_at > now,
            ActivitySession.status == SessionStatus.SCHEDULED, ActivitySession.draw_id.is_(None),
            ActivitySession.places_taken == 0, ActivitySession.waiting == 0)
        .order_by(ActivitySession.starts_at, ActivitySession.id)))


def entries_of(draw_id: int) -> list[DrawEntry]:
    """With the residents on them, in the order of their hashes, which says nothing of who came first."""
    return list(db.session.scalars(
        select(DrawEntry).where(DrawEntry.draw_id == draw_id).order_by(DrawEntry.entry_hash)
        .options(selectinload(DrawEntry.entrants).joinedload(DrawEntrant.resident))
        .execution_options(populate_existing=True)))


def number_of_entries(draw_id: int) -> int:
    return db.session.scalar(select(func.count()).select_from(DrawEntry).where(DrawEntry.draw_id == draw_id)) or 0


def tickets_drawn(draw_id: int) -> list[Ticket]:
    """After the draw, by rank."""
    rows = db.session.execute(
        select(DrawEntry.entry_hash, DrawEntry.weight, DrawEntry.rank).where(DrawEntry.draw_id == draw_id)
        .order_by(DrawEntry.rank))
    return [Ticket(*row) for row in rows]


def wins(draw: Draw) -> dict[int, set[int]]:
    """Resident → the tickets that won in the facility's other draws, in the year before this one's entries closed."""
    of_this_draw = select(DrawEntrant.resident_id).where(DrawEntrant.draw_id == draw.id)
    rows = db.session.execute(
        select(DrawEntrant.resident_id, DrawEntry.id).join(DrawEntry, DrawEntry.id == DrawEntrant.entry_id)
        .join(Draw, Draw.id == DrawEntry.draw_id)
        .where(DrawEntrant.resident_id.in_(of_this_draw), DrawEntry.won.is_(True), Draw.id != draw.id,
               Draw.facility_id == draw.facility_id, Draw.drawn_at <= draw.entries_close_at,
               Draw.drawn_at > draw.entries_close_at - WINS_COUNT_FOR))
    found: dict[int, set[int]] = {}
    for resident_id, entry_id in rows:
        found.setdefault(resident_id, set()).add(entry_id)
    return found


def entered(draw_id: int, resident_ids: Collection[int]) -> set[int]:
    return set(db.session.scalars(
        select(DrawEntrant.resident_id).where(
            DrawEntrant.draw_id == draw_id, DrawEntrant.resident_id.in_(resident_ids))))


def counts_households(draw_id: int) -> bool:
    """True where a programme of its sessions limits a household's places."""
    limited = (select(ActivitySession.id).join(Programme, Programme.id == ActivitySession.programme_id)
               .where(ActivitySession.draw_id == draw_id, Programme.per_household_per_session.is_not(None)))
    return db.session.scalar(limited.limit(1)) is not None


def entered_by_household(draw_id: int, resident_id: int) -> int:
    """Residents in the draw for whom one of the resident's accounts acts."""
    accounts = select(Guardianship.user_id).where(households.who_acts_for(resident_id))
    family = select(Guardianship.resident_id).where(
        Guardianship.user_id.in_(accounts), Guardianship.acts_on(clock.today()))
    return db.session.scalar(
        select(func.count()).select_from(DrawEntrant).where(
            DrawEntrant.draw_id == draw_id,
            or_(DrawEntrant.resident_id == resident_id, DrawEntrant.resident_id.in_(family)))) or 0


def entered_ahead(resident_id: int) -> list[int]:
    """Draws that are to be held and that the resident is in, in the order of locking."""
    return list(db.session.scalars(
        select(DrawEntrant.draw_id).join(Draw, Draw.id == DrawEntrant.draw_id)
        .where(DrawEntrant.resident_id == resident_id, Draw.drawn_at.is_(None)).order_by(DrawEntrant.draw_id)))


def entrants_with(draw_id: int, resident_id: int) -> list[DrawEntrant]:
    """Everybody on the resident's ticket."""
    ticket = select(DrawEntrant.entry_id).where(DrawEntrant.draw_id == draw_id, DrawEntrant.resident_id == resident_id)
    return list(db.session.scalars(
        select(DrawEntrant).where(DrawEntrant.entry_id.in_(ticket)).order_by(DrawEntrant.resident_id)
        .execution_options(populate_existing=True)))


def own_entries(actor: Actor, draw_id: int) -> list[DrawEntry]:
    """In the order in which they were entered; `entrants` holds those for whom the actor acts, and no others."""
    return list(db.session.scalars(_own(actor).where(DrawEntry.draw_id == draw_id)).unique())


def own_entry(actor: Actor, entry_id: int) -> DrawEntry | None:
    return db.session.scalars(_own(actor).where(DrawEntry.id == entry_id)).unique().one_or_none()


def tickets_not_drawn(resident_ids: Collection[int]) -> list[DrawEntry]:
    """With one of these residents on it, in the order of their draws, which is the order of locking."""
    on_it = select(DrawEntrant.entry_id).where(DrawEntrant.resident_id.in_(resident_ids))
    return list(db.session.scalars(
        select(DrawEntry).join(Draw, Draw.id == DrawEntry.draw_id)
        .where(DrawEntry.id.in_(on_it), Draw.drawn_at.is_(None)).order_by(DrawEntry.draw_id, DrawEntry.id)))


def _own(actor: Actor) -> Select[tuple[DrawEntry]]:
    return (select(DrawEntry).join(DrawEntry.entrants).join(DrawEntrant.resident)
            .join(Guardianship, and_(Guardianship.resident_id == DrawEntrant.resident_id,
                                     households.acted_for_by(actor)))
            .options(contains_eager(DrawEntry.entrants).contains_eager(DrawEntrant.resident))
            .order_by(DrawEntry.id, DrawEntrant.resident_id).execution_options(populate_existing=True))


def whom(draw_id: int, *, won: bool) -> Select[Any]:
    """For the outbox: (draw, resident, account that acts for the resident or null)."""
    return (select(DrawEntrant.draw_id, DrawEntrant.resident_id, Guardianship.user_id)
            .join(DrawEntry, DrawEntry.id == DrawEntrant.entry_id)
            .outerjoin(Guardianship, households.who_acts_for(DrawEntrant.resident_id))
            .where(DrawEntrant.draw_id == draw_id, DrawEntry.won.is_(won)))
