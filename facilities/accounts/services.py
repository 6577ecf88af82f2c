"""The verbs about who acts: create, let in, put out."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import case, delete, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import IntegrityError

from facilities.accounts import queries
from facilities.accounts.models import Grant, SignIn, SignInFailures, SignInKind, User
from facilities.engine.passwords import check_password
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.actors import Actor, Granted, Role
from facilities.kernel.refusals import Invalid, Refusal, Refused

# Measured: 19 ms each on one core; the library's defaults use up two cores at 11 sign-ins a second.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

IDLE = {SignInKind.TOKEN: timedelta(days=30), SignInKind.BROWSER: timedelta(days=14)}
LONGEST = {SignInKind.TOKEN: timedelta(days=90), SignInKind.BROWSER: timedelta(days=30)}
SEEN_EVERY = timedelta(hours=12)  # how exactly 'last seen' is kept

LONGEST_LOGIN = 64
MOST_FAILURES = 10
FAILURES_FORGOTTEN_AFTER = timedelta(minutes=15)


def fingerprint(secret: str) -> str:
    """SHA-256 of a random secret; 256 bits of randomness need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


@cache
def common_passwords() -> frozenset[str]:
    # 30,000 words, loaded when the first password is chosen and not before
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # noqa: PLC0415

    return frozenset(FREQUENCY_LISTS["passwords"])


@cache
def _nobodys_hash() -> str:
    """What is verified for a login that nobody has, so that its answer takes as long."""
    return HASHER.hash(secrets.token_urlsafe(16))


def hash_password(password: str, *, staff: bool, field: str = "password") -> str:
    """Invalid where the password is unfit."""
    if wrong := check_password(password, common=common_passwords(), staff=staff):
        raise Invalid(**{field: wrong})
    return HASHER.hash(password)


def password_fits(user: User | None, password: str) -> bool:
    try:
        HASHER.verify(user.password_hash if user else _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return user is not None and not user.disabled


def create_user(login: str, display_name: str, password_hash: str, grants: Sequence[Granted] = ()) -> User:
    """Refused `login_taken` by the unique index; Invalid where a grant has no, or no such, facility."""
    if len(login) > LONGEST_LOGIN:  # folding may have made it longer than what was typed
        raise Invalid(login="login_too_long")
    user = User(login=login, display_name=display_name, password_hash=password_hash, created_at=clock.now())
    db.session.add(user)
    db.session.flush()
    replace_grants(user, grants)
    return user


def replace_grants(user: User, grants: Sequence[Granted]) -> None:
    if any((g.role is Role.MANAGER) != (g.facility_id is not None) for g in grants):
        raise Invalid(grants="manager_needs_facility")
    db.session.execute(delete(Grant).where(Grant.user_id == user.id))
    db.session.add_all(Grant(user_id=user.id, role=g.role, facility_id=g.facility_id, starts_at=clock.now())
                       for g in dict.fromkeys(grants))
    try:
        db.session.flush()
    except IntegrityError as error:  # the one foreign key that a caller chooses
        raise Invalid(grants="unknown_facility") from error


def set_disabled(user: User, *, disabled: bool) -> None:
    """A disabled user's sign-ins end at once and for good."""
    user.disabled = disabled
    if disabled:
        end_sign_ins(user.id)
    db.session.flush()


def refuse_if_too_many_failures(login: str) -> Refusal | None:
    """The limit per account. Unknown logins are counted alike."""
    failures = queries.failures_of(fingerprint(login))
    if failures is None or failures.failures < MOST_FAILURES:
        return None
    left = failures.first_failed_at + FAILURES_FORGOTTEN_AFTER - clock.now()
    seconds = int(left.total_seconds())
    return Refusal("too_many_attempts", {"retry_after": seconds}) if seconds > 0 else None


def note_failure(login: str) -> None:
    """One statement, so that guesses that come at once are all counted."""
    now = clock.now()
    over = SignInFailures.first_failed_at <= now - FAILURES_FORGOTTEN_AFTER
    insert = postgresql_insert if db.engine.dialect.name == "postgresql" else sqlite_insert
    db.session.execute(
        insert(SignInFailures).values(login=fingerprint(login), failures=1, first_failed_at=now)
        .on_conflict_do_update(index_elements=[SignInFailures.login], set_={
            "failures": case((over, 1), else_=SignInFailures.failures + 1),
            "first_failed_at": case((over, now), else_=SignInFailures.first_failed_at)}))


def open_sign_in(user: User, kind: SignInKind, verified: str | None = None) -> tuple[str, SignIn]:
    """The secret, which is kept nowhere, and its row. `verified` is the password's hash that was checked.

    Refused where the password was changed, or the user disabled, between the check and now.
    """
    now = clock.now()
    db.session.refresh(user, with_for_update=True)
    if user.disabled or verified not in (None, user.password_hash):
        raise Refused("bad_credentials")
    secret = secrets.token_urlsafe(32)
    row = SignIn(user_id=user.id, kind=kind, secret_hash=fingerprint(secret), created_at=now, last_seen_at=now,
                 ends_at=now + LONGEST[kind])
    db.session.add(row)
    db.session.execute(delete(SignInFailures).where(SignInFailures.login == fingerprint(user.login)))
    db.session.flush()
    return secret, row


def find_sign_in(secret: str, kind: SignInKind) -> queries.LiveSignIn | None:
    now = clock.now()
    return queries.live_sign_in(fingerprint(secret), kind, now, now - IDLE[kind])


def is_due_to_be_seen(last_seen_at: datetime) -> bool:
    return clock.now() - last_seen_at > SEEN_EVERY


def note_seen(sign_in_id: int) -> None:
    db.session.execute(update(SignIn).where(SignIn.id == sign_in_id).values(last_seen_at=clock.now()))


def end_sign_in(sign_in_id: int) -> None:
    """Whoever still holds the secret holds nothing."""
    db.session.execute(update(SignIn).where(SignIn.id == sign_in_id, SignIn.revoked_at.is_(None))
                       .values(revoked_at=clock.now()))


def end_sign_ins(user_id: int, *, but: int | None = None) -> None:
    statement = update(SignIn).where(SignIn.user_id == user_id, SignIn.revoked_at.is_(None))
    if but is not None:
        statement = statement.where(SignIn.id != but)
    db.session.execute(statement.values(revoked_at=clock.now()))


def change_password(actor: Actor, password: str, new_password: str) -> None:
    """Every other sign-in of the user is dead afterwards. Invalid where the present password is wrong."""
    user = queries.user_by_id(actor.user_id)
    if not password_fits(user, password) or user is None:
        raise Invalid(password="wrong_password")  # noqa: S106 - a message key
    db.session.refresh(user, with_for_update=True)
    user.password_hash = hash_password(new_password, staff=actor.is_staff, field="new_password")
    end_sign_ins(user.id, but=actor.sign_in_id)
    db.session.flush()


