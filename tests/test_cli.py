"""bin/manage, as somebody types it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from config import ROOT
from facilities.accounts.queries import user_by_login
from facilities.engine.roll_call import EventKind
from facilities.infra.db import db
from facilities.infra.exclusion import never_changed_triggers
from facilities.notices.short import SHORT
from tests import commands
from tests.reports.august import August, tamper
from tests.stores import Store
from tests.world import World

Manage = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environment(store: Store, tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": store.url, "HUIMIN_ENV": "test", "HUIMIN_INSTANCE": str(tmp_path)}


@pytest.fixture
def manage(environment: dict[str, str]) -> Manage:
    return partial(commands.run, environment=environment)


def from_nothing(*arguments: str, environment: dict[str, str], typed: str = "") -> "subprocess.CompletedProcess[str]":
    """In an interpreter of its own, as `bin/manage` starts it."""
    return subprocess.run(
        [sys.executable, "-m", "facilities.cli", *arguments],
        cwd=ROOT,
        env=environment,
        check=False,
        input=typed,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_staff_are_created_with_a_password_from_standard_input(world: World, environment: dict[str, str]) -> None:
    facility = world.facility()
    done = from_nothing(
        "users",
        "create",
        "--login",
        "Wang-Fang",
        "--role",
        "manager",
        "--facility",
        str(facility.id),
        "--password-stdin",
        environment=environment,
        typed="a long enough phrase\n",
    )
    assert done.returncode == 0, done.stderr
    db.session.rollback()
    assert user_by_login("wang-fang") is not None
    world.browser().sign_in("wang-fang", "a long enough phrase")


@pytest.mark.parametrize(
    ("role", "facility", "password", "says"),
    [
        ("manager", None, "a long enough phrase", "站点"),
        ("manager", "999", "a long enough phrase", "站点"),
        ("administrator", None, "short", "12"),
        ("administrator", None, "password1234", "太常见"),
    ],
    ids=["a manager of nothing", "of what is not there", "a short password", "a common one"],
)
def test_a_mistake_is_said_and_nobody_is_created(
    world: World, manage: Manage, role: str, facility: str | None, password: str, says: str
) -> None:
    extra = ["--facility", facility] if facility else []
    done = manage(
        "users", "create", "--login", "wang", "--role", role, *extra, "--password-stdin", typed=f"{password}\n"
    )
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    db.session.rollback()
    assert user_by_login("wang") is None


def test_verify_says_where_figures_and_log_disagree(world: World, manage: Manage) -> None:
    facility = world.facility()
    session = world.session(facility)
    world.record(world.manager(facility), session, EventKind.WALK_IN)
    assert "all figures agree" in manage("statistics", "verify").stdout
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE head_counts SET unnamed_walk_ins = 7"))
    done = manage("statistics", "verify")
    assert done.returncode == 1
    assert f"session {session.id}: unnamed_walk_ins: events say 1, kept is 7" in done.stdout
    repaired = manage("statistics", "verify", "--repair")
    assert repaired.returncode == 0, repaired.stderr
    assert "1 differences in 1 sessions" in repaired.stdout
    assert "pages and sheets" in repaired.stderr, "it says how far it is"
    assert "all figures agree" in manage("statistics", "verify").stdout


def test_verify_repairs_a_page_that_was_meddled_with(world: World, manage: Manage) -> None:
    facility = world.facility()
    world.record(world.manager(facility), world.session(facility), EventKind.WALK_IN, world.resident().resident_id)
    manage("worker", "--once")
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE ledger_pages SET people = cells WHERE facility_id > 0 AND programme_id > 0"))
    done = manage("statistics", "verify")
    assert done.returncode == 1
    assert f"facility {facility.id}" in done.stdout
    assert manage("statistics", "verify", "--repair").returncode == 0
    assert "all figures agree" in manage("statistics", "verify").stdout


def test_open_data_is_prepared_by_hand_where_the_night_is_far(world: World, manage: Manage) -> None:
    done = manage("open-data", "prepare")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1 months and years published\n"


def test_v16_4_2_the_audit_is_followed_to_its_end_and_what_was_changed_is_found(
    world: World, kind: str, manage: Manage
) -> None:
    """With the triggers out of the way, as for whoever owns the database; the anchor tells of what was cut off."""
    manager = world.manager(facility := world.facility())  # the first entry: the right that was given
    for number in range(3):
        session = world.session(facility, starts_in=timedelta(days=number + 1))
        manager.api.post(f"/sessions/{session.id}/cancel", {"reason": "停电"}, status=200)
    db.session.rollback()
    done = manage("audit", "verify")
    assert done.returncode == 0, done.stderr
    assert "4 entries, each as it was written" in done.stdout
    anchor = re.search(r"^anchor\t(4:[0-9a-f]{64})$", done.stdout, re.MULTILINE)
    assert anchor
    assert manage("audit", "verify", anchor[1]).returncode == 0
    on = " ON audit_entries" if kind == "postgresql" else ""
    with db.engine.begin() as connection:
        for trigger in ("updated", "deleted"):
            connection.execute(text(f"DROP TRIGGER audit_entries_never_{trigger}{on}"))
        connection.execute(text("DELETE FROM audit_entries WHERE number = 4"))
        last = "(SELECT chained FROM audit_entries WHERE number = 3)"
        connection.execute(text(f"UPDATE audit_heads SET number = 3, chained = {last}"))
    assert manage("audit", "verify").returncode == 0, "a chain that was ended properly looks whole"
    done = manage("audit", "verify", anchor[1])
    assert done.returncode == 1
    assert "the chain ends at 3, before the anchor at 4" in done.stdout
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE audit_entries SET verb = 'looked at' WHERE number = 1"))
    done = manage("audit", "verify")
    assert done.returncode == 1
    assert "entry 1 is not what was written, or not where" in done.stdout
    assert "1 faults in 3 entries" in done.stderr
    with db.engine.begin() as connection:
        for trigger in never_changed_triggers("audit_entries", kind):
            connection.execute(text(trigger))


def test_a_provider_is_given_the_texts_to_register(manage: Manage) -> None:
    done = manage("messages", "texts")
    assert done.returncode == 0, done.stderr
    texts = dict(line.split("\t") for line in done.stdout.splitlines())
    assert texts["booked"].startswith("已预约：{1}，{2}。")
    assert texts["code"].startswith("验证码{1}")
    assert set(texts) == set(SHORT)


def test_what_is_no_anchor_is_said_to_be_none(world: World, manage: Manage) -> None:
    for anchor in ("3", "x:y"):
        done = manage("audit", "verify", anchor)
        assert done.returncode == 1
        assert done.stderr.startswith("Error: An anchor looks like")


def test_an_unsafe_start_is_one_sentence(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "HUIMIN_ENV": "production", "HUIMIN_INSTANCE": str(tmp_path)}
    done = from_nothing("serve", environment=environment)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: Production runs on PostgreSQL")


def test_the_planner_knows_what_was_loaded(store: Store, kind: str, manage: Manage) -> None:
    """Taken for empty, as PostgreSQL takes them that looked while the rows were uncommitted, they cost minutes."""
    done = manage("demo", "load")
    assert done.returncode == 0, done.stderr
    known = {
        "postgresql": "SELECT reltuples FROM pg_class WHERE oid = 'attendances'::regclass",
        "sqlite": "SELECT stat FROM sqlite_stat1 WHERE tbl = 'attendances' LIMIT 1",
    }[kind]
    engine = create_engine(store.url)
    with engine.connect() as connection:
        estimate = str(connection.execute(text(known)).scalar_one()).split()[0]
        rows = connection.execute(text("SELECT count(*) FROM attendances")).scalar_one()
    engine.dispose()
    assert float(estimate) == rows > 3000


def test_livelihood_projects_are_loaded_once(manage: Manage) -> None:
    manage("db", "upgrade")
    done = manage("projects", "load")
    assert done.stdout == "2024: 20 projects, 63 subprojects and 30 published figures added\n"
    assert manage("projects", "load").stdout == "2024: 0 projects, 0 subprojects and 0 published figures added\n"


def test_official_reports_are_verified_and_what_differs_is_said(world: World, manage: Manage) -> None:
    august = August.of(world)
    report = august.closed()
    august.came(world.resident().resident_id)
    august.corrected(report)
    done = manage("reports", "verify")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 reports and 1 corrections, each as it was written")
    assert report.sha256 in done.stdout
    tamper("UPDATE official_reports SET content = '{}'")
    done = manage("reports", "verify")
    assert done.returncode == 1
    assert "report 1: the content is not what was hashed" in done.stdout
