"""A code sent to a phone: six digits that hold for ten minutes and a few attempts, one at a time for each purpose.

Whether a phone is known shows nowhere: what is asked for an unknown one is counted alike, and sends nothing.
"""

import hmac
import secrets
from datetime import timedelta

from sqlalchemy import select

from facilities.accounts import queries, services
from facilities.accounts.models import CodePurpose, OneTimeCode, User
from facilities.infra.db import db
from facilities.infra.encryption import cipher
from facilities.kernel import clock
from facilities.kernel.text import plain_digits

HOLDS_FOR = timedelta(minutes=10)
MOST_ATTEMPTS = 5
ANOTHER_AFTER = timedelta(seconds=60)
MOST_CODES, WITHIN = 10, timedelta(hours=24)  # with the attempts: one chance in 20,000 a day for who guesses


def send(login: str, user: User | None, purpose: CodePurpose, to: str | None = None, channel: str = "sms") -> bool:
    """A new code to the user's phone, or `to` an address that is to be confirmed; the one before is void.

    False, and nothing is sent, where there were too many or it is too soon.
    """
    key = f"{purpose} code for {login}"
    over = services.refuse_if_too_many_failures(key, MOST_CODES, WITHIN)
    if over is None:
        services.note_failure(key, WITHIN)
    if over is not None or user is None or user.disabled:
        return False
    now = clock.now()
    db.session.execute(select(User.id).where(User.id == user.id).with_for_update())  # asked for twice at once
    row = _row(user.id, purpose)
    if row is not None and to is None and now - row.created_at < ANOTHER_AFTER:
        return False
    code = f"{secrets.randbelow(10**6):06}"
    row = row or OneTimeCode(user_id=user.id, purpose=purpose)
    row.code_hash, row.attempts = _hash(user.id, purpose, code), 0
    row.created_at, row.ends_at = now, now + HOLDS_FOR
    db.session.add(row)
    db.session.flush()
    facts = {"code": cipher().encrypt(code), "purpose": purpose.value}
    if to is not None:
        facts |= {"to": cipher().encrypt(to), "channel": channel}
    services.tell_owner(user.id, "carer_code" if purpose is CodePurpose.CARER else "code", facts)
    return True


def redeem(user: User | None, purpose: CodePurpose, code: str) -> bool:
    """Whether it is the code; it opens once. Each attempt counts, so the caller commits whatever the answer."""
    row = _row(user.id, purpose) if user is not None else None
    if user is None or user.disabled or row is None or row.ends_at <= clock.now() or row.attempts >= MOST_ATTEMPTS:
        return False
    if not hmac.compare_digest(row.code_hash, _hash(user.id, purpose, plain_digits(code))):
        row.attempts += 1
        db.session.flush()
        return False
    db.session.delete(row)
    db.session.flush()
    return True


def reset_password(user: User | None, code: str, new_password: str, password_hash: str) -> bool:
    """Whether the code was right; then every sign-in of the user is dead. Invalid where staff need a longer password.
    """
    if not redeem(user, CodePurpose.RESET, code) or user is None:
        return False
    if queries.grant_rows(user.id):
        services.check_password_fit(new_password, staff=True, field="new_password")
    services.set_password_anew(user, password_hash)
    return True


def _row(user_id: int, purpose: CodePurpose) -> OneTimeCode | None:
    return db.session.scalar(
        select(OneTimeCode).where(OneTimeCode.user_id == user_id, OneTimeCode.purpose == purpose)
        .with_for_update().execution_options(populate_existing=True))


def _hash(user_id: int, purpose: CodePurpose, code: str) -> str:
    """Keyed, because a million are soon tried out."""
    return cipher().lookup(f"{user_id} {purpose} {code}")
