"""Who acts: users, what they were granted, and where they are signed in."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from facilities.infra.columns import BigId, UtcDateTime, enum_type
from facilities.infra.db import Model
from facilities.infra.exclusion import check
from facilities.kernel.actors import Role


class SignInKind(StrEnum):
    BROWSER = "browser"  # a cookie
    TOKEN = "token"  # noqa: S105 - a bearer token of the API, the word itself is no secret


class User(Model):
    """Who signs in. A resident's login is the phone number; staff have names."""

    __tablename__ = "users"
    __table_args__ = (Index("uq_users_login", "login", unique=True, info={"refusal": "login_taken"}),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    login: Mapped[str] = mapped_column(String(64))
    display_name: Mapped[str] = mapped_column(String(64))
    password_hash: Mapped[str] = mapped_column(String(255))
    disabled: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    grants: Mapped[list["Grant"]] = relationship(back_populates="user", cascade="all, delete-orphan", lazy="raise")


class Grant(Model):
    """What a member of staff may do, and where."""

    __tablename__ = "grants"
    __table_args__ = (
        check("role <> 'resident'", "role_is_for_staff"),
        check("(role IN ('manager', 'guard')) = (facility_id IS NOT NULL)", "role_at_a_facility_has_one"),
        check("role = 'reviewer' OR sub_district_code IS NULL", "sub_district_is_for_reviewers"),
        check("starts_at < ends_at", "starts_before_it_ends"),
        Index("uq_grants_user_role_facility", "user_id", "role", "facility_id", unique=True),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    role: Mapped[Role] = mapped_column(enum_type(Role, "role"))
    facility_id: Mapped[int | None] = mapped_column(ForeignKey("facilities.id"), index=True)
    sub_district_code: Mapped[str | None] = mapped_column(ForeignKey("sub_districts.code"))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    granted_by: Mapped[int | None] = mapped_column(BigId)  # an account may be erased, what it did stays
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # what nobody uses lapses

    user: Mapped[User] = relationship(back_populates="grants", lazy="raise")


class SignIn(Model):
    """A browser or a client that is signed in; the row's end is the sign-in's end, wherever the secret went."""

    __tablename__ = "sign_ins"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    kind: Mapped[SignInKind] = mapped_column(enum_type(SignInKind, "kind"))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256, hex; the secret has 256 bits itself
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    device: Mapped[str | None] = mapped_column(String(60))  # in words, so that its owner knows it again


class SecondFactor(Model):
    """A member of staff's one-time password generator. `last_step`: each code opens once."""

    __tablename__ = "second_factors"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    secret: Mapped[str] = mapped_column(Text)  # encrypted
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_step: Mapped[int | None] = mapped_column(BigInteger)


class KnownDevice(Model):
    """A browser from which a user signed in before: strangers' failures do not lock it out."""

    __tablename__ = "known_devices"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CodePurpose(StrEnum):
    RESET = "reset"
    SIGN_IN = "sign_in"
    EMAIL = "email"  # that an address is one's own
    CARER = "carer"  # that whoever holds a phone agrees to get copies


class OneTimeCode(Model):
    """A code that was sent to a phone; one at a time for each purpose."""

    __tablename__ = "one_time_codes"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    purpose: Mapped[CodePurpose] = mapped_column(enum_type(CodePurpose, "purpose"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64))  # keyed: six digits could be tried out
    attempts: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SignInFailures(Model):
    """Failed attempts on one login, known or not, so that an answer never tells which."""

    __tablename__ = "sign_in_failures"

    login: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256, hex
    failures: Mapped[int] = mapped_column(default=0)
    first_failed_at: Mapped[datetime] = mapped_column(UtcDateTime)
