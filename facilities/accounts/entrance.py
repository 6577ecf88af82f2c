"""The door: from a login and a password, a cookie or a bearer token, to an actor."""

from datetime import datetime, timedelta
from typing import NamedTuple

from flask import Flask, Response, after_this_request, current_app, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user, login_user
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response as BaseResponse

from config import Settings
from facilities.accounts import devices, queries, second_factors, services
from facilities.accounts.models import SignIn, SignInKind, User
from facilities.engine.phones import read_phone
from facilities.infra.db import unit_of_work
from facilities.infra.encryption import cipher
from facilities.kernel import clock
from facilities.kernel.actors import Actor
from facilities.kernel.refusals import Refusal, Refused, raise_if
from facilities.kernel.text import folded, has_unprintable
from facilities.web.guards import OPEN_ENDPOINTS, actor_or_none, is_api
from facilities.web.problems import problem
from facilities.web.wording import words_for

HALF_FOR = timedelta(minutes=5)  # from the password to the code
NEW_FOR = timedelta(days=30)  # how long an account counts as new: sign-ins are on record for longer than that

# What staff reach who must set up a second factor first.
OPEN_WITHOUT_SECOND_FACTOR = OPEN_ENDPOINTS | {
    "accounts.second_factor", "accounts.start_second_factor", "accounts.sign_out", "accounts.choose_language",
    "accounts.choose_appearance", "accounts_api.end_token", "pages.healthz", "pages.readyz"}


class SignedIn(UserMixin):
    """What Flask-Login carries: an actor, and the secret that names the sign-in in the cookie."""

    def __init__(self, actor: Actor, secret: str, *, has_second_factor: bool) -> None:
        self.actor = actor
        self.secret = secret
        self.has_second_factor = has_second_factor

    def get_id(self) -> str:
        return self.secret


class Entered(NamedTuple):
    secret: str
    user: User
    ends_at: datetime


class Verified(NamedTuple):
    """Who knew the password, and what failures of theirs are counted under."""

    user: User
    key: str


def read_login(text: str) -> str:
    """A phone number in any usual writing, or a staff login, in the one form that is stored."""
    return read_phone(text) or folded(text)


def verify_password(login_text: str, password: str) -> Verified:
    """Refused `bad_credentials` or `too_many_attempts`, alike for known and unknown logins.

    The password is verified outside the transaction: it takes 19 ms, and on SQLite everybody would wait.
    """
    login = read_login(login_text)[:64]
    user = queries.user_by_login(login)
    key = _attempts_key(login, user.id if user else 0)
    raise_if(services.refuse_if_too_many_failures(key))
    if not services.password_fits(user, password) or user is None:
        unit_of_work(lambda: services.note_failure(key))
        raise Refused("bad_credentials")
    return Verified(user, key)


def enter(login_text: str, password: str, kind: SignInKind, otp: str | None = None) -> Entered:
    """Check and open a sign-in. Refused as `verify_password`, and `otp_required` where a second factor is set up."""
    user, key = verify_password(login_text, password)
    if not second_factors.is_on(user.id):
        return let_in(user, kind, key=key)
    if not otp:
        raise Refused("otp_required")
    return _let_in_with_code(user, kind, key, otp)


def _attempts_key(login: str, user_id: int) -> str:
    return services.attempts_key(login, user_id, None if is_api() else request.cookies.get(_device_cookie()))


def attempts_key_of(actor: Actor) -> str:
    """For whoever is signed in and is asked for a password or a code again."""
    return _attempts_key(actor.login, actor.user_id)


def _let_in_with_code(user: User, kind: SignInKind, key: str, otp: str) -> Entered:
    """A wrong code is a failure like a wrong password."""
    try:
        return let_in(user, kind, key=key, otp=otp)
    except Refused as refused:
        if refused.refusal.code == "bad_credentials":
            unit_of_work(lambda: services.note_failure(key))
        raise


def let_in(user: User, kind: SignInKind, *, key: str | None = None, otp: str | None = None) -> Entered:
    verified, device = user.password_hash, devices.in_words(request.headers.get("User-Agent", ""))

    def open_() -> tuple[str, SignIn]:
        if otp is not None:
            second_factors.check(user, otp)
        return services.open_sign_in(user, kind, verified, device=device, key=key)

    secret, row = unit_of_work(open_)
    return Entered(secret, user, row.ends_at)


