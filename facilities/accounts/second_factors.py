"""A second factor for staff: six digits that an app on their phone shows, new every 30 seconds (RFC 6238).

The secret lies encrypted. A code opens once, and a clock may be one step off either way.
"""

import hmac

import pyotp

from facilities.accounts import queries
from facilities.accounts.models import SecondFactor, User
from facilities.accounts.services import end_sign_ins, happened_now, password_fits, tell_owner
from facilities.infra import audit
from facilities.infra.db import db
from facilities.infra.encryption import cipher
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import Invalid, Refused
from facilities.kernel.text import plain_digits

STEP_SECONDS = 30
DRIFT = 1  # steps
DIGITS = 6
ISSUER = "Huimin"


def is_on(user_id: int) -> bool:
    found = queries.second_factor_of(user_id)
    return found is not None and found.confirmed_at is not None


def start(actor: Actor) -> SecondFactor:
    """A new secret, which counts for nothing before a code made from it was entered. Refused `second_factor_on`."""
    found = queries.second_factor_of(actor.user_id, to_change=True)
    if found is not None and found.confirmed_at is not None:
        raise Refused("second_factor_on")
    if found is None:
        found = SecondFactor(user_id=actor.user_id)
        db.session.add(found)
    found.secret = cipher().encrypt(pyotp.random_base32())
    db.session.flush()
    return found


def key_to_show(factor: SecondFactor) -> str:
    """The secret, to be typed where no code can be scanned. Refused once it is confirmed: it is never shown again."""
    if factor.confirmed_at is not None:
        raise Refused("second_factor_on")
    return cipher().decrypt(factor.secret)


def address_to_scan(factor: SecondFactor, login: str) -> str:
    """`otpauth://…` for the app's camera; the secret is in it."""
    return pyotp.TOTP(key_to_show(factor)).provisioning_uri(name=login, issuer_name=ISSUER)


def confirm(actor: Actor, code: str) -> None:
    """From now on it is asked for; every other sign-in of the user ends. Invalid where the code is not right."""
    factor = queries.second_factor_of(actor.user_id, to_change=True)
    if factor is None or factor.confirmed_at is not None:
        raise Refused("second_factor_not_begun")
    if not _fits(factor, code):
        raise Invalid(code="wrong_code")
    factor.confirmed_at = clock.now()
    end_sign_ins(actor.user_id, but=actor.sign_in_id)
    tell_owner(actor.user_id, "second_factor_on", happened_now())
    audit.note(actor, "second_factor_on", "user", [actor.user_id])
    db.session.flush()


def check(user: User, code: str) -> None:
    """Refused `bad_credentials` where the code is not right, or has opened before."""
    factor = queries.second_factor_of(user.id, to_change=True)
    if factor is None or not _fits(factor, code):
        raise Refused("bad_credentials")
    db.session.flush()


def _fits(factor: SecondFactor, code: str) -> bool:
    """Whether it is the code of now or of a step beside it, later than any that was used; it is used up then."""
    typed = plain_digits(code).encode()
    generator, present = pyotp.TOTP(cipher().decrypt(factor.secret)), int(clock.now().timestamp()) // STEP_SECONDS
    fitting = [step for step in range(present - DRIFT, present + DRIFT + 1)
               if hmac.compare_digest(generator.generate_otp(step).encode(), typed)]
    unused = [step for step in fitting if factor.last_step is None or step > factor.last_step]
    if not unused:
        return False
    factor.last_step = unused[-1]
    return True


def remove(actor: Actor, password: str, *, required: bool) -> None:
    """By its owner. Invalid where the password is wrong; Refused `second_factor_required` where staff must have one."""
    if required:
        raise Refused("second_factor_required")
    user = queries.user_by_id(actor.user_id)
    if not password_fits(user, password):
        raise Invalid(password="wrong_password")  # noqa: S106 - a message key
    _forget(actor.user_id, actor)


def forget(user: User, by: Actor | None) -> None:
    """By an administrator or from the terminal, for somebody who lost the phone; they have to sign in again."""
    _forget(user.id, by)
    end_sign_ins(user.id)


def _forget(user_id: int, by: Actor | None) -> None:
    found = queries.second_factor_of(user_id, to_change=True)
    if found is not None:
        if found.confirmed_at is not None:  # what was only begun was never asked for
            tell_owner(user_id, "second_factor_off", happened_now())
        db.session.delete(found)
        audit.note(by, "second_factor_off", "user", [user_id])
    db.session.flush()
