"""The password once more, before what a borrowed telephone must not do."""

from facilities.accounts.services import note_failure, refuse_if_too_many_failures
from facilities.infra.db import unit_of_work
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import Invalid, raise_if
from facilities.privacy.services import check_password


def ask_again(actor: Actor, password: str) -> None:
    """Invalid `password`, Refused `too_many_attempts`: guessing here counts like guessing at the door."""
    raise_if(refuse_if_too_many_failures(actor.login))
    try:
        unit_of_work(lambda: check_password(actor, password))
    except Invalid:
        unit_of_work(lambda: note_failure(actor.login))
        raise
