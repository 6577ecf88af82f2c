"""Numbers that name a person: read, compared with what else is known, kept encrypted, shown masked.

One number belongs to one resident: the unique index on the keyed hash holds it. While a key is being exchanged a number
may be stored under one of several hashes; then whoever writes one has the table to themselves, and looks under each.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import InstrumentedAttribute

from facilities.accounts.models import SecondFactor
from facilities.engine.eligibility import Sex
from facilities.engine.identity import Certificate, IdNumber, mask_number, read_certificate, read_id_number
from facilities.households import queries
from facilities.households.models import Identity, Resident
from facilities.infra.db import db
from facilities.infra.encryption import Cipher, cipher
from facilities.kernel import clock
from facilities.kernel.refusals import Invalid, Refused

Given = Mapping[str, IdNumber | Certificate | None]  # by the name of the field; None takes a number away


@dataclass(frozen=True, slots=True)
class _Kind:
    """Where a kind of number is kept, how it is read, and what is said where somebody else has it."""

    column: str
    hash_column: InstrumentedAttribute[str | None]
    read: Callable[[str, date], IdNumber | Certificate | str]
    in_use: str


_KINDS = {
    "id_number": _Kind("id_number", Identity.id_number_hash, read_id_number, "id_number_in_use"),
    "disability_certificate": _Kind("certificate", Identity.certificate_hash, read_certificate, "certificate_in_use"),
}


def agreed(values: Mapping[str, Any], birth_date: date | None, sex: Sex) -> tuple[dict[str, Any], Given]:
    """A new resident's other columns and numbers. A certificate says the disability where that is not given.

    Invalid: `id_number_check`, `certificate_check`, and where two of what is said contradict each other.
    """
    columns, given = _read(values)
    return _compare(columns, given, given, birth_date, sex)


def agreed_change(resident: Resident, changes: Mapping[str, Any]) -> tuple[dict[str, Any], Given]:
    """As `agreed`, with what is known already: whoever has a number keeps its birth date and sex.

    Where the disability is taken away, the certificate goes with it.
    """
    columns, given = _read(changes)
    if columns.get("disability_category", 0) is None:
        given = {"disability_certificate": None, **given}
    if not given and not {"birth_date", "sex", "disability_category"} & columns.keys():
        return columns, given
    queries.lock_residents([resident.id])  # two changes at once must not agree with what each other takes away
    db.session.refresh(resident)
    known = {**stored(queries.identity_of(resident.id)), **given}
    if resident.birth_date is None and (day := born(given)):
        columns.setdefault("birth_date", day)
    return _compare(columns, given, known, columns.get("birth_date", resident.birth_date),
                    columns.get("sex", resident.sex))


def _read(values: Mapping[str, Any]) -> tuple[dict[str, Any], Given]:
    columns, given, wrong = dict(values), dict[str, IdNumber | Certificate | None](), dict[str, str]()
    for name, kind in _KINDS.items():
        if name not in columns:
            continue
        typed = columns.pop(name)
        number = kind.read(typed, clock.today()) if typed is not None else None
        if isinstance(number, str):
            wrong[name] = number
        else:
            given[name] = number
    if wrong:
        raise Invalid(**wrong)
    return columns, given


def _compare(columns: dict[str, Any], given: Given, known: Given, birth_date: date | None, sex: Sex,
             ) -> tuple[dict[str, Any], Given]:
    """What contradicts is said at the field that was typed in now."""
    wrong: dict[str, str] = {}
    certificate, holders = known.get("disability_certificate"), _holders(known)
    for name, holder in holders.items():
        if birth_date not in (None, holder.birth_date):
            wrong[name if name in given else "birth_date"] = "id_number_birth_date"
        elif holder.sex is not sex:
            wrong[name if name in given else "sex"] = "id_number_sex"
    if len({holder.number for holder in holders.values()}) > 1:
        wrong.setdefault("disability_certificate" if "disability_certificate" in given else "id_number",
                         "certificate_id_number")
    if isinstance(certificate, Certificate):
        said = {"disability_category": certificate.category, "disability_grade": certificate.grade}
        if "disability_category" not in columns:
            columns |= said if "disability_certificate" in given else {}
        elif any(columns[name] != value for name, value in said.items()):
            wrong["disability"] = "certificate_disability"
    if wrong:
        raise Invalid(**wrong)
    return columns, given


def _holders(numbers: Given) -> dict[str, IdNumber]:
    return {name: number.holder if isinstance(number, Certificate) else number
            for name, number in numbers.items() if number is not None}


def born(numbers: Given) -> date | None:
    return next((holder.birth_date for holder in _holders(numbers).values()), None)


def keep(resident: Resident, given: Given) -> None:
    """Encrypted, and to be found by a hash. Refused `id_number_in_use`, `certificate_in_use`."""
    if not given:
        return
    queries.lock_residents([resident.id])
    row, box = queries.identity_of(resident.id) or Identity(resident_id=resident.id), cipher()
    if box.is_changing:
        have_to_ourselves()
    for name, number in given.items():
        kind = _KINDS[name]
        if number is not None and queries.holders(kind.hash_column, box.lookups(number.number)) - {resident.id}:
            raise Refused(kind.in_use)
        setattr(row, kind.column, box.encrypt(number.number) if number else None)
        setattr(row, kind.hash_column.key, box.lookup(number.number) if number else None)
    _store(row)
    db.session.expire(resident, ["identity"])


def _store(row: Identity) -> None:
    """A row without any number is none."""
    if row.id_number or row.certificate:
        db.session.add(row)
    elif row in db.session:
        db.session.delete(row)
    db.session.flush()


def hand_over(name: str, from_id: int, to_id: int) -> str | None:
    """One record's number becomes the other's, as it is stored. Masked, as it is shown; None where there was none."""
    kind, giver = _KINDS[name], queries.identity_of(from_id)
    kept = getattr(giver, kind.column) if giver else None
    if giver is None or kept is None:
        return None
    found = getattr(giver, kind.hash_column.key)
    setattr(giver, kind.column, None)
    setattr(giver, kind.hash_column.key, None)
    _store(giver)
    taker = queries.identity_of(to_id) or Identity(resident_id=to_id)
    setattr(taker, kind.column, kept)
    setattr(taker, kind.hash_column.key, found)
    _store(taker)
    return mask_number(cipher().decrypt(kept))


def stored(row: Identity | None) -> dict[str, IdNumber | Certificate | None]:
    """The numbers of a resident, readable: for comparing, not for showing."""
    numbers: dict[str, IdNumber | Certificate | None] = {}
    for name, kind in _KINDS.items():
        kept = getattr(row, kind.column) if row else None
        number = kind.read(cipher().decrypt(kept), clock.today()) if kept else None
        if number is not None and not isinstance(number, str):
            numbers[name] = number
    return numbers


def masked(row: Identity | None) -> dict[str, str | None]:
    """As they are shown, to whoever may act for the person too."""
    return {f"{kind.column}_masked": mask_number(cipher().decrypt(kept))
            if row and (kept := getattr(row, kind.column)) else None for kind in _KINDS.values()}


def have_to_ourselves() -> None:
    """Until the commit nobody else writes a number. SQLite has one writer anyway."""
    if db.session.connection().dialect.name == "postgresql":
        db.session.execute(text("LOCK TABLE identities IN SHARE ROW EXCLUSIVE MODE"))


def rotate() -> int:
    """Everything that is encrypted goes under the newest key, and is found by it. How many rows that were.

    Unreadable where a key is missing; then nothing has changed.
    """
    box = cipher()
    have_to_ourselves()
    rows = db.session.scalars(select(Identity).order_by(Identity.resident_id).with_for_update()).all()
    for row in rows:
        for kind in _KINDS.values():
            _again(box, row, kind)
    secrets = db.session.scalars(select(SecondFactor).order_by(SecondFactor.user_id).with_for_update()).all()
    for secret in secrets:
        secret.secret = box.again(secret.secret)
    db.session.flush()
    return len(rows) + len(secrets)


def _again(box: Cipher, row: Identity, kind: _Kind) -> None:
    if kept := getattr(row, kind.column):
        setattr(row, kind.column, box.again(kept))
        setattr(row, kind.hash_column.key, box.lookup(box.decrypt(kept)))
