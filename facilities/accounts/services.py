"""The verbs about who acts: create, grant, let in, put out."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import case, delete, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from facilities.accounts import devices, grants, queries
from facilities.accounts.grants import Wanted
from facilities.accounts.models import SignIn, SignInFailures, SignInKind, User
from facilities.engine.passwords import check_password
from facilities.engine.phones import read_phone
from facilities.infra import audit
from facilities.infra.db import db
from facilities.infra.outbox import tell
from facilities.kernel import clock
from facilities.kernel.actors import Actor, Granted
from facilities.kernel.refusals import Invalid, NotPermitted, NotVisible, Refusal, Refused

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
    check_password_fit(password, staff=staff, field=field)
    return HASHER.hash(password)


def check_password_fit(password: str, *, staff: bool, field: str = "password") -> None:
    if wrong := check_password(password, common=common_passwords(), staff=staff):
        raise Invalid(**{field: wrong})


def password_fits(user: User | None, password: str) -> bool:
    try:
        HASHER.verify(user.password_hash if user else _nobodys_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return user is not None and not user.disabled


def create_user(login: str, display_name: str, password_hash: str, granted: Sequence[Granted | Wanted] = (),
                by: Actor | None = None) -> User:
    """Refused `login_taken` by the unique index; Invalid where a grant has no, or no such, facility."""
    if len(login) > LONGEST_LOGIN:  # folding may have made it longer than what was typed
        raise Invalid(login="login_too_long")
    user = User(login=login, display_name=display_name, password_hash=password_hash, created_at=clock.now())
    db.session.add(user)
    db.session.flush()
    if by is not None:
        audit.note(by, "created", "user", [user.id])
    replace_grants(user, granted, by)
    return user


def replace_grants(user: User, granted: Sequence[Granted | Wanted], by: Actor | None = None) -> None:
    """What stays as it is keeps its row; where anything changed, whoever is signed in as this user has to do it again.

    Invalid where a grant cannot be; Refused `last_administrator`.
    """
    if grants.rewrite(user, granted, by):
        end_sign_ins(user.id)


def give_grant(user: User, wanted: Wanted, by: Actor) -> None:
    """One more, or the same with another end."""
    others = [wish for wish in grants.as_wanted(queries.grants_to_come_or_held(user.id))
              if wish.granted != wanted.granted]
    replace_grants(user, [*others, wanted], by)


def end_grant(user: User, grant_id: int, by: Actor) -> None:
    rows = queries.grants_to_come_or_held(user.id)
    if grant_id not in {row.id for row in rows}:
        raise NotVisible
    replace_grants(user, grants.as_wanted([row for row in rows if row.id != grant_id]), by)


def lapse(grant_id: int) -> None:
    """A grant that nobody has used for long, ended by time."""
    user_id = grants.lapse(grant_id)
    if user_id is not None:
        end_sign_ins(user_id)


def rename(user: User, display_name: str, by: Actor) -> None:
    user.display_name = display_name
    audit.note(by, "changed", "user", [user.id], {"fields": ["display_name"]})
    db.session.flush()


def set_disabled(user: User, *, disabled: bool, by: Actor | None = None) -> None:
    """A disabled user's sign-ins end at once and for good. Refused `last_administrator`."""
    if disabled == user.disabled:
        return
    if disabled:
        grants.refuse_to_lose_the_last_administrator(user.id)
        end_sign_ins(user.id)
    user.disabled = disabled
    audit.note(by, "disabled" if disabled else "enabled", "user", [user.id])
    db.session.flush()


def is_staff_account(user: User) -> bool:
    """Whoever was ever granted something, or signs in by a name."""
    return read_phone(user.login) is None or bool(queries.grant_rows(user.id))


def set_staff_password(user: User, password_hash: str, by: Actor) -> None:
    """By an administrator; every sign-in of the user is dead. NotPermitted for a resident's account: theirs alone."""
    if not is_staff_account(user):
        raise NotPermitted
    _set_password(user, password_hash)
    devices.forget_all(user.id)
    audit.note(by, "password_set", "user", [user.id])


def set_password_anew(user: User, password_hash: str) -> None:
    """By whoever proved to hold the phone: sign-ins, failures and known devices from before count no more."""
    _set_password(user, password_hash)
    devices.forget_all(user.id)
    forget_failures(user.login)
    audit.note(None, "password_reset", "user", [user.id])


