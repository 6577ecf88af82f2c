"""The door: from a login and a password, a cookie or a bearer token, to an actor."""

from datetime import datetime
from typing import NamedTuple

from flask import Flask, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin, login_user
from werkzeug.wrappers import Request, Response

from facilities.accounts import queries, services
from facilities.accounts.models import SignInKind, User
from facilities.engine.phones import read_phone
from facilities.infra.db import unit_of_work
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import Refused, raise_if
from facilities.kernel.text import folded, has_unprintable
from facilities.web.guards import is_api


class SignedIn(UserMixin):
    """What Flask-Login carries: an actor, and the secret that names the sign-in in the cookie."""

    def __init__(self, actor: Actor, secret: str) -> None:
        self.actor = actor
        self.secret = secret

    def get_id(self) -> str:
        return self.secret


class Entered(NamedTuple):
    secret: str
    user: User
    ends_at: datetime


def read_login(text: str) -> str:
    """A phone number in any usual writing, or a staff login, in the one form that is stored."""
    return read_phone(text) or folded(text)


def enter(login_text: str, password: str, kind: SignInKind) -> Entered:
    """Check and open a sign-in. Refused `bad_credentials` or `too_many_attempts`, alike for known and unknown logins.

    The password is verified outside the transaction: it takes 19 ms, and on SQLite everybody would wait.
    """
    login = read_login(login_text)[:64]
    raise_if(services.refuse_if_too_many_failures(login))
    user = queries.user_by_login(login)
    if user is None or not services.password_fits(user, password):
        if user is None:
            services.password_fits(None, password)
        unit_of_work(lambda: services.note_failure(login))
        raise Refused("bad_credentials")
    return let_in(user, kind)


def let_in(user: User, kind: SignInKind) -> Entered:
    verified = user.password_hash
    secret, row = unit_of_work(lambda: services.open_sign_in(user, kind, verified))
    return Entered(secret, user, row.ends_at)


def start_browsing(entered: Entered) -> Actor | None:
    """A fresh cookie for the sign-in, and who acts. Of the cookie before, language and appearance stay."""
    kept = {name: session[name] for name in ("language", "elder") if name in session}
    session.clear()
    session.update(kept)
    session.permanent = True
    found = services.find_sign_in(entered.secret, SignInKind.BROWSER)
    if found is None:
        return None
    login_user(SignedIn(found.actor, entered.secret))
    return found.actor


def register_entrance(app: Flask) -> None:
    manager = LoginManager(app)
    manager.session_protection = None  # the row in the database is what protects

    @manager.user_loader
    def from_cookie(secret: str) -> SignedIn | None:
        return None if is_api() else _signed_in(secret, SignInKind.BROWSER)

    @manager.request_loader
    def from_header(incoming: Request) -> SignedIn | None:
        scheme, _, token = incoming.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not is_api():
            return None
        return _signed_in(token.strip(), SignInKind.TOKEN)

    @manager.unauthorized_handler
    def ask_to_sign_in() -> Response:
        back = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("accounts.sign_in", next=back))


def _signed_in(secret: str, kind: SignInKind) -> SignedIn | None:
    found = services.find_sign_in(secret, kind) if secret.isascii() else None
    if found is None:
        return None
    if services.is_due_to_be_seen(found.last_seen_at):
        unit_of_work(lambda: services.note_seen(found.actor.sign_in_id))
    return SignedIn(found.actor, secret)


def safe_next(target: str | None) -> str | None:
    """A path of this site, or None: nobody is sent elsewhere after signing in."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target or has_unprintable(target):
        return None  # a tab is dropped on the way to the header, and makes // of /\t/
    return target


