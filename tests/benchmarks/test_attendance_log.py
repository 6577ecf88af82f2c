"""The log's drill in short, and proof that it sees damage of every kind."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from benchmarks import attendance_log, people
from benchmarks.roll import log as logs
from benchmarks.roll import scene
from benchmarks.roll.recount import recount
from facilities.infra.db import db
from tests.stores import Store

Drill = Callable[..., tuple[int, dict[str, str], str]]


@pytest.fixture
def drill(
    app: Flask, store: Store, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Drill:
    """The command on the test's own database: exit code, the last line's names and values, everything that it said."""

    @contextmanager
    def database(_kind: str, _folder: Path) -> Iterator[tuple[Flask, Callable[[], None]]]:
        yield app, store.reset

    def run(*arguments: str) -> tuple[int, dict[str, str], str]:
        options = ["--database", kind, "--events", "150", "--shuffles", "2", "--seed", "3", *arguments]
        monkeypatch.setattr("sys.argv", ["attendance_log", *options])
        code = attendance_log.main()
        said = capsys.readouterr().out
        return code, dict(pair.split("=", 1) for pair in said.splitlines()[-1].split("\t")[1:]), said

    monkeypatch.setattr(attendance_log, "database", database)
    return run


def test_a_log_without_damage_is_one_state(drill: Drill) -> None:
    code, summary, said = drill()
    assert (code, summary["violations"], summary["states"], summary["events"]) == (0, "0", "1", "150"), said


def test_one_damaged_row_is_a_violation(drill: Drill) -> None:
    """The negative control."""
    code, summary, said = drill("--sabotage")
    assert (code, summary["violations"], summary["states"]) == (1, "1", "2"), said


def test_damage_that_nobody_sees_is_no_success(drill: Drill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene, "damage", lambda *_: "nothing at all")
    code, _, said = drill("--sabotage")
    assert code == 3, said


def test_damage_of_every_kind_is_seen(app: Flask, store: Store) -> None:
    log = logs.make(300, people.FIRST, random.Random(5))
    assert attendance_log.play(store.reset, log, 1, random.Random(6)).violations == []
    for what in scene.DAMAGES:
        with db.engine.connect() as connection:
            scene.damage(connection, what, random.Random(7))
            assert len(attendance_log.differences(scene.read_state(connection), recount(log))) == 1, what
            connection.rollback()
