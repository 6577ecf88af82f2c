"""bin/manage: what is done from a terminal."""

import gc
import getpass
import logging
import os
import sys
from collections.abc import Callable
from functools import partial

import click
from flask import Flask
from flask_babel import force_locale
from flask_migrate import upgrade
from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.glogging import Logger

from config import ROOT, Settings, SettingsError
from facilities.accounts.entrance import read_login
from facilities.accounts.queries import user_by_login
from facilities.accounts.second_factors import forget
from facilities.accounts.services import create_user, hash_password
from facilities.app import create_app
from facilities.background import do_what_is_due, publish_open_data
from facilities.demo.loading import load_demonstration
from facilities.households.identity import rotate
from facilities.infra.audit import verify as verify_audit
from facilities.infra.db import refresh_planner, unit_of_work
from facilities.infra.encryption import Unreadable
from facilities.kernel.actors import Granted, Role
from facilities.kernel.refusals import Invalid, Refused
from facilities.notices.rendering import answer_page
from facilities.notices.short import SHORT, registered
from facilities.places.reference import load_reference_data
from facilities.projects.loading import load_projects, published_years
from facilities.reports.verifying import verify as verify_reports
from facilities.statistics.pages import refresh, settle
from facilities.statistics.services import repair, verify, verify_pages
from facilities.web.language import DEFAULT, LANGUAGES
from facilities.web.log import set_up_log
from facilities.web.wording import words_for, words_for_input
from facilities.worker import work


@click.group(help="Huimin: bookings, attendance and figures of a district's facilities.")
@click.pass_context
def main(context: click.Context) -> None:
    set_up_log()
    try:
        context.obj = create_app(Settings.read())
    except SettingsError as error:
        raise click.ClickException(str(error)) from error
    context.with_resource(context.obj.app_context())


