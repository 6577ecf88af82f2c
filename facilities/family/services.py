"""A resident leaves a household: what was promised to them goes back where nobody is left who could give it back.

It stands above everything that is promised. Order of locks: who acts for the resident, draws, facilities, sessions
(docs/locking.md).
"""

from facilities.bookings import queries as bookings
from facilities.bookings import services as places
from facilities.draws import queries as draws
from facilities.draws import services as tickets
from facilities.households import queries as households
from facilities.households import services as residents
from facilities.households.models import ConsentKind, Relation
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import NotVisible, Refused
from facilities.reservations import queries as reservations
from facilities.reservations import services as spaces


def leave(actor: Actor, resident_id: int, *, give_back: bool) -> None:
    """Afterwards nobody may be left who could give the resident's places back, so that is settled first.

    With `give_back` places, spaces and tickets ahead are given back, as far as their deadlines allow; without, they
    refuse the leave (`has_places_ahead`), which is what a page does that has not asked. Whoever books for the resident
    at the same moment is waited for, and comes too late afterwards. Refused `cannot_remove_self`.
    """
    link = households.guardianship_of(actor, resident_id)
    if link is None:
        raise NotVisible
    if link.relation is Relation.SELF:
        raise Refused("cannot_remove_self")
    households.lock_who_acts_for(resident_id)  # of two who leave at once, the second sees that it is alone
    if households.acts_alone(actor, resident_id):
        if not give_back and has_anything_ahead(actor, resident_id):
            raise Refused("has_places_ahead")
        give_everything_back(actor, resident_id)
    residents.remove_resident(actor, resident_id)


def has_anything_ahead(actor: Actor, resident_id: int) -> bool:
    now = clock.now()
    return bool(bookings.places_ahead(actor, resident_id, now) or reservations.own_ahead(actor, resident_id, now)
                or draws.entered_ahead(resident_id))


def give_everything_back(actor: Actor, resident_id: int) -> None:
    """Draws come first: one that is being held meanwhile gives places, which are then given back with the others."""
    tickets.take_out(actor, resident_id)
    spaces.give_back_ahead(actor, resident_id)
    places.give_back_ahead(actor, resident_id)


def withdraw_consent(actor: Actor, resident_id: int, kind: ConsentKind) -> None:
    """What was kept with the actor's consent is kept no longer. NotVisible where there is no such consent.

    Of a disability, category and grade are removed; of a child, its record leaves the household. Refused
    `erase_instead`: without the consent to registration there is no account.
    """
    if (households.guardianship_of(actor, resident_id) is None
            or not households.consents_that_hold(resident_id, kind, actor.user_id)):
        raise NotVisible
    if kind is ConsentKind.REGISTRATION:
        raise Refused("erase_instead")
    if kind is ConsentKind.DISABILITY:
        residents.forget_disability(actor, resident_id)
    elif kind is ConsentKind.GUARDIAN:
        leave(actor, resident_id, give_back=True)
    else:
        residents.end_consents(resident_id, kind, actor.user_id)
