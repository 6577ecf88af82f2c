"""For whom: residents, and who may act for them."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, ColumnElement, Date, ForeignKey, Index, String, Text, or_, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from facilities.engine.eligibility import Candidate, Sex
from facilities.infra.columns import BigId, UtcDateTime, enum_type
from facilities.infra.db import Model
from facilities.infra.exclusion import check


class Relation(StrEnum):
    SELF = "self"
    CHILD = "child"
    PARENT = "parent"
    SPOUSE = "spouse"
    GRANDCHILD = "grandchild"
    GRANDPARENT = "grandparent"
    OTHER = "other"


class Resident(Model):
    """A natural person who is served; apart from the account that may act for them."""

    __tablename__ = "residents"
    __table_args__ = (
        check("disability_category BETWEEN 1 AND 7", "disability_category"),
        check("disability_grade BETWEEN 1 AND 4", "disability_grade"),
        check("(disability_category IS NULL) = (disability_grade IS NULL)", "disability_whole"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    sex: Mapped[Sex] = mapped_column(enum_type(Sex, "sex"))
    birth_date: Mapped[date | None] = mapped_column(Date)
    phone: Mapped[str | None] = mapped_column(String(20), index=True)
    disability_category: Mapped[int | None]  # 1 sight 2 hearing 3 speech 4 body 5 intellect 6 mind 7 several
    disability_grade: Mapped[int | None]
    community_code: Mapped[str | None] = mapped_column(String(12))  # the statistics bureau's
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    # loaded with the lists that show it; a single one may ask for it when it is shown
    identity: Mapped["Identity | None"] = relationship(viewonly=True, uselist=False)

    @property
    def as_candidate(self) -> Candidate:
        return Candidate(self.birth_date, self.sex, self.disability_category is not None, self.community_code)


class Guardianship(Model):
    """A user may act for a resident; `relation` is what the resident is to the user."""

    __tablename__ = "guardianships"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), primary_key=True, index=True)
    relation: Mapped[Relation] = mapped_column(enum_type(Relation, "relation"))
    consented_at: Mapped[datetime] = mapped_column(UtcDateTime)  # PIPL art. 13 and 31: who registers, consents
    until: Mapped[date | None] = mapped_column(Date)  # a child's guardian acts up to the eighteenth birthday

    resident: Mapped[Resident] = relationship(lazy="raise")

    @classmethod
    def acts_on(cls, day: date | ColumnElement[date]) -> ColumnElement[bool]:
        """Whether the link gives any right on the district's `day`: every query that asks who may act, asks this."""
        return or_(cls.until.is_(None), cls.until > day)


class PastGuardianship(Model):
    """Who once acted for a resident, and why no longer."""

    __tablename__ = "past_guardianships"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), index=True)
    relation: Mapped[Relation] = mapped_column(enum_type(Relation, "relation"))
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime] = mapped_column(UtcDateTime)
    why: Mapped[str] = mapped_column(String(20))  # left, came_of_age, withdrawn, merged


class Invitation(Model):
    """Somebody who acts for a resident lets one other account act for them too, once it confirms with the code."""

    __tablename__ = "invitations"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), index=True)
    invited_by: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    accepted_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ConsentKind(StrEnum):
    REGISTRATION = "registration"  # name, birth date, sex, phone, bookings (PIPL art. 13)
    GUARDIAN = "guardian"  # of a child under 14 (art. 31)
    DISABILITY = "disability"  # category and grade (art. 29)
    HEALTH = "health"  # visits and groups (art. 29)


class Consent(Model):
    """Who consented to what for whom, in which words, and until when."""

    __tablename__ = "consents"
    __table_args__ = (
        Index("uq_consents_one_that_holds", "resident_id", "user_id", "kind", unique=True,
              postgresql_where=text("withdrawn_at IS NULL"), sqlite_where=text("withdrawn_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[ConsentKind] = mapped_column(enum_type(ConsentKind, "kind"))
    text_version: Mapped[str] = mapped_column(String(20))
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Identity(Model):
    """Numbers that name a person: encrypted, found by a keyed hash, and apart from what lists show."""

    __tablename__ = "identities"
    __table_args__ = (
        Index("uq_identities_id_number", "id_number_hash", unique=True, info={"refusal": "id_number_in_use"}),
        Index("uq_identities_certificate", "certificate_hash", unique=True, info={"refusal": "certificate_in_use"}),
        check("(id_number IS NULL) = (id_number_hash IS NULL)", "id_number_whole"),
        check("(certificate IS NULL) = (certificate_hash IS NULL)", "certificate_whole"),
    )

    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), primary_key=True)
    id_number: Mapped[str | None] = mapped_column(Text)
    id_number_hash: Mapped[str | None] = mapped_column(String(64))
    certificate: Mapped[str | None] = mapped_column(Text)
    certificate_hash: Mapped[str | None] = mapped_column(String(64))


class Merge(Model):
    """Two records of one person made one. `moves`: what was moved or set aside, so that it can be undone."""

    __tablename__ = "merges"
    __table_args__ = (
        check("kept_id <> gone_id", "two_records"),
        Index("uq_merges_gone_once", "gone_id", unique=True,
              postgresql_where=text("undone_at IS NULL"), sqlite_where=text("undone_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    kept_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), index=True)
    gone_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    moves: Mapped[list[dict[str, object]]] = mapped_column(JSON)
    merged_at: Mapped[datetime] = mapped_column(UtcDateTime)
    merged_by: Mapped[int] = mapped_column(BigId)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    undone_by: Mapped[int | None] = mapped_column(BigId)


class DifferentPersons(Model):
    """Two records that look like one person's and are not: somebody has asked, and nobody needs to again."""

    __tablename__ = "different_persons"
    __table_args__ = (check("first_id < second_id", "in_order"),)

    first_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), primary_key=True, autoincrement=False)
    second_id: Mapped[int] = mapped_column(
        ForeignKey("residents.id"), primary_key=True, autoincrement=False, index=True)
    said_at: Mapped[datetime] = mapped_column(UtcDateTime)
    said_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))


class PendingRegistration(Model):
    """Somebody who registered and has not shown yet that the phone is theirs. What they said is encrypted."""

    __tablename__ = "pending_registrations"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    phone_hash: Mapped[str] = mapped_column(String(64), index=True)
    sealed: Mapped[str] = mapped_column(Text)
    code_hash: Mapped[str] = mapped_column(String(64))
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
