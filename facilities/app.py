"""The app: settings in, a plain Flask app out. Blueprints are listed here and nowhere else."""

from datetime import timedelta

from flask import Flask
from flask_babel import Babel
from flask_bootstrap import Bootstrap5
from flask_migrate import Migrate
from flask_wtf import CSRFProtect

from config import ROOT, Settings
from facilities.accounts import api as accounts_api
from facilities.accounts import views as accounts_views
from facilities.accounts.entrance import register_entrance, register_second_factor
from facilities.attendance import api as attendance_api
from facilities.attendance import corrections, devices, posters
from facilities.attendance import views as attendance_views
from facilities.bookings import api as bookings_api
from facilities.bookings import views as bookings_views
from facilities.calendars import api as calendars_api
from facilities.calendars import views as calendars_views
from facilities.closures import api as closures_api
from facilities.closures import views as closures_views
from facilities.draws import api as draws_api
from facilities.draws import views as draws_views
from facilities.family import api as family_api
from facilities.family import views as family_views
from facilities.feedback import api as feedback_api
from facilities.feedback import views as feedback_views
from facilities.households import api as households_api
from facilities.households import views as households_views
from facilities.infra.db import db
from facilities.infra.encryption import register_encryption
from facilities.jobs import views as jobs_views
from facilities.kernel import clock
from facilities.no_shows import api as no_shows_api
from facilities.no_shows import views as no_shows_views
from facilities.notices import api as notices_api
from facilities.notices import views as notices_views
from facilities.pages import views as pages_views
from facilities.people import views as people_views
from facilities.places import api as places_api
from facilities.places import views as places_views
from facilities.privacy import api as privacy_api
from facilities.privacy import views as privacy_views
from facilities.programmes import api as programmes_api
from facilities.programmes import views as programmes_views
from facilities.projects import api as projects_api
from facilities.projects import views as projects_views
from facilities.projects.counted import against_targets
from facilities.quality import api as quality_api
from facilities.quality import views as quality_views
from facilities.reports import api as reports_api
from facilities.reports import views as reports_views
from facilities.reservations import api as reservations_api
from facilities.reservations import views as reservations_views
from facilities.series import api as series_api
from facilities.series import views as series_views
from facilities.staff import views as staff_views
from facilities.statistics import api as statistics_api
from facilities.statistics import behind_views as figures_behind_views
from facilities.statistics import open_views
from facilities.statistics import views as statistics_views
from facilities.statistics.targets import provide_targets
from facilities.web.api import register_api
from facilities.web.edge import register_edge
from facilities.web.guards import check_every_route_is_guarded
from facilities.web.idempotency import register_idempotency
from facilities.web.language import choose_language
from facilities.web.limits import limiter
from facilities.web.parts import register_parts
from facilities.web.problems import register_problems

PAGES = (pages_views, accounts_views, households_views, places_views, programmes_views, bookings_views,
         attendance_views, statistics_views, figures_behind_views, open_views, draws_views, notices_views, series_views,
         closures_views,
         reservations_views, family_views, staff_views, privacy_views, people_views, jobs_views,
         calendars_views, feedback_views, corrections, devices, posters, no_shows_views,
         projects_views, reports_views, quality_views)
API = (accounts_api, households_api, places_api, programmes_api, bookings_api, attendance_api, statistics_api,
       series_api, closures_api, draws_api, notices_api, reservations_api, family_api, privacy_api,
       calendars_api, feedback_api, no_shows_api, projects_api, reports_api, quality_api)

migrate = Migrate()
csrf = CSRFProtect()


def create_app(settings: Settings) -> Flask:
    app = Flask("huimin", root_path=str(ROOT), instance_path=str(settings.instance))
    _configure(app, settings)
    clock.read_from_file(settings.clock_file)
    db.init_app(app)
    register_encryption(app, settings.identity_keys)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    Babel(app, locale_selector=choose_language, default_locale="zh")
    Bootstrap5(app)
    register_entrance(app)
    register_edge(app)  # before whatever else refuses a request
    limiter.init_app(app)
    csrf.init_app(app)
    register_second_factor(app)
    register_problems(app)
    register_parts(app)
    provide_targets(app, against_targets)
    for module in PAGES:
        app.register_blueprint(module.blueprint)
    register_api(app, *(module.blueprint for module in API))
    for module in API:  # a bearer token is not sent by a browser on its own: nothing to forge
        csrf.exempt(module.blueprint)
    check_every_route_is_guarded(app)
    register_idempotency(app)
    return app


def _configure(app: Flask, settings: Settings) -> None:
    app.config.from_mapping(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_production,
        PERMANENT_SESSION_LIFETIME=timedelta(days=30),
        WTF_CSRF_TIME_LIMIT=None,  # as long as the sign-in: an old person's form is not stale after an hour
        BOOTSTRAP_SERVE_LOCAL=True,
        BABEL_TRANSLATION_DIRECTORIES=str(ROOT / "translations"),
        RATELIMIT_ENABLED=not settings.is_test,
        RATELIMIT_STORAGE_URI="memory://",
        HUIMIN_SETTINGS=settings,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
