"""Reads about who acts."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    String,
    and_,
    bindparam,
    cast,
    func,
    literal,
    null,
    or_,
    select,
)

from facilities.accounts.models import Grant, SecondFactor, SignIn, SignInFailures, SignInKind, User
from facilities.infra.columns import UtcDateTime
from facilities.infra.db import db
from facilities.infra.prepared import Prepared
from facilities.kernel import clock
from facilities.kernel.actors import Actor, Granted, Role


class LiveSignIn(NamedTuple):
    """A sign-in that still holds, who acts through it, when it was last seen, and whether a second factor is set up."""

    actor: Actor
    last_seen_at: datetime
    has_second_factor: bool


def user_by_login(login: str) -> User | None:
    return db.session.scalar(select(User).where(User.login == login))


def user_by_id(user_id: int) -> User | None:
    return db.session.get(User, user_id)


def failures_of(login_hash: str) -> SignInFailures | None:
    return db.session.get(SignInFailures, login_hash)


def holds_at(moment: datetime | ColumnElement[datetime]) -> ColumnElement[bool]:
    """The grant has started and has not ended."""
    return and_(Grant.starts_at <= moment, or_(Grant.ends_at.is_(None), Grant.ends_at > moment))


def grants_of(user_id: int) -> list[Granted]:
    """What holds now."""
    rows = db.session.execute(
        select(Grant.role, Grant.facility_id, Grant.sub_district_code)
        .where(Grant.user_id == user_id, holds_at(clock.now())).order_by(Grant.id))
    return [Granted(*row) for row in rows]


def grant_rows(user_id: int) -> list[Grant]:
    """All of them: those that ended, that hold, and that are to come."""
    return list(db.session.scalars(select(Grant).where(Grant.user_id == user_id).order_by(Grant.id)))


def grants_to_come_or_held(user_id: int) -> list[Grant]:
    now = clock.now()
    return [row for row in grant_rows(user_id) if row.ends_at is None or row.ends_at > now]


def lasting_administrators() -> set[int]:
    """The users who administer now and with no end in sight."""
    return set(db.session.scalars(
        select(Grant.user_id).join(User, User.id == Grant.user_id)
        .where(Grant.role == Role.ADMINISTRATOR, Grant.starts_at <= clock.now(), Grant.ends_at.is_(None),
               User.disabled.is_(False))))


def grants_to_lapse(now: datetime, unused_for: timedelta) -> list[int]:
    """Ids of the grants that hold and that nobody has used for so long, from the later of start and last use."""
    since = now - unused_for
    return list(db.session.scalars(
        select(Grant.id).where(Grant.starts_at <= since, holds_at(now),
                               or_(Grant.last_used_at.is_(None), Grant.last_used_at <= since)).order_by(Grant.id)))


def staff() -> list[tuple[User, list[Grant]]]:
    """Everybody who has or had a grant, or signs in by a name and not by a phone, with all their grants; by login."""
    users = list(db.session.scalars(
        select(User).where(or_(User.login.not_like("1__________"), User.id.in_(select(Grant.user_id))),
                           User.erased_at.is_(None)).order_by(User.login)))
    grants: dict[int, list[Grant]] = {user.id: [] for user in users}
    for row in db.session.scalars(select(Grant).order_by(Grant.id)):
        if row.user_id in grants:
            grants[row.user_id].append(row)
    return [(user, grants[user.id]) for user in users]


def whom(user_id: int) -> Select[Any]:
    """For the outbox: (user, no resident, user): what concerns the account itself."""
    user = literal(user_id, BigInteger)
    return select(user.label("about"), cast(null(), BigInteger).label("resident"), user.label("reader"))


def number_of_sign_ins(user_id: int) -> int:
    """Of pages and clients, those that are over too as long as they are on record."""
    return db.session.scalar(select(func.count()).select_from(SignIn).where(SignIn.user_id == user_id)) or 0


def second_factor_of(user_id: int, *, to_change: bool = False) -> SecondFactor | None:
    found = select(SecondFactor).where(SecondFactor.user_id == user_id)
    if to_change:
        found = found.with_for_update().execution_options(populate_existing=True)
    return db.session.scalar(found)


def sign_ins_of(user_id: int, now: datetime, idle: Mapping[SignInKind, timedelta]) -> list[SignIn]:
    """Those that still hold, the one seen last first."""
    rows = db.session.scalars(
        select(SignIn).where(SignIn.user_id == user_id, SignIn.revoked_at.is_(None), SignIn.ends_at > now)
        .order_by(SignIn.last_seen_at.desc(), SignIn.id.desc()))
    return [row for row in rows if row.last_seen_at > now - idle[row.kind]]


def _find_sign_in() -> Select[Any]:
    """The sign-in, its user, the second factor and the grants that hold: every request asks it."""
    at_present = bindparam("at_present", type_=UtcDateTime)
    return (
        select(SignIn.id, SignIn.last_seen_at, SecondFactor.confirmed_at, User.id, User.login, User.display_name,
               Grant.role, Grant.facility_id, Grant.sub_district_code)
        .select_from(SignIn).join(User, User.id == SignIn.user_id)
        .outerjoin(Grant, and_(Grant.user_id == User.id, holds_at(at_present)))
        .outerjoin(SecondFactor, SecondFactor.user_id == User.id)
        .where(SignIn.secret_hash == bindparam("a_hash", type_=String),
               SignIn.kind == bindparam("a_kind", type_=SignIn.kind.type), SignIn.revoked_at.is_(None),
               SignIn.ends_at > at_present,
               SignIn.last_seen_at > bindparam("idle_since", type_=UtcDateTime), User.disabled.is_(False))
        .order_by(Grant.id))


_LIVE_SIGN_IN = Prepared(_find_sign_in)


def live_sign_in(secret_hash: str, kind: SignInKind, now: datetime, idle_since: datetime) -> LiveSignIn | None:
    """One query outside a transaction; None where the sign-in ended, was revoked or the user is disabled."""
    rows = _LIVE_SIGN_IN.alone(db.engine, {
        "a_hash": secret_hash, "a_kind": kind, "at_present": now, "idle_since": idle_since})
    if not rows:
        return None
    sign_in_id, last_seen_at, confirmed_at, user_id, login, display_name = rows[0][:6]
    grants = tuple(Granted(*row[6:]) for row in rows if row[6] is not None)
    return LiveSignIn(Actor(user_id, sign_in_id, login, display_name, grants), last_seen_at, confirmed_at is not None)