class _ServerLog(Logger):
    """gunicorn's words about requests and errors go through the app's log, which leaves out what they quote."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class _Server(BaseApplication):
    """gunicorn around an app that is made in each worker, so that no connection is shared by a fork."""

    def __init__(self, make: Callable[[], Flask], options: dict[str, object]) -> None:
        self.make, self.options = make, options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self.options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        app = self.make()
        gc.freeze()  # as wsgi.py
        return app


@main.command(help="The production server, in the foreground.")
@click.pass_obj
def serve(app: Flask) -> None:
    settings: Settings = app.config["HUIMIN_SETTINGS"]
    address = f"http://{settings.host}:{settings.port}"
    _Server(lambda: create_app(settings), {
        "bind": f"{settings.host}:{settings.port}", "workers": settings.workers, "timeout": 60,
        # threads, because browsers open connections ahead of need: a plain worker would wait on an empty one
        "worker_class": "gthread", "threads": 8,
        "accesslog": None, "loglevel": "warning", "logger_class": _ServerLog,
        "control_socket_disable": True, "proc_name": "huimin",
        "when_ready": lambda _server: click.echo(f"ready\t{address}"),
    }).run()


@main.command(help="Background work: the jobs, each when it is its time.")
@click.option("--once", is_flag=True, help="Do all that is due at the app's 'now' and exit; 1 where something failed.")
@click.option("--while-parent-lives", is_flag=True, help="End when the process that started it has ended.")
@click.pass_obj
def worker(app: Flask, once: bool, while_parent_lives: bool) -> None:
    if not once:
        work(app, while_parent_lives=while_parent_lives)
        return
    failures = 0
    for name, done, failed in do_what_is_due():
        failures += failed
        if done or failed:
            click.echo(f"{name}: {done}" + (f", failed: {failed}" if failed else ""))
    sys.exit(1 if failures else 0)


@main.group(help="The database.")
def db() -> None:
    pass


@db.command("upgrade", help="Bring schema and reference data up to date.")
def db_upgrade() -> None:
    logging.getLogger("alembic").setLevel(logging.WARNING)
    upgrade(directory=str(ROOT / "migrations"))
    districts, days = unit_of_work(load_reference_data)
    click.echo(f"schema up to date; {districts} sub-districts and {days} calendar days added or changed")


@main.group(help="Demonstration data.")
def demo() -> None:
    pass


@demo.command("load", help="The district's places, made-up residents, a 2024 history and the next four weeks.")
@click.pass_obj
def demo_load(app: Flask) -> None:
    if app.config["HUIMIN_SETTINGS"].is_production:
        raise click.ClickException("Demonstration data has known passwords; set HUIMIN_ENV=demo to load it.")
    logins = unit_of_work(lambda: load_demonstration(_progress))
    for make in (refresh, settle):
        while unit_of_work(make):
            pass
    refresh_planner()
    for role, login, password in logins:
        click.echo(f"login\t{role}\t{login}\t{password}")


def _progress(step: str, done: int, of: int) -> None:
    end = "\n" if done == of else ""
    if sys.stderr.isatty() or done == of:
        click.echo(f"\r{step}: {done}/{of}" + end, err=True, nl=False)


@main.group(help="Accounts of staff.")
def users() -> None:
    pass


@users.command("create", help="A member of staff with one role, such as manager of a facility; asks for the password.")
@click.option("--login", required=True)
@click.option("--role", required=True, type=click.Choice([r.value for r in Role if r is not Role.RESIDENT]))
@click.option("--facility", type=int, help="The facility's id, for managers and guards.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def users_create(login: str, role: str, facility: int | None, password_stdin: bool) -> None:
    password = sys.stdin.readline().rstrip("\n") if password_stdin else getpass.getpass("Password: ")
    try:
        password_hash = hash_password(password, staff=True)
        user = unit_of_work(lambda: create_user(
            read_login(login), login, password_hash, [Granted(Role(role), facility)]))
    except Invalid as invalid:
        raise click.ClickException(" ".join(words_for_input(key) for key in invalid.fields.values())) from invalid
    except Refused as refused:
        raise click.ClickException(words_for(refused.refusal)) from refused
    click.echo(f"{user.login} created, {role}")


@users.command("forget-second-factor", help="Let somebody whose phone is lost sign in with the password alone.")
@click.option("--login", required=True)
def users_forget_second_factor(login: str) -> None:
    user = user_by_login(read_login(login))
    if user is None:
        raise click.ClickException(f"There is no user {login}.")
    unit_of_work(lambda: forget(user, None))
    click.echo(f"{user.login} signs in with the password alone")


@main.group(help="Beneficiary figures.")
def statistics() -> None:
    pass


@statistics.command("verify", help="Count everything again, sessions from their events and pages from them; compare.")
@click.option("--repair", "mend", is_flag=True, help="Let what is kept follow the events again, where it differs.")
def statistics_verify(*, mend: bool) -> None:
    looked_at, differences = verify(_progress)
    for difference in differences:
        click.echo(f"session {difference.session_id}: {difference.what}: "
                   f"events say {difference.recounted}, kept is {difference.kept}")
    if mend and differences:
        repair(differences, _progress)
    pages, wrong = verify_pages(_progress, mend=mend)
    for period, facility, programme in wrong:
        click.echo(f"page {period}, facility {facility or 'all'}, programme {programme or 'all'}: "
                   "what it is made from says something else")
    found = f"{len(differences)} differences in {looked_at} sessions, {len(wrong)} in {pages} pages"
    if (differences or wrong) and not mend:
        raise click.ClickException(f"{found}; --repair lets what is kept follow the events again")
    click.echo(f"{found}, repaired" if differences or wrong
               else f"{looked_at} sessions and {pages} pages recounted, all figures agree")


@main.group(help="Official reports of periods that are closed.")
def reports() -> None:
    pass


@reports.command("verify", help="Hash every report and correction again, and follow the chain.")
def reports_verify() -> None:
    found = verify_reports()
    for fault in found.faults:
        click.echo(fault)
    if found.faults:
        raise click.ClickException(f"{len(found.faults)} faults in {found.reports} reports")
    click.echo(f"{found.reports} reports and {found.corrections} corrections, each as it was written; "
               f"the chain ends with {found.end}")


@main.group("open-data", help="Figures for anyone.")
def open_data() -> None:
    pass


@open_data.command("prepare", help="Publish the months that are over, and those anew that have been corrected.")
def open_data_prepare() -> None:
    outcome = publish_open_data(partial(_progress, "months and years"))
    if outcome.failed:
        raise click.ClickException(f"{outcome.failed} not published: {outcome.failure}")
    click.echo(f"{outcome.done} months and years published")


@main.group(help="Livelihood projects.")
def projects() -> None:
    pass


@projects.command("load", help="What was published of the years that this version knows; nothing is written over.")
def projects_load() -> None:
    for year in published_years():
        added = unit_of_work(partial(load_projects, year))
        click.echo("{}: {} projects, {} subprojects and {} published figures added".format(year, *added))


@main.group(help="Messages to people.")
def messages() -> None:
    pass


@messages.command("texts", help="The texts of text messages, as a provider is to register them, by kind.")
@click.option("--language", type=click.Choice(list(LANGUAGES)), default=DEFAULT)
def messages_texts(language: str) -> None:
    page = answer_page()
    with force_locale(language):
        for kind in SHORT:
            click.echo(f"{kind}\t{registered(kind, page)}")


@main.group(help="Identity numbers, certificates and other secrets that are kept encrypted.")
def identities() -> None:
    pass


@identities.command("rotate", help="Put everything under the first of IDENTITY_KEYS; the others can go afterwards.")
def identities_rotate() -> None:
    try:
        rows = unit_of_work(rotate)
    except Unreadable as error:
        raise click.ClickException("Some rows fit none of IDENTITY_KEYS: one is missing. Nothing changed.") from error
    click.echo(f"{rows} rows are under the newest key now; the older keys can be taken away")


@main.group(help="What staff did and looked at.")
def audit() -> None:
    pass


@audit.command("verify", help="Follow the chain of entries; ANCHOR is what an earlier run printed.")
@click.argument("anchor", required=False)
def audit_verify(anchor: str | None) -> None:
    number, _, chained = (anchor or "").partition(":")
    if anchor and not (number.isdigit() and chained):
        raise click.ClickException("An anchor looks like 1204:3f9a…, as printed by an earlier run.")
    found = verify_audit((int(number), chained) if anchor else None)
    for fault in found.faults:
        click.echo(fault)
    click.echo(f"anchor\t{found.number}:{found.chained}")
    if found.faults:
        raise click.ClickException(f"{len(found.faults)} faults in {found.number} entries")
    click.echo(f"{found.number} entries, each as it was written")


if __name__ == "__main__":
    os.chdir(ROOT)
    main(prog_name="bin/manage")
