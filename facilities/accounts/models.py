"""Who acts: users, what they were granted, and where they are signed in."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, false
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

    grants: Mapped[list["Grant"]] = relationship(back_populates="user", cascade="all, delete-orphan", lazy="raise")


class Grant(Model):
    """What a member of staff may do, and where."""

    __tablename__ = "grants"
    __table_args__ = (
        check("role <> 'resident'", "role_is_for_staff"),
        check("(role = 'manager') = (facility_id IS NOT NULL)", "manager_has_a_facility"),
        Index("uq_grants_user_role_facility", "user_id", "role", "facility_id", unique=True),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    role: Mapped[Role] = mapped_column(enum_type(Role, "role"))
    facility_id: Mapped[int | None] = mapped_column(ForeignKey("facilities.id"), index=True)

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


class SignInFailures(Model):
    """Failed attempts on one login, known or not, so that an answer never tells which."""

    __tablename__ = "sign_in_failures"

    login: Mapped[str] = mapped_column(String(64), primary_key=True)  # SHA-256, hex
    failures: Mapped[int] = mapped_column(default=0)
    first_failed_at: Mapped[datetime] = mapped_column(UtcDateTime)
