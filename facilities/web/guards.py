"""Who may come in. Every view wears one of these, or the app does not start (`check_every_route_is_guarded`)."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, abort, current_app, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from facilities.kernel.actors import Actor
from facilities.kernel.refusals import NotPermitted

View = TypeVar("View", bound=Callable[..., Any])

API_PREFIX = "/api/v1"
# Files that packages and this project ship, and the API's own description: the same for everyone.
OPEN_ENDPOINTS = {"static", "bootstrap.static", "api-docs.openapi_json"}


def is_api() -> bool:
    return request.path.startswith("/api/")


def current_actor() -> Actor:
    """Who acts in this request; only behind a guard."""
    return cast(Actor, current_user.actor)


def actor_or_none() -> Actor | None:
    user = current_user._get_current_object()  # noqa: SLF001 - the proxy's documented way: each look through it is dear
    return user.actor if user.is_authenticated else None


def public(view: View) -> View:
    """Anyone may; said aloud, so that nobody wonders."""
    view.__guard__ = "public"  # type: ignore[attr-defined]
    return view


def _guard(name: str, admits: Callable[[Actor], bool]) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:  # noqa: ANN401 - passes on what it gets
            actor = actor_or_none()
            if actor is None:
                if is_api():
                    abort(401)
                return cast(ResponseReturnValue, current_app.login_manager.unauthorized())  # type: ignore[attr-defined]
            if not admits(actor):
                raise NotPermitted
            return cast(ResponseReturnValue, current_app.ensure_sync(view)(*args, **kwargs))

        # where a second guard stands inside, it is the stricter one
        guarded.__guard__ = getattr(view, "__guard__", name)  # type: ignore[attr-defined]
        return cast(View, guarded)

    return decorate


signed_in = _guard("signed_in", lambda actor: True)
staff = _guard("staff", lambda actor: actor.is_staff)
counter_staff = _guard("staff", lambda actor: actor.is_administrator or bool(actor.managed_facility_ids))
administrator = _guard("administrator", lambda actor: actor.is_administrator)


def check_every_route_is_guarded(app: Flask) -> None:
    """RuntimeError, naming them, where views have neither a guard nor `@public`."""
    open_doors = sorted({
        rule.endpoint for rule in app.url_map.iter_rules()
        if rule.endpoint not in OPEN_ENDPOINTS
        and not hasattr(app.view_functions[rule.endpoint], "__guard__")
    })
    if open_doors:
        raise RuntimeError(f"These views declare no guard and do not say @public: {', '.join(open_doors)}")


def first(check: Callable[..., object]) -> Callable[[View], View]:
    """Run `check` on the address's own arguments before anything else is asked: 401, 404, 403, 422 (api.md).

    Under `@signed_in`, and above the guard that asks for a role and the arguments that read the body.
    """
    def decorate(view: View) -> View:
        @wraps(view)
        def checked(*args: Any, **kwargs: Any) -> ResponseReturnValue:  # noqa: ANN401 - passes on what it gets
            check(**kwargs)
            return cast(ResponseReturnValue, view(*args, **kwargs))

        return cast(View, checked)

    return decorate
