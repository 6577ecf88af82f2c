"""For whom: residents, and who may act for them."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Date, ForeignKey, String
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

    resident: Mapped[Resident] = relationship(lazy="raise")
