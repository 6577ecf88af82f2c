"""Registering where a phone has to be shown to be one's own: said first, made true by the code that comes by message.

Known and unknown phones are answered alike; the owner of a known one is told. Who registers first does not keep the
owner out: each attempt has a code of its own, and a page takes only the one that belongs to what was typed there.
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from secrets import randbelow

from sqlalchemy import delete, func, select, update

from facilities.accounts import queries as accounts
from facilities.accounts.models import User
from facilities.engine.eligibility import Sex
from facilities.engine.phones import read_phone
from facilities.households.models import PendingRegistration
from facilities.households.services import check_birth_date, register
from facilities.infra.db import db
from facilities.infra.encryption import cipher
from facilities.infra.outbox import Notice
from facilities.kernel import clock
from facilities.kernel.refusals import Invalid

HOLDS_FOR = timedelta(minutes=10)
MOST_ATTEMPTS = 5
MOST_OPEN = 3  # for one phone at a time: nobody is flooded with codes
TOLD_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody says of themselves."""

    phone: str
    password_hash: str
    name: str
    birth_date: date
    sex: Sex


def ask(wanted: Wanted) -> int:
    """The number by which a page knows its own attempt again; 0 where there is none. Invalid as in registering."""
    phone = read_phone(wanted.phone)
    if phone is None:
        raise Invalid(phone="bad_phone")
    check_birth_date(wanted.birth_date)
    if owner := accounts.user_by_login(phone):
        _tell_owner(owner)
        return 0
    now, phone_hash = clock.now(), cipher().lookup(phone)
    still_open = select(func.count()).select_from(PendingRegistration).where(
        PendingRegistration.phone_hash == phone_hash, PendingRegistration.ends_at > now)
    if (db.session.scalar(still_open) or 0) >= MOST_OPEN:
        return 0
    code = f"{randbelow(10**6):06}"
    said = {"phone": phone, "password_hash": wanted.password_hash, "name": wanted.name,
            "birth_date": wanted.birth_date.isoformat(), "sex": wanted.sex.value}
    row = PendingRegistration(phone_hash=phone_hash, sealed=cipher().encrypt(json.dumps(said)), created_at=now,
                              code_hash=_fingerprint(phone, code), ends_at=now + HOLDS_FOR)
    db.session.add(row)
    db.session.flush()
    facts = {"code": cipher().encrypt(code), "to": cipher().encrypt(phone)}
    db.session.add(Notice(kind="code", about_kind="registration", about_id=row.id, facts=facts, created_at=now))
    db.session.flush()
    return row.id


def _tell_owner(owner: User) -> None:
    now = clock.now()
    lately = select(Notice.id).where(Notice.user_id == owner.id, Notice.kind == "registered_already",
                                     Notice.created_at > now - TOLD_EVERY)
    if db.session.scalar(lately.limit(1)) is None:
        db.session.add(Notice(user_id=owner.id, kind="registered_already", about_kind="account", about_id=owner.id,
                              facts={}, created_at=now))
        db.session.flush()


def _fingerprint(phone: str, code: str) -> str:
    return cipher().lookup(f"{phone} {code}")


def confirm(phone_text: str, code: str, pending_id: int | None = None) -> User | None:
    """The account, or None where the code is wrong, old or tried too often: all alike, and counted.

    `pending_id`: what `ask` gave, where the caller knows it. Refused `login_taken` where another was faster.
    """
    phone = read_phone(phone_text)
    if phone is None:
        return None
    now, phone_hash = clock.now(), cipher().lookup(phone)
    waiting = (PendingRegistration.phone_hash == phone_hash, PendingRegistration.ends_at > now,
               PendingRegistration.attempts < MOST_ATTEMPTS)
    rows = db.session.scalars(
        select(PendingRegistration).where(*waiting).order_by(PendingRegistration.id).with_for_update()).all()
    for row in rows:
        if row.code_hash == _fingerprint(phone, code.strip()) and pending_id in (None, row.id):
            said = json.loads(cipher().decrypt(row.sealed))
            user = register(said["phone"], said["password_hash"], said["name"],
                            date.fromisoformat(said["birth_date"]), Sex(said["sex"]))
            db.session.execute(delete(PendingRegistration).where(PendingRegistration.phone_hash == phone_hash))
            return user
    db.session.execute(
        update(PendingRegistration).where(*waiting).values(attempts=PendingRegistration.attempts + 1))
    return None


def forget_old() -> int:
    """How many waited too long."""
    gone = db.session.execute(
        delete(PendingRegistration).where(PendingRegistration.ends_at <= clock.now())
        .returning(PendingRegistration.id))
    return len(gone.all())
