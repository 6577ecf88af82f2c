"""Every door has a guard, or says that it is open."""

import pytest
from flask import Blueprint, Flask

from facilities.infra.db import db
from facilities.web.guards import OPEN_ENDPOINTS, check_every_route_is_guarded, public, signed_in
from tests.world import World


def app_with(view: object) -> Flask:
    blueprint = Blueprint("pages", __name__)
    blueprint.add_url_rule("/new", "new", view)  # type: ignore[arg-type]
    app = Flask(__name__, static_folder=None)
    app.register_blueprint(blueprint)
    return app


def test_an_app_with_an_unguarded_view_does_not_start() -> None:
    with pytest.raises(RuntimeError, match=r"pages\.new"):
        check_every_route_is_guarded(app_with(lambda: "open to anyone by mistake"))


@pytest.mark.parametrize("guard", [public, signed_in], ids=["public", "signed in"])
def test_a_view_that_says_who_may_come_in_is_fine(guard: object) -> None:
    check_every_route_is_guarded(app_with(guard(lambda: "said")))  # type: ignore[operator]


GUARDED = ("signed_in", "staff", "administrator")


def doors(app: Flask) -> list[tuple[str, str, str]]:
    """Every route and method with the guard that it declares; numbers stand for things that exist nowhere."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.endpoint in OPEN_ENDPOINTS:
            continue
        path = rule.rule
        for argument in rule.arguments:
            path = path.replace(f"<{argument}>", "2026-01-01" if argument == "day" else "999999")
        guard = app.view_functions[rule.endpoint].__guard__  # type: ignore[attr-defined]
        found += [(guard, method, path) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})]
    return found


def test_nobody_comes_in_without_what_the_guard_asks_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every guarded route × method, as a stranger, as a resident, as a manager; nothing is written meanwhile."""
    facility = world.facility()
    resident, manager = world.resident(), world.manager(facility)
    browsers = {"resident": world.browser(resident), "manager": world.browser(manager), None: world.browser()}
    monkeypatch.setitem(world.app.config, "WTF_CSRF_ENABLED", False)  # the guard is tried here, not the form's token
    callers = {"resident": resident, "manager": manager}
    refused_to = {"signed_in": (None,), "staff": (None, "resident"), "administrator": (None, "resident", "manager")}
    tried = 0
    before = row_counts()
    for guard, method, path in doors(world.app):
        for who in refused_to.get(guard, ()):
            tried += 1
            if path.startswith("/api/"):
                headers = {"Authorization": f"Bearer {callers[who].token}"} if who else {}
                answer = world.app.test_client().open(path, method=method, headers=headers, json={})
                # a signed-in caller is told first that there is no such thing
                expected = {401} if who is None else {403, 404} if "999999" in path else {403}
                assert answer.status_code in expected, (who, method, path)
            else:
                answer = browsers[who].client.open(path, method=method)
                if who is None:
                    assert answer.status_code == 302, (who, method, path)
                    assert answer.headers["Location"].startswith("/sign-in"), (who, method, path)
                else:
                    assert answer.status_code == 403, (who, method, path)
    assert tried > 50
    assert row_counts() == before


def row_counts() -> dict[str, int]:
    db.session.rollback()
    return {
        table.name: db.session.execute(db.select(db.func.count()).select_from(table)).scalar_one()
        for table in db.metadata.sorted_tables
    }


@pytest.mark.parametrize(
    "path",
    [
        "/sign-in",
        "/register",
        "/sign-out",
        "/language",
        "/sessions/1/book",
        "/bookings/1/cancel",
        "/desk/sessions/1/tick",
        "/desk/sessions/1/head-count",
        "/me/family/new",
    ],
)
def test_a_form_without_its_token_is_refused(world: World, path: str) -> None:
    browser = world.browser(world.administrator())
    answer = browser.client.post(path, data={"login": "x"}, headers=browser.headers)
    assert answer.status_code == 400
    assert "reload the page" in answer.get_data(as_text=True)
