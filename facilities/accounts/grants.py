"""What staff may do: given, changed, ended. Every change is audited; whoever keeps a right keeps its row."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from facilities.accounts import queries
from facilities.accounts.models import Grant, User
from facilities.infra import audit
from facilities.infra.db import db
from facilities.kernel import clock
from facilities.kernel.actors import Actor, Granted, Role
from facilities.kernel.refusals import Invalid, Refused

LAPSES_AFTER = timedelta(days=90)  # (our choice) a quarter without a single use: nobody misses it
USED_EVERY = timedelta(hours=12)  # how exactly 'last used' is kept
AT_A_FACILITY = frozenset({Role.MANAGER, Role.GUARD})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A right as it shall be. Without a start it holds from now, or keeps the start that it has; without an end, on."""

    granted: Granted
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def rewrite(user: User, grants: Iterable[Granted | Wanted], by: Actor | None) -> bool:
    """Exactly these from now on; whether anything changed.

    Invalid where one cannot be, Refused `last_administrator` where nobody would be left who administers without end.
    """
    now = clock.now()
    wanted = _by_scope(grants, now)
    _lock(user.id)
    administrators = _administrators()
    rows = {_scope_of(row): row for row in queries.grant_rows(user.id)}
    changed = [_end(row, now, by) for scope, row in rows.items()
               if scope not in wanted and not has_ended(row, now)]
    changed += [_put(user, rows.get(scope), wish, now, by) for scope, wish in wanted.items()]
    if user.id in administrators and not queries.lasting_administrators():
        raise Refused("last_administrator")
    return any(changed)


def refuse_to_lose_the_last_administrator(user_id: int) -> None:
    """Before somebody who may be it is disabled or erased."""
    _lock(user_id)
    if _administrators() == {user_id}:
        raise Refused("last_administrator")


def _lock(user_id: int) -> None:
    """The user before the grants, as signing in does."""
    db.session.execute(select(User.id).where(User.id == user_id).with_for_update())


def _administrators() -> set[int]:
    """Locked, in id order, and then looked at: two who dismiss each other at once must not both succeed."""
    db.session.execute(select(Grant.id).where(Grant.role == Role.ADMINISTRATOR).order_by(Grant.id).with_for_update())
    return queries.lasting_administrators()


def has_ended(row: Grant, now: datetime) -> bool:
    return row.ends_at is not None and row.ends_at <= now


def _scope_of(row: Grant) -> Granted:
    return Granted(row.role, row.facility_id, row.sub_district_code)


def as_wanted(rows: Sequence[Grant]) -> list[Wanted]:
    """What is to come or held, as it stands, to be handed in again with something more or less."""
    return [Wanted(_scope_of(row), row.starts_at, row.ends_at) for row in rows]


def _by_scope(grants: Iterable[Granted | Wanted], now: datetime) -> dict[Granted, Wanted]:
    found: dict[Granted, Wanted] = {}
    for one in grants:
        wish = one if isinstance(one, Wanted) else Wanted(one)
        if (wish.granted.role in AT_A_FACILITY) != (wish.granted.facility_id is not None):
            raise Invalid(grants="grant_needs_facility")
        if wish.granted.sub_district_code and wish.granted.role is not Role.REVIEWER:
            raise Invalid(grants="sub_district_for_reviewers")
        if wish.ends_at is not None and wish.ends_at <= max(now, wish.starts_at or now):
            raise Invalid(grants="ends_before_it_starts")
        if found.setdefault(wish.granted, wish) != wish:
            raise Invalid(grants="granted_twice")
    return found


def _put(user: User, row: Grant | None, wish: Wanted, now: datetime, by: Actor | None) -> bool:
    """One grant as it is wanted, in the row that there is; whether that changed anything."""
    if row is None:
        row = Grant(user_id=user.id, role=wish.granted.role, facility_id=wish.granted.facility_id,
                    sub_district_code=wish.granted.sub_district_code)
        starts_at = max(wish.starts_at or now, now)
    elif has_ended(row, now):
        starts_at, row.last_used_at = max(wish.starts_at or now, now), None
    else:
        # when something began cannot be changed any more
        stays = wish.starts_at is None or (wish.starts_at <= now and row.starts_at <= now)
        starts_at = row.starts_at if stays else max(wish.starts_at or now, now)
        if (starts_at, wish.ends_at) == (row.starts_at, row.ends_at):
            return False
    row.starts_at, row.ends_at, row.granted_by = starts_at, wish.ends_at, by.user_id if by else None
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError as error:  # the one foreign key that a caller chooses
        unknown = "unknown_sub_district" if wish.granted.sub_district_code else "unknown_facility"
        raise Invalid(grants=unknown) from error
    _note(by, "granted", row)
    return True


def _end(row: Grant, now: datetime, by: Actor | None, verb: str = "grant_ended") -> bool:
    """What has held stays on record with its end; what never did goes."""
    _note(by, verb, row)
    if row.starts_at < now:
        row.ends_at = now
    else:
        db.session.delete(row)
    db.session.flush()
    return True


def _note(by: Actor | None, verb: str, row: Grant) -> None:
    facts = {"role": row.role.value, "facility_id": str(row.facility_id) if row.facility_id else None,
             "sub_district_code": row.sub_district_code, "starts_at": clock.local(row.starts_at).isoformat(),
             "ends_at": clock.local(row.ends_at).isoformat() if row.ends_at else None}
    # rights belong into the chain whoever changes them: an administrator, the terminal, or time
    audit.note(by, verb, "user", [row.user_id], {k: v for k, v in facts.items() if v is not None}, sensitive=True)


def note_used(user_id: int) -> None:
    """Whoever comes in uses what they were granted."""
    now = clock.now()
    db.session.execute(
        update(Grant).where(Grant.user_id == user_id, queries.holds_at(now),
                            or_(Grant.last_used_at.is_(None), Grant.last_used_at <= now - USED_EVERY))
        .values(last_used_at=now), execution_options={"synchronize_session": False})


def due_to_lapse(now: datetime) -> list[int]:
    """Unused for LAPSES_AFTER; the only administrator's is not among them."""
    ids = queries.grants_to_lapse(now, LAPSES_AFTER)
    administrators = queries.lasting_administrators()
    return [row.id for row in db.session.scalars(select(Grant).where(Grant.id.in_(ids)).order_by(Grant.id))
            if row.role is not Role.ADMINISTRATOR or administrators - {row.user_id}]


def lapse(grant_id: int) -> int | None:
    """End it, if it is still due and not the last administrator's; whose it was."""
    now = clock.now()
    administrators = _administrators()
    row = db.session.scalar(select(Grant).where(Grant.id == grant_id).with_for_update()
                            .execution_options(populate_existing=True))
    if row is None or row.id not in queries.grants_to_lapse(now, LAPSES_AFTER):
        return None
    if row.role is Role.ADMINISTRATOR and not administrators - {row.user_id}:
        return None
    _end(row, now, None, "grant_lapsed")
    return row.user_id