def _set_password(user: User, password_hash: str, but: int | None = None) -> None:
    db.session.refresh(user, with_for_update=True)
    user.password_hash = password_hash
    end_sign_ins(user.id, but=but)
    tell_owner(user.id, "password_changed", happened_now())
    db.session.flush()


def tell_owner(user_id: int, kind: str, facts: Mapping[str, object]) -> None:
    """A message about the account itself. It counts as unread whoever did it: that may have been a thief."""
    tell(kind, "user", queries.whom(user_id), facts)


def happened_now() -> dict[str, object]:
    return {"at": clock.local(clock.now()).isoformat()}


def attempts_key(login: str, user_id: int, device: str | None) -> str:
    """What failures are counted under: the login, or this browser where the user signed in from it before.

    So strangers who guess lock out themselves, and not the owner at home. `user_id` is 0 for a login that nobody has.
    """
    if device and devices.is_known(user_id, device):
        return f"{login} from {device}"
    return login


def refuse_if_too_many_failures(login: str, most: int = MOST_FAILURES,
                                within: timedelta = FAILURES_FORGOTTEN_AFTER) -> Refusal | None:
    """The limit per account. Unknown logins are counted alike."""
    failures = queries.failures_of(fingerprint(login))
    if failures is None or failures.failures < most:
        return None
    left = failures.first_failed_at + within - clock.now()
    seconds = int(left.total_seconds())
    return Refusal("too_many_attempts", {"retry_after": seconds}) if seconds > 0 else None


def note_failure(login: str, within: timedelta = FAILURES_FORGOTTEN_AFTER) -> None:
    """One statement, so that guesses that come at once are all counted."""
    now = clock.now()
    over = SignInFailures.first_failed_at <= now - within
    insert = postgresql_insert if db.engine.dialect.name == "postgresql" else sqlite_insert
    db.session.execute(
        insert(SignInFailures).values(login=fingerprint(login), failures=1, first_failed_at=now)
        .on_conflict_do_update(index_elements=[SignInFailures.login], set_={
            "failures": case((over, 1), else_=SignInFailures.failures + 1),
            "first_failed_at": case((over, now), else_=SignInFailures.first_failed_at)}))


def forget_failures(*keys: str) -> None:
    db.session.execute(delete(SignInFailures).where(SignInFailures.login.in_([fingerprint(key) for key in keys])))


def open_sign_in(user: User, kind: SignInKind, verified: str | None = None, *, device: str | None = None,
                 key: str | None = None) -> tuple[str, SignIn]:
    """The secret, which is kept nowhere, and its row. `verified` is the password's hash that was checked.

    `device` in words, for the list of sign-ins; `key` as `attempts_key` gave it: what failed under it is forgotten.
    Refused where the password was changed, or the user disabled, between the check and now.
    """
    now = clock.now()
    db.session.refresh(user, with_for_update=True)
    if user.disabled or verified not in (None, user.password_hash):
        raise Refused("bad_credentials")
    secret = secrets.token_urlsafe(32)
    row = SignIn(user_id=user.id, kind=kind, secret_hash=fingerprint(secret), created_at=now, last_seen_at=now,
                 ends_at=now + LONGEST[kind], device=device)
    db.session.add(row)
    forget_failures(key or user.login)
    grants.note_used(user.id)
    db.session.flush()
    return secret, row


def find_sign_in(secret: str, kind: SignInKind) -> queries.LiveSignIn | None:
    now = clock.now()
    return queries.live_sign_in(fingerprint(secret), kind, now, now - IDLE[kind])


def is_due_to_be_seen(last_seen_at: datetime) -> bool:
    return clock.now() - last_seen_at > SEEN_EVERY


def note_seen(actor: Actor) -> None:
    db.session.execute(update(SignIn).where(SignIn.id == actor.sign_in_id).values(last_seen_at=clock.now()))
    if actor.is_staff:
        grants.note_used(actor.user_id)


def sign_ins_of(actor: Actor) -> list[SignIn]:
    """The actor's own that still hold, the one seen last first."""
    return queries.sign_ins_of(actor.user_id, clock.now(), IDLE)


def end_own_sign_in(actor: Actor, sign_in_id: int) -> None:
    """NotVisible where it is not the actor's, or over."""
    if sign_in_id not in {row.id for row in sign_ins_of(actor)}:
        raise NotVisible
    end_sign_in(sign_in_id)


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
    _set_password(user, hash_password(new_password, staff=actor.is_staff, field="new_password"),
                  but=actor.sign_in_id)