def wait_for_code(user: User) -> None:
    """Half signed in: the signed cookie says for a few minutes who it was, as long as the password stays the same."""
    session["half"] = {"user": user.id, "until": (clock.now() + HALF_FOR).isoformat(),
                       "verified": cipher().lookup(user.password_hash)}


def half_signed_in() -> User | None:
    half = session.get("half")
    if not half or clock.parse_instant(half["until"]) <= clock.now():
        return None
    user = queries.user_by_id(half["user"])
    return user if user and half["verified"] == cipher().lookup(user.password_hash) else None


def enter_with_code(user: User, otp: str) -> Entered:
    """The second step on the page. Refused `bad_credentials` or `too_many_attempts`."""
    key = _attempts_key(user.login, user.id)
    raise_if(services.refuse_if_too_many_failures(key))
    return _let_in_with_code(user, SignInKind.BROWSER, key, otp)


def start_browsing(entered: Entered) -> Actor | None:
    """A fresh cookie for the sign-in, and who acts. Of the cookie before, language and appearance stay.

    From now on this browser is known for the user.
    """
    kept = {name: session[name] for name in ("language", "elder") if name in session}
    session.clear()
    session.update(kept)
    session.permanent = True
    _remember_device(entered.user)
    found = services.find_sign_in(entered.secret, SignInKind.BROWSER)
    if found is None:
        return None
    login_user(SignedIn(found.actor, entered.secret, has_second_factor=found.has_second_factor))
    return found.actor


def _device_cookie() -> str:
    """For this host alone, where browsers can be told so."""
    return "__Host-device" if current_app.config["SESSION_COOKIE_SECURE"] else "device"


def _remember_device(user: User) -> None:
    name = _device_cookie()
    token = unit_of_work(lambda: _greet(user, request.cookies.get(name)))
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])

    @after_this_request
    def keep(response: Response) -> Response:
        response.set_cookie(name, token, max_age=devices.KNOWN_FOR, httponly=True, samesite="Lax",
                            secure=secure)
        return response


def _greet(user: User, token: str | None) -> str:
    """The browser's token. Whoever owns the account hears of a browser that was not known.

    Tokens of clients are not looked at: a client has no name that a thief could not give as well.
    """
    if not (token and devices.is_known(user.id, token)) and not _is_first_time(user):
        device = devices.in_words(request.headers.get("User-Agent", ""))
        services.tell_owner(user.id, "signed_in", {"device": device, **services.happened_now()})
    return devices.remember(user.id, token)


def _is_first_time(user: User) -> bool:
    """Nobody is told of their own arrival. An older account may have sign-ins that are no longer on record."""
    return clock.now() - user.created_at < NEW_FOR and queries.number_of_sign_ins(user.id) == 1


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
    def ask_to_sign_in() -> BaseResponse:
        back = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("accounts.sign_in", next=back))


def _signed_in(secret: str, kind: SignInKind) -> SignedIn | None:
    found = services.find_sign_in(secret, kind) if secret.isascii() else None
    if found is None:
        return None
    if services.is_due_to_be_seen(found.last_seen_at):
        unit_of_work(lambda: services.note_seen(found.actor))
    return SignedIn(found.actor, secret, has_second_factor=found.has_second_factor)


def second_factor_required() -> bool:
    """Of staff, by the settings of the installation."""
    settings: Settings = current_app.config["HUIMIN_SETTINGS"]
    return settings.second_factor_required


def register_second_factor(app: Flask) -> None:
    """Where staff must have a second factor, whoever has none reaches the page that sets it up, and the way out."""

    @app.before_request
    def hold_until_it_is_set_up() -> BaseResponse | None:
        endpoint = request.endpoint
        if not endpoint or endpoint in OPEN_WITHOUT_SECOND_FACTOR or endpoint.endswith("static"):
            return None
        if not second_factor_required() or (actor := actor_or_none()) is None:
            return None
        if not actor.is_staff or current_user.has_second_factor:
            return None
        if is_api():
            refusal = Refusal("second_factor_needed")
            return problem(403, code=refusal.code, detail=words_for(refusal))
        return redirect(url_for("accounts.second_factor"))


def safe_next(target: str | None) -> str | None:
    """A path of this site, or None: nobody is sent elsewhere after signing in."""
    if not target or not target.startswith("/") or target.startswith("//") or "\\" in target or has_unprintable(target):
        return None  # a tab is dropped on the way to the header, and makes // of /\t/
    return target
